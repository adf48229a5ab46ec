from __future__ import annotations

from pathlib import Path

import pytest

from pyerlcoin.store.files import belongs
from tests.support.games import open_store


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal", "-lock"])
@pytest.mark.parametrize("used", [True, False], ids=["used", "not there"])
def test_what_a_ledger_is(tmp_path: Path, ending: str, used: bool) -> None:
    ledger = tmp_path / "x.ledger"
    if used:
        with open_store(ledger):
            assert belongs(tmp_path / f"x.ledger{ending}", ledger)
    else:
        assert belongs(tmp_path / f"x.ledger{ending}", ledger)
        assert belongs(tmp_path / "no" / ".." / f"x.ledger{ending}", ledger)


def test_links_lead_to_it_both_ways(tmp_path: Path) -> None:
    ledger = tmp_path / "x.ledger"
    open_store(ledger).close()
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "soft").symlink_to(ledger)
    (folder / "hard").hardlink_to(ledger)
    for link in ("soft", "hard"):
        assert belongs(folder / link, ledger)
        assert belongs(ledger, folder / link)
    assert belongs(tmp_path / "x.ledger-wal", folder / "soft"), "SQLite writes it beside the file"
    assert belongs(folder / "soft-lock", folder / "soft"), "a name that would be looked for"


def test_a_link_to_itself_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert not belongs(tmp_path / "loop", tmp_path / "x.ledger")
    assert not belongs(tmp_path / "x", tmp_path / "loop")


def test_what_it_is_not(tmp_path: Path) -> None:
    ledger = tmp_path / "x.ledger"
    open_store(ledger).close()
    for name in ("x.ledger.html", "x.html", "y.ledger", "x.ledger-walnut"):
        assert not belongs(tmp_path / name, ledger)
    (tmp_path / "copy").write_bytes(ledger.read_bytes())
    assert not belongs(tmp_path / "copy", ledger)
