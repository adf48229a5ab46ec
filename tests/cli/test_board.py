from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Run, refused
from tests.support.games import open_store, play
from tests.support.process import pyerlcoin


def test_the_file_is_the_board_of_the_ledger(run: Run, tmp_path: Path) -> None:
    with open_store(tmp_path / "x.ledger") as store:
        play(store)
        worth = store.ledger.worth()
        code, out, err = run("board", str(tmp_path / "x.ledger"), "-o", str(tmp_path / "final.html"))
    assert (code, err) == (0, "")
    assert out == f"{tmp_path / 'final.html'}: 3 miners, {worth} coins\n"
    page = (tmp_path / "final.html").read_text(encoding="utf-8")
    assert '"name":"Cleo"' in page
    assert "games" not in page, "the secret"


def test_no_ledger(run: Run, tmp_path: Path) -> None:
    refused(run("board", str(tmp_path / "none"), "-o", str(tmp_path / "f.html")), 6, "there is no ledger")


def test_nowhere_to_write(run: Run, tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    refused(run("board", str(tmp_path / "x"), "-o", str(tmp_path / "no" / "f.html")), 2, "cannot write")


def test_a_picture(run: Run, tmp_path: Path) -> None:
    with open_store(tmp_path / "x.ledger") as store:
        play(store)
    image = tmp_path / "final.png"
    for options in ((), ("--format", "png")):
        code, out, err = run("board", tmp_path / "x.ledger", "-o", image, *options)
        assert (code, err) == (0, "")
        assert out.startswith(f"{image}: 3 miners, ")
        assert image.read_bytes().startswith(b"\x89PNG")
        image.unlink()
    assert run("board", tmp_path / "x.ledger", "-o", image, "--format", "html")[0] == 0
    assert image.read_bytes().startswith(b"<!doctype html>")


def test_a_picture_without_its_package(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(tmp_path / "x").close()
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "pyerlcoin.web.picture", raising=False)
    refused(run("board", tmp_path / "x", "-o", tmp_path / "f.png"), 2, "pip install 'pyerlcoin[png]'")
    assert not (tmp_path / "f.png").exists()
    assert run("board", tmp_path / "x", "-o", tmp_path / "f.html")[0] == 0


def test_a_picture_needs_no_screen_of_anybody(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    with pyerlcoin("board", str(tmp_path / "x"), "-o", str(tmp_path / "f.png"), env={"MPLBACKEND": "Qt4Agg"}) as child:
        assert child.wait_sync() == 0, child.log
        assert child.err == []


def shown_in(page: str) -> dict[str, Any]:
    found = re.search(r'id="evening">(.*?)</script>', page)
    assert found is not None
    state: dict[str, Any] = json.loads(found[1])["state"]
    return state


@pytest.mark.parametrize(
    ("until", "coins"),
    [
        ("+1001", {}),
        ("+1002", {"Ann": 1, "Bob": 0, "Cleo": 0}),
        ("20:16:43", {"Ann": 1, "Bob": 1, "Cleo": 0}),
        ("2021-02-01T00:00", {"Ann": 1, "Bob": 1, "Cleo": 1}),
    ],
)
def test_it_is_the_board_of_a_moment(run: Run, tmp_path: Path, until: str, coins: dict[str, int]) -> None:
    """A time of day is one of the evening in the ledger, however long ago; what comes at that moment comes too late."""
    began = datetime(2021, 1, 31, 20, 0).timestamp()
    with open_store(tmp_path / "x.ledger", now=began) as store:
        play(store, began + 1001)
    code, out, err = run("board", tmp_path / "x.ledger", "-o", tmp_path / "f.html", "--until", until)
    assert (code, err) == (0, "")
    state = shown_in((tmp_path / "f.html").read_text(encoding="utf-8"))
    assert {miner["name"]: miner["coins"] for miner in state["miners"]} == coins
    assert state["game"]["coins"] == sum(coins.values())
    assert re.search(rf": {len(coins)} miners, {sum(coins.values())} coins? until \w+day 2021-0[12]-\d\d at ", out)


def test_a_moment_that_is_none(run: Run, tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    refused(run("board", tmp_path / "x", "-o", tmp_path / "f.html", "--until", "soon"), 2, "'soon' is no moment")


def test_standard_output_gets_the_page_alone(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(tmp_path / "x").close()
    code, out, err = run("board", tmp_path / "x", "-o", "-")
    assert (code, err) == (0, "-: 0 miners, 0 coins\n")
    assert out.startswith("<!doctype html>")
    refused(run("board", tmp_path / "x", "-o", "-", "--format", "png"), 2, "give -o a file that ends in .png")
    assert not (tmp_path / "-").exists()


def test_an_ending_of_neither_kind(run: Run, tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    refused(run("board", tmp_path / "x", "-o", tmp_path / "f.pdf"), 2, "f.pdf ends in neither .html nor .png")
    assert run("board", tmp_path / "x", "-o", tmp_path / "f.pdf", "--format", "html")[0] == 0


@pytest.mark.parametrize("command", ["audit", "export", "board"])
def test_whether_the_ledger_can_be_read_is_the_command_s_to_say(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """With 6, as documented; Typer's own look would be 2."""
    (tmp_path / "x").write_text("no ledger", encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    output = ("-o", tmp_path / "f.html") if command == "board" else ()
    assert run(command, tmp_path / "x", *output)[0] == 6


def test_a_page_needs_no_package_of_the_picture(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    program = (
        "import sys; from pyerlcoin.cli.edge import main; main(sys.argv[1:]);"
        "print(*(name for name in ('matplotlib', 'numpy') if name in sys.modules))"
    )
    command = [sys.executable, "-c", program, "board", str(tmp_path / "x"), "-o", str(tmp_path / "f.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]
