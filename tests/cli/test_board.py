from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_a_page_needs_no_package_of_the_picture(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    program = (
        "import sys; from pyerlcoin.cli.edge import main; main(sys.argv[1:]);"
        "print(*(name for name in ('matplotlib', 'numpy') if name in sys.modules))"
    )
    command = [sys.executable, "-c", program, "board", str(tmp_path / "x"), "-o", str(tmp_path / "f.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]
