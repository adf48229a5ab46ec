import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pyerlcoin.coin.facts import CoinAccepted, Fact, Reason, Rejected, WorkloadChanged
from pyerlcoin.coin.sizing import AUTO
from pyerlcoin.errors import LedgerUnusable
from pyerlcoin.store.reading import Game, Reading, Refused, Started
from pyerlcoin.store.store import Store
from tests.support.games import PATIENCE, SECRET, commit, open_store, play


def test_the_facts_come_back_as_they_were(tmp_path: Path) -> None:
    told: list[Fact] = []
    with open_store(tmp_path / "x") as store:
        write = store.commit
        store.commit = lambda facts: (told.extend(facts), write(facts))[1]  # type: ignore[method-assign, func-returns-value]
        play(store)
        commit(store, store.ledger.set_workload(AUTO, 1500.0).facts)
    with Reading(tmp_path / "x") as reading:
        facts = list(reading.facts())
        assert facts == [fact for fact in told if not isinstance(fact, Rejected)]
        kinds = {type(fact) for fact in facts}
        assert len(kinds) == 8, "each kind of fact but the rejected ones is among them"
        assert reading.refused() == [
            Refused(None, "elsewhere@h", Reason.UNKNOWN_MINER, 1, 1022.0, 1022.0, "unknown miner 'Nobody'"),
            Refused("Ann", "ann@h", Reason.FOREIGN_RANGE, 1, 1001.0, 1001.0, refusal(told)),
        ]


def refusal(told: list[Fact]) -> str:
    return next(fact.message for fact in told if isinstance(fact, Rejected) and fact.name == "Ann")


def test_the_history_has_the_starts_too(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    open_store(tmp_path / "x", accept="any", workload=99, now=2000.0).close()
    with Reading(tmp_path / "x") as reading:
        assert list(reading.history()) == [
            (1, Started(1000.0, "handed")),
            (2, Started(2000.0, "any")),
            (3, WorkloadChanged(2000.0, 99)),
        ]
        assert reading.game == Game(SECRET, 0, 1, 10, 1000.0)
        assert SECRET.decode() not in repr(reading.game)


def test_it_is_of_one_moment_while_the_server_goes_on(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        with Reading(tmp_path / "x") as reading:
            before = reading.past()
            commit(store, store.ledger.coin(0, "ann@h", "Ann", 32, 1100.0).facts)
            assert reading.past() == before
            assert sum(isinstance(fact, CoinAccepted) for fact in reading.facts()) == 3
        with Reading(tmp_path / "x") as reading:
            assert sum(isinstance(fact, CoinAccepted) for fact in reading.facts()) == 4


def test_held_are_those_of_processes(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        with Reading(tmp_path / "x") as reading:
            assert reading.held() == {21, 25, 31}
            assert [unit.unit.first for unit in reading.past().open] == [21, 25, 29, 31]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnusable, match="there is no ledger"):
        Reading(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("my diary " * 1000)
    with pytest.raises(LedgerUnusable, match="damaged or no ledger"):
        Reading(tmp_path / "x")
    (tmp_path / "y").write_text("")
    with pytest.raises(LedgerUnusable, match="not a ledger"):
        Reading(tmp_path / "y")


def test_damage_that_shows_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        play(store)
    reading = Reading(path)
    with pytest.raises(LedgerUnusable, match="cannot be used"), reading:
        raise sqlite3.OperationalError("odd")
    with pytest.raises(KeyError), Reading(path):
        raise KeyError


def test_what_another_version_left_out_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x"
    Store.open(path, SECRET, now=0.0).close()
    db = sqlite3.connect(path)
    with db:
        db.execute("INSERT INTO migration (name) VALUES ('of tomorrow')")
    db.close()
    with pytest.raises(LedgerUnusable, match="newer"):
        Reading(path)


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnusable, match=r"cannot be opened \(File name too long\)"):
        Reading(tmp_path / ("x" * 300))
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnusable, match="there is no ledger"):
        Reading(tmp_path / "file" / "x")


def as_somebody_else(folder: Path, path: Path, mode: int = 0o555) -> str:
    """What a child finds there that gives up the rights which a root user's tests would have: coins, or an error."""
    for parent in [*folder.parents][:3]:
        if os.geteuid() == 0:
            parent.chmod(0o755)
    folder.chmod(mode)
    program = (
        "import os, sys\n"
        "from pyerlcoin.errors import LedgerUnusable\n"
        "from pyerlcoin.store.reading import Reading\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try:\n"
        "    with Reading(sys.argv[1]) as reading: print(sum(miner.coins for miner in reading.past().miners))\n"
        "except LedgerUnusable as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=PATIENCE)
    folder.chmod(0o755)
    assert done.returncode == 0, done
    return done.stdout


def test_a_folder_that_this_user_may_not_enter(tmp_path: Path) -> None:
    open_store(tmp_path / "x").close()
    assert "cannot be opened (Permission denied)" in as_somebody_else(tmp_path, tmp_path / "x", 0o600)


def test_reading_what_is_at_rest_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        play(store)
    (tmp_path / "x-lock").unlink()
    before = path.read_bytes()
    with Reading(path) as reading:
        assert sum(isinstance(fact, CoinAccepted) for fact in reading.facts()) == 3
        assert [each.name for each in tmp_path.iterdir()] == ["x"]
    assert path.read_bytes() == before


def test_a_copy_that_may_only_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        play(store)
    (tmp_path / "x-lock").unlink()
    assert as_somebody_else(tmp_path, path) == "3\n"


def test_what_was_killed_and_may_only_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        killed = tmp_path / "killed"
        killed.mkdir()
        for name in ("x", "x-wal"):
            (killed / name).write_bytes((tmp_path / name).read_bytes())
    with Reading(killed / "x") as reading:
        assert reading.past().miners[0].coins == 1
    (killed / "x-shm").unlink()
    assert "its server did not end in good order" in as_somebody_else(killed, killed / "x")


def test_a_server_that_starts_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    open_store(path).close()
    reading = Reading(path)
    with open_store(path, now=2000.0) as store:
        play(store, 2001.0)
        with reading:
            assert reading.past().miners == (), "its log is not looked at"
    reading = Reading(path)
    with open_store(path, now=4000.0) as store:
        commit(store, store.ledger.hello(9, "d@h", "Dee", 4001.0).facts)
    with pytest.raises(LedgerUnusable, match="was written while it was read"), reading:
        pass
    with Reading(path) as reading:
        assert len(reading.past().miners) == 4
