from __future__ import annotations

from pathlib import Path

from tests.support.cli import Run, refused
from tests.support.games import open_store, play


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
