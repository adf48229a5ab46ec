import sqlite3
from pathlib import Path

import pytest

from pyerlcoin.store.lock import take_lock


def test_one_at_a_time(tmp_path: Path) -> None:
    held = take_lock(tmp_path / "x")
    with pytest.raises(sqlite3.OperationalError) as caught:
        take_lock(tmp_path / "x")
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_BUSY
    take_lock(tmp_path / "y").close()
    held.close()
    take_lock(tmp_path / "x").close()


def test_it_leaves_nothing_but_an_empty_file(tmp_path: Path) -> None:
    held = take_lock(tmp_path / "x")
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("x-lock", 0)]
    held.close()


@pytest.mark.parametrize("left", [b"", bytes(512), b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\xff" * 1016])
def test_a_journal_that_another_version_left_does_no_harm(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "x-lock").touch()
    (tmp_path / "x-lock-journal").write_bytes(left)
    take_lock(tmp_path / "x").close()
