"""Both techniques, with each MD5 there is, and the contest between them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest

from pyerlcoin.search import python
from pyerlcoin.search.engine import Job
from pyerlcoin.search.python import PythonEngine
from tests.support.search import expected, hunt, random_job

JOB = Job(b"Serun+", 9_970_500, 10_030_500, 3)


@pytest.mark.parametrize("engine", [PythonEngine(), PythonEngine(hashlib.md5)], ids=["fastest", "hashlib"])
def test_with_each_md5(engine: PythonEngine) -> None:
    for _ in range(2):  # with the contest, and with its verdict
        assert hunt(engine, JOB) == expected(JOB)
    dice = random.Random(3)
    for _ in range(25):
        job = random_job(dice)
        assert hunt(engine, job) == expected(job)


@pytest.mark.parametrize("zeros", [3, 4])
@pytest.mark.parametrize("rows_win", [True, False])
def test_with_each_technique(rows_win: bool, zeros: int) -> None:
    engine = PythonEngine()
    # Of three zeros there are hits in every fourth thousand, which asks for all of them; of four they are few.
    verdicts = {(len(JOB.secret) + digits, zeros == 4): rows_win for digits in (7, 8)}
    engine._rows_win.update(verdicts)
    job = replace(JOB, zeros=zeros)
    assert hunt(engine, job) == expected(job)
    assert engine._rows_win == verdicts


@pytest.mark.parametrize("rows_win", [True, False])
def test_the_faster_technique_wins(rows_win: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock is read before and after each thousand: copies first, then rows.
    took = [2.0, 1.0] if rows_win else [1.0, 2.0]
    ticks = iter(tick for i in range(1000) for tick in (10.0 * i, 10.0 * i + took[i % 2]))
    monkeypatch.setattr(python, "perf_counter", lambda: next(ticks))
    engine = PythonEngine()
    job = Job(b"contest", 10**6, 10**6 + 30_000, 3)
    assert hunt(engine, job) == expected(job)
    assert engine._rows_win == {(len(job.secret) + 7, False): rows_win}


def test_without_the_private_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "_md5", None)
    engine = PythonEngine()
    assert engine._md5 is hashlib.md5
    assert hunt(engine, Job(b"x", 0, 3000, 2)) == expected(Job(b"x", 0, 3000, 2))


def test_stop_is_asked_after_every_thousand() -> None:
    told: list[int] = []
    PythonEngine().search(Job(b"x", 10**6, 10**9), lambda: len(told) == 3, told.append)
    assert told == [1000, 1000, 1000]
