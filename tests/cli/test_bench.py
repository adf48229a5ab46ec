from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version

import pytest

from pyerlcoin.cli.edge import main
from pyerlcoin.search.bench import CHECKSUM
from pyerlcoin.search.choose import engines
from pyerlcoin.search.engine import Engine
from pyerlcoin.search.pool import cores
from pyerlcoin.search.python import PythonEngine
from tests.support.cli import Run, refused
from tests.support.clock import eventually
from tests.support.process import has_children, pyerlcoin
from tests.support.search import Blind
from tests.support.terminal import Terminal

QUICK = ("--seconds", "0.05")
ROW = re.compile(r"^(\w+) +(\d+) +([\d.]+ [kMGT]?H/s) +([\d.]+ [kMGT]?H/s)   (yes|NO)$", re.MULTILINE)


@pytest.fixture
def these(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """These engines are all that there are."""

    def only(*them: Engine) -> None:
        for module in ("pyerlcoin.cli.bench", "pyerlcoin.search.bench"):
            monkeypatch.setattr(f"{module}.engines", lambda: list(them))

    return only


def test_a_row_for_each_engine_on_one_core_and_on_all(run: Run) -> None:
    code, out, err = run("bench", *QUICK)
    assert (code, err) == (0, "")
    runnable = [engine.name for engine in engines() if engine.unavailable() is None]
    rows = [(match[1], int(match[2])) for match in ROW.finditer(out)]
    assert rows == [(name, workers) for name in runnable for workers in sorted({1, cores()})]
    assert {match[5] for match in ROW.finditer(out)} == {"yes"}
    facts = out.split("\n\n")[0]
    assert re.search(rf"\b{cores()} cores?\b", facts)
    assert f"pyerlcoin {version('pyerlcoin')}" in facts


def test_the_shape_of_json(run: Run) -> None:
    code, out, err = run("bench", *QUICK, "--engine", "python", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert list(told) == ["machine", "engines", "unavailable"]
    machine = ["processor", "cores", "megahertz", "system", "python", "llvmlite", "pyerlcoin"]
    assert list(told["machine"]) == machine
    assert told["machine"]["processor"]
    assert [row["workers"] for row in told["engines"]] == sorted({1, cores()})
    for row in told["engines"]:
        assert (row["engine"], row["checksum"], row["correct"]) == ("python", CHECKSUM, True)
        assert row["hashes_per_second"] == pytest.approx(row["integers"] / row["seconds"])
        assert row["hashes_per_second_per_core"] == row["hashes_per_second"] / row["workers"]
    assert told["unavailable"] == []


def test_an_engine_that_cannot_run_is_named_with_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)  # as if it were not installed
    code, out, _ = run("bench", *QUICK)
    assert code == 0
    assert "simd cannot run here: install llvmlite for it: pip install 'pyerlcoin[simd]'" in out
    assert {match[1] for match in ROW.finditer(out)} == {"python"}
    told = json.loads(run("bench", *QUICK, "--json")[1])
    assert [one["engine"] for one in told["unavailable"]] == ["simd"]
    refused(run("bench", "--engine", "simd"), 2, "pip install 'pyerlcoin[simd]'")


def test_only_engines_that_there_are(run: Run) -> None:
    refused(run("bench", "--engine", "steam"), 2, "there is no engine 'steam'")
    refused(run("bench", "--engine", "auto"), 2, "name one, or leave --engine out")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_wrong_engine_is_shown_and_named(run: Run, these: Callable[..., None], options: tuple[str, ...]) -> None:
    these(PythonEngine(), Blind())
    code, out, err = run("bench", "--seconds", "0.01", *options)
    assert code == 7
    assert re.fullmatch(r"pyerlcoin: the engine blind on 1 core finds something else than hashlib: .*\n", err)
    if options:
        assert {row["engine"]: row["correct"] for row in json.loads(out)["engines"]} == {"python": True, "blind": False}
    else:
        assert {(match[1], match[5]) for match in ROW.finditer(out)} == {("python", "yes"), ("blind", "NO")}


@pytest.mark.parametrize("columns", [80, 200])
def test_a_terminal_sees_how_far_it_is(columns: int) -> None:
    arguments = ("bench", "--engine", "python", "--seconds", "0.5")
    with Terminal(*arguments, env={}, columns=columns) as terminal:
        terminal.wait(r"python on 1 core .*0/")
        assert terminal.end() == 0
        assert terminal.wrapped == []
        # The bar has gone, the table stays, the cursor is back.
        assert "0/" not in terminal.text
        assert ROW.search(terminal.text)
        assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")


def test_a_pipe_sees_the_table_alone(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--engine", "python", *QUICK]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "\x1b" not in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_130(number: signal.Signals) -> None:
    async with pyerlcoin("bench", "--engine", "python", "--seconds", "3600") as child:
        # Its worker is there, and nothing is left but to search.
        await eventually(lambda: has_children(child.pid))
        child.signal(number)
        assert await child.wait() == 130
        assert not child.matches("Traceback")
