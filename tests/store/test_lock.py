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
