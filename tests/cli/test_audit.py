from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import pytest

from tests.support.cli import Run, refused
from tests.support.games import open_store, play


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A game that was played."""
    with open_store(tmp_path / "x") as store:
        play(store)
    return tmp_path / "x"


def test_a_clean_one(run: Run, path: Path) -> None:
    code, out, err = run("audit", path)
    assert (code, err) == (0, "")
    assert out == "3 coins of 3 miners hashed again, 6 units, 20 integers finished: every promise kept\n"


def test_a_broken_one_says_what_and_ends_with_6(run: Run, path: Path) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE coin SET n = 999 WHERE n = 3")
        db.execute("UPDATE miner SET name = 'A\x1b[2Jnn' WHERE name = 'Ann'")
    db.close()
    code, out, err = run("audit", path)
    assert code == 6
    assert "coin 999 of A\N{REPLACEMENT CHARACTER}[2Jnn is in no unit that was handed to" in out
    assert re.fullmatch(r"pyerlcoin: .*/x breaks 1 promise: keep the file as it is.*\n", err)


def test_while_its_server_runs(run: Run, tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        assert run("audit", tmp_path / "x")[0] == 0


def test_a_place_where_nobody_may_look(run: Run, tmp_path: Path) -> None:
    refused(run("audit", tmp_path / ("x" * 300)), 6, "cannot be opened (File name too long)")
    refused(run("export", tmp_path / ("x" * 300)), 6, "cannot be opened (File name too long)")


def test_a_name_that_is_not_utf_8(run: Run, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    with open_store(path) as store:
        play(store)
    assert run("audit", path)[0] == 0
    refused(run("audit", path + "\udcff"), 6, "there is no ledger")


def test_no_ledger(run: Run, tmp_path: Path) -> None:
    refused(run("audit", tmp_path / "none"), 6, "there is no ledger")
    (tmp_path / "diary").write_text("my diary, " * 1000)
    refused(run("audit", tmp_path / "diary"), 6, "damaged or no ledger at all")
