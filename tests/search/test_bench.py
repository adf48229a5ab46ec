"""The bench ends by itself, checks what it times, and says what machine it was."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pyerlcoin.search.bench import CHECK, CHECKSUM, Result, bench_engines, checksum, machine, measure
from pyerlcoin.search.choose import engines
from tests.support.search import Blind, expected


def test_each_engine_that_can_run_on_one_core_and_all() -> None:
    told: list[Result] = []
    results = bench_engines(0.05, tell=told.append)
    assert told == results
    runnable = [engine.name for engine in engines() if engine.unavailable() is None]
    assert list(dict.fromkeys(result.engine for result in results)) == runnable
    assert {result.workers for result in results} == {1, machine().cores}
    for result in results:
        assert result.correct
        assert result.integers > 0
        assert result.hashes_per_second == pytest.approx(result.integers / result.seconds)
        json.dumps(dataclasses.asdict(result))


def test_only_those_asked_for() -> None:
    assert {result.engine for result in bench_engines(0.01, ["python"])} == {"python"}


def test_the_checksum_is_hashlibs() -> None:
    assert checksum(expected(CHECK)) == CHECKSUM


def test_an_engine_that_finds_nothing_is_seen() -> None:
    assert not measure(Blind(), 1, 0.01).correct


def test_the_machine_has_its_facts() -> None:
    facts = machine()
    assert facts.processor
    assert facts.cores >= 1
    json.dumps(dataclasses.asdict(facts))
