"""What is chosen, and what the user is told."""

from __future__ import annotations

import sys

import pytest

from pyerlcoin.errors import WrongUsage
from pyerlcoin.search.choose import choose, engines
from pyerlcoin.search.engine import Job
from tests.support.search import expected, hunt


def test_every_engine_says_whether_it_can_run() -> None:
    assert [engine.name for engine in engines()] == ["simd", "python"]
    for engine in engines():
        reason = engine.unavailable()
        assert reason is None or (reason and "\n" not in reason)
        assert engine.parallel in ("threads", "processes")


def test_by_name() -> None:
    choice = choose("python")
    assert choice.engine.name == "python"
    assert "python" in choice.sentence


def test_an_unknown_name() -> None:
    with pytest.raises(WrongUsage, match="auto, simd or python"):
        choose("gpu")


def test_without_llvmlite_all_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    choice = choose()
    assert choice.engine.name == "python"
    assert "pip install 'pyerlcoin[simd]'" in choice.sentence
    job = Job(b"Serun+u", 0, 20_000, 3)
    assert hunt(choice.engine, job) == expected(job)
    with pytest.raises(WrongUsage, match=r"simd cannot run here: install llvmlite"):
        choose("simd")


def test_with_llvmlite_the_vectors_are_chosen() -> None:
    pytest.importorskip("llvmlite", reason="llvmlite is not installed")
    choice = choose()
    assert choice.engine.name == "simd"
    assert choice.sentence == "engine simd, with python where that is sooner done"
    assert choice.engine.parallel == "threads"
    job = Job(b"Serun+u", 0, 20_000, 3)
    assert hunt(choice.engine, job) == expected(job)
