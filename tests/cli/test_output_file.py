from __future__ import annotations

from pathlib import Path

import pytest

from pyerlcoin.cli.output_file import write_output
from pyerlcoin.errors import WrongUsage
from tests.support.cli import Run, refused
from tests.support.games import open_store, play


def test_it_is_written_over_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"something longer")
    write_output(tmp_path / "out", b"new", tmp_path / "x.ledger")
    assert (tmp_path / "out").read_bytes() == b"new"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="give -o another file"):
        write_output(tmp_path / "no" / "out", b"new", tmp_path / "x.ledger")


@pytest.mark.parametrize("command", ["board", "export"])
@pytest.mark.parametrize("name", ["x.ledger", "x.ledger-wal", "x.ledger-shm", "x.ledger-lock", "soft", "hard"])
def test_a_ledger_is_never_written_over(run: Run, tmp_path: Path, command: str, name: str) -> None:
    ledger = tmp_path / "x.ledger"
    with open_store(ledger) as store:
        play(store)
        (tmp_path / "soft").symlink_to(ledger)
        (tmp_path / "hard").hardlink_to(ledger)
        refused(run(command, ledger, "-o", tmp_path / name), 2, "give -o another file")
        assert not (tmp_path / name).read_bytes().startswith((b"<!doctype", b"{"))
        play(store, 2000.0)
    assert run("audit", ledger)[0] == 0


@pytest.mark.parametrize("command", ["board", "export"])
def test_nor_is_a_file_put_where_its_log_would_be(run: Run, tmp_path: Path, command: str) -> None:
    ledger = tmp_path / "x.ledger"
    open_store(ledger).close()
    log = tmp_path / "x.ledger-journal"
    refused(run(command, ledger, "-o", log), 2, "give -o another file")
    assert not log.exists()
