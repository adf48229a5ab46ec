from __future__ import annotations

import json
import re
import signal

import pytest

from pyerlcoin.search.choose import Choice
from pyerlcoin.search.engine import Job
from pyerlcoin.search.python import PythonEngine
from tests.support.cli import Run, refused
from tests.support.clock import UNIT, eventually
from tests.support.process import has_children, pyerlcoin
from tests.support.search import Mortal, Unable, expected
from tests.support.terminal import Terminal


def test_it_prints_the_coins_that_hashlib_finds(run: Run) -> None:
    coins = expected(Job(b"Serun+u", 0, 5000, 2))
    code, out, err = run("search", "0", "5000", "--secret", "Serun+u", "--zeros", "2", "--engine", "python")
    assert code == 0
    assert [int(line.split()[0]) for line in out.splitlines()] == coins
    assert all(line.split()[1].startswith("00") for line in out.splitlines())
    assert f"{len(coins)} coins in 5,001 integers" in err


def test_the_shape_of_json(run: Run) -> None:
    big = 10**40
    arguments = ("--secret", "Zoë", "--zeros", "1", "--engine", "python", "--workers", "1", "--json")
    code, out, err = run("search", str(big), str(big + 99), *arguments)
    assert (code, err) == (0, "")
    told = json.loads(out)
    keys = ["secret", "from", "to", "zeros", "engine", "workers", "coins", "seconds", "hashes_per_second"]
    assert list(told) == keys
    assert told["coins"] == expected(Job("Zoë".encode(), big, big + 99, 1))
    assert (told["secret"], told["from"], told["to"]) == ("Zoë", big, big + 99)
    assert (told["zeros"], told["engine"], told["workers"]) == (1, "python", 1)
    assert told["seconds"] > 0 < told["hashes_per_second"]


def test_a_range_the_wrong_way_round(run: Run) -> None:
    refused(run("search", "9", "1", "--secret", "s"), 2, "write the smaller one first")


def test_a_secret_that_is_no_text(run: Run) -> None:
    refused(run("search", "1", "9", "--secret", "\udcff"), 2, "not UTF-8")


@pytest.mark.parametrize(("engine", "words"), [(Mortal, "is memory short?"), (Unable, "(ValueError: two lines)")])
def test_a_search_that_breaks_off(
    run: Run, monkeypatch: pytest.MonkeyPatch, engine: type[PythonEngine], words: str
) -> None:
    monkeypatch.setattr("pyerlcoin.cli.search.choose", lambda name: Choice(engine(), name))
    refused(run("search", "1", "1000000", "--secret", "s"), 8, words)


def test_an_engine_that_failed_is_not_said_to_have_searched(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("llvmlite", reason="llvmlite is not installed")

    def broken(*_: object) -> None:
        raise RuntimeError("no such processor")

    monkeypatch.setattr("pyerlcoin.search.simd.engine.SimdEngine.load", broken)
    code, out, err = run("search", "1000000", "3000000", "--secret", "Serun+u", "--json")
    assert (code, json.loads(out)["engine"]) == (0, "python")
    code, out, err = run("search", "1000000", "3000000", "--secret", "Serun+u")
    assert code == 0
    assert err.endswith(", engine python, as simd failed here\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_130(number: signal.Signals) -> None:
    arguments = ("1", str(10**15), "--secret", "s", "--zeros", "9", "--engine", "python", "--workers", "1")
    async with pyerlcoin("search", *arguments) as child:
        # Its worker is there, and nothing is left but to search.
        await eventually(lambda: has_children(child.pid))
        child.signal(number)
        assert await child.wait() == 130
        assert not child.matches("Traceback")


ENDLESS = ("1", str(10**15), "--secret", "Serun+u", "--zeros", "4", "--engine", "python", "--workers", "1")


def test_coins_are_there_as_they_are_found_and_stay_after_ctrl_c() -> None:
    with pyerlcoin("search", *ENDLESS) as child:
        child.wait_line_sync(r"^\d+  0000", timeout=60 * UNIT)
        child.interrupt()
        assert child.wait_sync() == 130
        coins = [int(line.split()[0]) for line in child.out]
        assert coins == expected(Job(b"Serun+u", 1, coins[-1], 4))
        (said,) = child.err
        below = re.fullmatch(r"interrupted: all integers below ([\d,]+) are searched", said)
        assert below is not None
        assert int(below[1].replace(",", "")) > 1


async def test_json_is_one_object_or_none() -> None:
    async with pyerlcoin("search", *ENDLESS, "--json") as child:
        await eventually(lambda: has_children(child.pid))
        child.interrupt()
        assert await child.wait() == 130
        assert (child.out, child.err) == ([], [])


def test_on_a_terminal_a_bar_moves_below_the_coins() -> None:
    with Terminal("search", *ENDLESS, env={}, columns=80) as terminal:
        terminal.wait(r"(?m)^\d+  0000[0-9a-f]{28} *$", timeout=60 * UNIT)
        terminal.wait("1 to 1,000,000,000,000,000")
        terminal.press("\x03")
        assert terminal.end() == 130
        assert re.search(r"(?m)^\d+  0000[0-9a-f]{28}\s*$", terminal.text)
        assert "interrupted: all integers below" in terminal.text
