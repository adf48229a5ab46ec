"""The one contract of all engines: what hashlib finds, they find."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyerlcoin.search.choose import engines
from pyerlcoin.search.engine import Engine, Job
from tests.support.search import expected, hunt, random_job

_ENGINES = [engine.name for engine in engines()]


@pytest.fixture(scope="module", params=_ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    engine = next(engine for engine in engines() if engine.name == request.param)
    reason = engine.unavailable()
    if reason is not None:
        pytest.skip(reason)
    return engine


def test_random_jobs(engine: Engine) -> None:
    dice = random.Random(2016)
    for _ in range(300):
        job = random_job(dice)
        assert hunt(engine, job) == expected(job), job


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_many_random_jobs(engine: Engine, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(2000):
        job = random_job(dice, largest=30_000 if dice.random() < 0.1 else 2000)
        assert hunt(engine, job) == expected(job), job


@pytest.mark.parametrize("zeros", range(33))
def test_any_number_of_zeros(engine: Engine, zeros: int) -> None:
    job = Job(b"Serun+u", 0, 1500, zeros)
    assert hunt(engine, job) == expected(job)


def test_the_coin_of_the_contract(engine: Engine) -> None:
    assert 1 in hunt(engine, Job(b"Serun+u", 0, 5))
    assert hunt(engine, Job(b"foo", 123, 123)) == []


def test_an_empty_range(engine: Engine) -> None:
    assert hunt(engine, Job(b"Serun+u", 10, 9)) == []


def test_every_length_of_secret_around_the_blocks(engine: Engine) -> None:
    for length in range(140):
        job = Job(bytes(range(length)), 99_000, 101_500, 2)
        assert hunt(engine, job) == expected(job), length


def test_integers_that_the_interpreter_refuses_to_print(engine: Engine) -> None:
    nines = 10**5000 - 1
    found = hunt(engine, Job(b"Serun+u", nines - 40, nines + 40, 1))
    assert found == [n for n in found if nines - 40 <= n <= nines + 40]
    assert sorted(set(found)) == found
    before = [n for n in range(41) if hashlib.md5(b"Serun+u" + b"9" * 4998 + b"%02d" % (99 - n)).hexdigest()[0] == "0"]
    assert [nines - n for n in found if n <= nines] == sorted(before, reverse=True)


def test_stop_is_obeyed(engine: Engine) -> None:
    """After `stop` says True nothing more is searched; what was found so far comes back."""
    job = Job(b"Serun+u", 10**9, 10**12, 3)
    told: list[int] = []
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    found = engine.search(job, stop, told.append)
    done = sum(told)
    assert asked == 3
    assert 0 < done < 10**9
    assert found == sorted(found)
    # Those of what is done, wherever the engine began: about one in 4,096.
    assert len(found) < done / 2000 + 10
    whole = Job(job.secret, 10**9, 10**9 + 20_000, job.zeros)
    assert set(found) & set(range(whole.first, whole.last + 1)) <= set(expected(whole))


def test_threads_can_share_one_engine(engine: Engine) -> None:
    jobs = list(_consecutive(Job(b"shared", 10**7 - 40_000, 10**7 + 40_000, 3), 10_000))
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda job: hunt(engine, job), jobs))
    assert found == [expected(job) for job in jobs]


def _consecutive(job: Job, size: int) -> Iterator[Job]:
    for first in range(job.first, job.last + 1, size):
        yield Job(job.secret, first, min(job.last, first + size - 1), job.zeros)
