"""The vector engine at every width and in every kernel, compiled and from disk."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pyerlcoin.search.engine import Job
from pyerlcoin.search.simd.engine import Need, SimdEngine, shape_for
from pyerlcoin.search.simd.generator import Shape
from pyerlcoin.search.simd.steps import Forms
from tests.support.search import expected, hunt, random_job

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'pyerlcoin[simd]'")

BINARY, TERNARY = Forms(ternary=False), Forms(ternary=True)
SHAPES = [Shape(16, 4, TERNARY), Shape(8, 4, BINARY), Shape(8, 3, BINARY), Shape(4, 4, TERNARY), Shape(4, 3, BINARY)]
EVERY_KERNEL = [Need(word, 1) for word in range(13)] + [Need(word, 2) for word in (13, 14, 15)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "kernels"


def job_for(need: Need, dice: random.Random) -> Job:
    """A job that this kernel searches."""
    while True:
        job = random_job(dice, largest=2000, zeros=(2, 3))
        if need in SimdEngine(everything=True).needs(job):
            return job


@pytest.mark.parametrize("need", EVERY_KERNEL, ids=lambda need: f"{need.word}-{need.blocks}")
def test_every_kernel(need: Need, cache: Path) -> None:
    """Compiled, then from the disk: the second engine finds the same with the code that the first one kept."""
    dice = random.Random(need.word)
    jobs = [job_for(need, dice) for _ in range(6)]
    for _ in range(2):
        engine = SimdEngine(cache=cache, everything=True)
        for job in jobs:
            assert hunt(engine, job) == expected(job), job
        assert engine.is_cached(need)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_width(shape: Shape, cache: Path) -> None:
    engine = SimdEngine(shape, cache, everything=True)
    for secret, first in ((b"Serun+", 9_990_000), (b"x" * 50, 99_995_000), (b"", 10**20 - 4000)):
        job = Job(secret, first, first + 12_000, 2)
        assert hunt(engine, job) == expected(job)


@pytest.mark.long
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_jobs_at_every_width(shape: Shape, cache: Path) -> None:
    engine = SimdEngine(shape, cache, everything=True)
    dice = random.Random(str(shape))
    for _ in range(4000):
        job = random_job(dice)
        assert hunt(engine, job) == expected(job), job
    assert set(EVERY_KERNEL) <= engine.loaded


def test_random_jobs_with_no_way_around_the_kernels(cache: Path) -> None:
    engine = SimdEngine(cache=cache, everything=True)
    dice = random.Random(7)
    for _ in range(250):
        job = random_job(dice)
        assert hunt(engine, job) == expected(job), job


@pytest.mark.parametrize("zeros", [0, 1, 4, 5, 6, 7, 8, 9, 16, 32])
def test_masks_of_every_size(zeros: int, cache: Path) -> None:
    """Around an integer with 7 zeros and one with 9, more than the 8 that the kernel sees."""
    engine = SimdEngine(cache=cache, everything=True)
    for n in RARE:
        job = Job(b"rare", n - 2000, n + 2000, zeros)
        assert hunt(engine, job) == expected(job)


RARE = (1_015_616_453, 2_094_864_905)


def test_hits_beyond_the_room_for_them(cache: Path) -> None:
    engine = SimdEngine(cache=cache, everything=True)
    job = Job(b"Serun+", 10**6, 10**6 + 60_000, 1)
    assert hunt(engine, job) == expected(job)


def test_the_shape_follows_the_processor() -> None:
    assert shape_for({"avx512f": True, "avx2": True}).width == 16
    assert shape_for({"avx2": True, "avx512f": False}).width == 8
    assert shape_for({"neon": True}).width == 4
    assert shape_for({}).width == 4


def test_stop_comes_within_few_million_digests(cache: Path) -> None:
    engine = SimdEngine(cache=cache)
    told: list[int] = []
    engine.search(Job(b"Serun+", 10**10, 10**14), lambda: True, told.append)
    assert 0 < sum(told) <= 1_000_000


@pytest.mark.parametrize(("version", "reason"), [("0.44.1", "too old"), ("0.45.0rc1", None), ("1.0", None)])
def test_an_old_llvmlite_is_said_to_be(monkeypatch: pytest.MonkeyPatch, version: str, reason: str | None) -> None:
    llvmlite = pytest.importorskip("llvmlite", reason="the extra pyerlcoin[simd] is not installed")
    monkeypatch.setattr(llvmlite, "__version__", version)
    said = SimdEngine().unavailable()
    assert said is None if reason is None else said is not None and reason in said
