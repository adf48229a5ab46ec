import hashlib
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pyerlcoin.coin.answers import Counted, Refusal
from pyerlcoin.coin.facts import CoinAccepted, Fact, Registered
from pyerlcoin.coin.past import replay
from pyerlcoin.coin.unit import Unit
from pyerlcoin.errors import ExitCode, LedgerUnusable, WrongUsage
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.store import NotWritten, Store
from tests.support.games import PATIENCE, SECRET, commit, open_store, play, unit_of


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fill_up(store: Store) -> None:
    """The disk takes no page more: SQLite itself says that it is full."""
    db = store._writer._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")


def make_room(store: Store) -> None:
    store._writer._db.execute("PRAGMA max_page_count = 1000000")


def fill(store: Store, now: float) -> list[Fact]:
    """More than one page takes."""
    return [fact for n in range(200) for fact in store.ledger.hello(f"p{n}", "many@h", f"name {n}" * 9, now).facts]


# what stays


@pytest.mark.parametrize("where", ["file", ":memory:"])
def test_a_game_can_be_played_on_it(tmp_path: Path, where: str) -> None:
    with open_store(tmp_path / "x" if where == "file" else where) as store:
        play(store)
        assert store.ledger.leaderboard() == [("Ann", 1), ("Bob", 1), ("Cleo", 1)]
        again = store.ledger.coin(0, "ann@h", "Ann", 3, 1100.0)
        assert again.answer == Counted(1)
        assert isinstance(store.ledger.coin(1, "bob@h", "Bob", 3, 1100.0).answer, Refusal)


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        before = store.ledger.progress(1100.0)
    with open_store(tmp_path / "x", workload=None, now=1100.0) as store:
        ledger = store.ledger
        after = ledger.progress(1100.0)
        assert ledger.leaderboard() == [("Ann", 1), ("Bob", 1), ("Cleo", 1)]
        assert (after.frontier, after.finished, after.workload) == (before.frontier, before.finished, 4)
        assert (after.open, after.returned) == (0, before.open + before.returned)
        assert [miner.node for miner in after.miners] == ["ann@h", "bob@h", "elsewhere@h"]
        assert unit_of(ledger.hello(9, "ann@h", "Ann", 1101.0)) == Unit(31, 40)
        assert ledger.coin(9, "ann@h", "Ann", 32, 1101.0).answer == Counted(2)


def test_what_was_not_committed_is_not(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        store.ledger.coin(0, "ann@h", "Ann", 4, 1100.0)
    with open_store(tmp_path / "x", now=1200.0) as store:
        assert store.ledger.worth() == 3


def test_the_state_is_what_the_facts_tell(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
    with Reading(tmp_path / "x") as reading:
        assert reading.past() == replay(1, 10, reading.facts())


def test_integers_of_any_size(tmp_path: Path) -> None:
    first = 10**500
    with open_store(tmp_path / "x", first=first) as store:
        facts = [*store.ledger.hello(1, "a@h", "Ann", 1001.0).facts]
        facts += store.ledger.coin(1, "a@h", "Ann", first + 3, 1001.0).facts
        commit(store, facts)
        facts = [*store.ledger.done(1, "a@h", "Ann", 1002.0).facts]
        commit(store, facts)
        assert store.ledger.coin(1, "a@h", "Ann", first + 4, 1002.0).answer == Counted(2)
    with open_store(tmp_path / "x", now=1100.0) as store:
        assert store.ledger.frontier == first + 20
        assert store.ledger.coin(1, "a@h", "Ann", first + 3, 1100.0).answer == Counted(1)


def test_a_unit_across_the_64th_bit(tmp_path: Path) -> None:
    first = 2**63 - 5
    with open_store(tmp_path / "x", first=first) as store:
        commit(store, store.ledger.hello(1, "a@h", "Ann", 1001.0).facts)
        commit(store, store.ledger.done(1, "a@h", "Ann", 1002.0).facts)
        assert store.ledger.coin(1, "a@h", "Ann", 2**63 - 1, 1002.0).answer == Counted(1)
        assert store.ledger.coin(1, "a@h", "Ann", 2**63, 1002.0).answer == Counted(2)
        assert isinstance(store.ledger.coin(1, "a@h", "Ann", first + 20, 1002.0).answer, Refusal)


def test_first_and_workload_are_the_file_s_own_unless_said(tmp_path: Path) -> None:
    open_store(tmp_path / "x", first=7, workload="auto").close()
    with open_store(tmp_path / "x", workload=None) as store:
        assert (store.ledger.first, store.ledger.workload) == (7, "auto")
    with open_store(tmp_path / "x", first=7, workload=3) as store:
        assert store.ledger.workload == 3
    with open_store(tmp_path / "x", workload=None) as store:
        assert store.ledger.workload == 3
    with Store.open(tmp_path / "new", SECRET, now=0.0) as store:
        assert (store.ledger.first, store.ledger.workload) == (1, 1)


def test_a_workload_that_was_said_stays_although_the_first_commit_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path / "x", workload=10).close()
    with open_store(tmp_path / "x", workload=3) as store:
        facts = store.ledger.hello(1, "a@h", "Ann", 1001.0).facts
        with pytest.raises(NotWritten):
            commit(store, [*facts, *facts])
        store.ledger.rollback(1002.0)
        assert unit_of(store.ledger.hello(1, "a@h", "Ann", 1002.0)) == Unit(1, 3)


@pytest.mark.parametrize(("durability", "level"), [("normal", 1), ("full", 2)])
def test_durability(tmp_path: Path, durability: str, level: int) -> None:
    with open_store(tmp_path / "x", durability=durability) as store:
        assert store._writer._db.execute("PRAGMA synchronous").fetchone() == (level,)
        assert store._writer._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_its_folder_is_made(tmp_path: Path) -> None:
    open_store(tmp_path / "a" / "b" / "x").close()
    assert (tmp_path / "a" / "b" / "x").is_file()


def test_lookups_do_not_hold_the_log_back(tmp_path: Path) -> None:
    """A statement left open would keep the log from being reused, and it would grow for as long as the game lasts."""
    with open_store(tmp_path / "x", workload=1000) as store:
        ledger = store.ledger
        commit(store, ledger.hello(1, "a@h", "Ann", 1001.0).facts)
        for n in range(1, 1000):
            commit(store, ledger.coin(1, "a@h", "Ann", n, 1001.0).facts)
            ledger.coin(1, "a@h", "Ann", n, 1001.0)
        busy, _, _ = store._writer._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        assert busy == 0
        assert (tmp_path / "x-wal").stat().st_size < 8_000_000


# what is refused, without a change


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"zeros": 1}, "belongs to coins of 0 zeros, not 1"),
        ({"first": 2}, "began at another integer"),
    ],
)
def test_another_game(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        play(store)
    before = digest(path)
    with pytest.raises(LedgerUnusable, match=words):
        open_store(path, **options)
    assert digest(path) == before
    open_store(path).close()


def test_another_secret_and_neither_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x"
    open_store(path).close()
    before = digest(path)
    with pytest.raises(LedgerUnusable, match="belongs to another secret") as caught:
        Store.open(path, b"hush", zeros=0, now=0.0)
    assert "hush" not in str(caught.value)
    assert SECRET.decode() not in str(caught.value).replace(str(path), "")
    assert caught.value.exit_code is ExitCode.LEDGER_UNUSABLE
    assert digest(path) == before


def test_a_newer_program_s(tmp_path: Path) -> None:
    path = tmp_path / "x"
    open_store(path).close()
    db = sqlite3.connect(path)
    with db:
        db.execute("INSERT INTO migration (name) VALUES ('of tomorrow')")
    db.close()
    before = digest(path)
    with pytest.raises(LedgerUnusable, match="written by a newer pyerlcoin"):
        open_store(path)
    assert digest(path) == before


def test_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("my diary, " * 1000)
    before = digest(path)
    with pytest.raises(LedgerUnusable, match="damaged or no ledger at all"):
        open_store(path)
    assert digest(path) == before


def test_another_program_s_database(tmp_path: Path) -> None:
    path = tmp_path / "x"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE diary (day)")
    db.close()
    before = digest(path)
    with pytest.raises(LedgerUnusable, match="not a ledger of this program"):
        open_store(path)
    assert digest(path) == before


def test_another_program_s_database_that_looks_blank_until_its_journal_is_played_back(tmp_path: Path) -> None:
    """It was killed as it committed the end of its only table."""
    path, journal = tmp_path / "theirs", tmp_path / "theirs-journal"
    with closing(sqlite3.connect(path, isolation_level=None)) as theirs:
        theirs.execute("CREATE TABLE wages (amount)")
        theirs.execute("PRAGMA synchronous = OFF")
        theirs.execute("BEGIN")
        theirs.execute("DROP TABLE wages")
        kept = journal.read_bytes()
        theirs.execute("COMMIT")
    journal.write_bytes(kept)
    with pytest.raises(LedgerUnusable, match="is not a ledger of this program"):
        open_store(path)
    with closing(sqlite3.connect(path)) as theirs:
        assert theirs.execute("SELECT name FROM sqlite_schema").fetchall() == [("wages",)]


def test_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        commit(store, fill(store, 1001.0))
    whole = path.read_bytes()
    for damage in (whole[:4096] + b"\xa5" * (len(whole) - 4096), whole[: len(whole) // 2], whole[:5000]):
        path.write_bytes(damage)
        with pytest.raises(LedgerUnusable, match="damaged or no ledger at all"):
            open_store(path)
        assert path.read_bytes() == damage


def test_damage_in_a_place_that_a_start_does_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        play(store)
    db = sqlite3.connect(path)
    size = db.execute("PRAGMA page_size").fetchone()[0]
    page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'returned'").fetchone()[0]
    db.close()
    content = bytearray(path.read_bytes())
    # Two cells where there is one (sqlite.org/fileformat2.html, 1.6: offset 3 of a page).
    content[(page - 1) * size + 4] = 2
    path.write_bytes(content)
    with pytest.raises(LedgerUnusable, match="damaged or no ledger at all"):
        open_store(path)
    assert path.read_bytes() == content


def test_one_in_use(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with open_store(path) as store:
        with pytest.raises(LedgerUnusable, match="in use by another process"):
            open_store(path)
        play(store)
    open_store(path).close()


def test_one_in_use_by_another_name(tmp_path: Path) -> None:
    path, link = tmp_path / "x", tmp_path / "link"
    link.symlink_to(path)
    with open_store(link) as store:
        with pytest.raises(LedgerUnusable, match="in use by another process"):
            open_store(path)
        play(store)
    with open_store(path), pytest.raises(LedgerUnusable, match=f"the ledger {link} is in use by another process"):
        open_store(link)


def test_the_log_is_looked_at_where_it_is_whatever_the_ledger_is_called(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "x")
    with open_store(tmp_path / "link") as store:
        play(store)
        assert store._checkpointer is not None
        assert store._checkpointer._log.stat().st_size > 0
        assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "link"}


def test_a_place_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnusable, match="cannot be opened"):
        open_store(tmp_path / "file" / "x")
    with pytest.raises(LedgerUnusable, match="is no file"):
        open_store(tmp_path)


def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    """In a child, which gives up the rights that a root user's tests would have."""
    path = tmp_path / "x"
    open_store(path).close()
    (tmp_path / "x-lock").unlink()
    before = digest(path)
    for parent in [*tmp_path.parents][:3]:
        if os.geteuid() == 0:
            parent.chmod(0o755)
    tmp_path.chmod(0o555)
    path.chmod(0o444)
    program = (
        "import os, sys\n"
        "from pyerlcoin.errors import LedgerUnusable\n"
        "from pyerlcoin.store.store import Store\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: Store.open(sys.argv[1], b'games', zeros=0, now=0.0)\n"
        "except LedgerUnusable as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=PATIENCE)
    tmp_path.chmod(0o755)
    assert f"{path} cannot be" in done.stdout, done
    assert digest(path) == before


def test_a_disk_that_is_full_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    open_store(path).close()
    before = digest(path)

    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("pyerlcoin.store.writer.Writer.started", full)
    with pytest.raises(LedgerUnusable, match="the disk is full"):
        open_store(path)
    monkeypatch.undo()
    assert digest(path) == before
    open_store(path).close()


def test_a_first_start_that_the_disk_had_no_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"

    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("pyerlcoin.store.schema.migrate", full)
    with pytest.raises(LedgerUnusable, match="the disk is full"):
        open_store(path)
    assert path.stat().st_size > 0, "a file without a table"
    monkeypatch.undo()
    with open_store(path) as store:
        play(store)


@pytest.mark.parametrize("moment", ["pyerlcoin.store.schema.migrate", "pyerlcoin.store.store._begin"])
def test_a_first_start_that_was_killed(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "x"
    module, _, name = moment.rpartition(".")
    program = (
        "import os, signal, sys\n"
        f"import {module} as module\n"
        "from pyerlcoin.store.store import Store\n"
        f"module.{name} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Store.open(sys.argv[1], b'games', zeros=0, now=0.0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.stat().st_size > 0, "a file without a table"
    with open_store(path) as store:
        play(store)


def test_a_first_start_that_was_killed_as_it_wrote_the_first_page(tmp_path: Path) -> None:
    """What it leaves is a page, and the journal that takes it back: who only reads may not do that."""
    path = tmp_path / "x"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    # One that counts, of no page before (sqlite.org/fileformat2.html, 3): magic, records, nonce, pages, sector, page.
    header = struct.pack(">8s5I", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 0, 0, 0, 512, 4096)
    (tmp_path / "x-journal").write_bytes(header.ljust(512, b"\0"))
    with open_store(path) as store:
        play(store)
    assert {path.name for path in tmp_path.iterdir()} == {"x", "x-lock"}


def test_a_game_that_cannot_be_meant_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage):
        open_store(tmp_path / "x", zeros=99)
    assert list(tmp_path.iterdir()) == []


# a commit that fails


@pytest.mark.parametrize("where", ["file", ":memory:"])
def test_a_full_disk_is_an_answer_and_what_it_refused_can_be_asked_again(tmp_path: Path, where: str) -> None:
    with open_store(tmp_path / "x" if where == "file" else where) as store:
        ledger = store.ledger
        play(store)
        before = ledger.progress(1100.0)
        fill_up(store)
        facts = fill(store, 1100.0)
        facts += ledger.coin(0, "ann@h", "Ann", 32, 1100.0).facts
        with pytest.raises(NotWritten, match=r"could not write its ledger .*full.*ask again later"):
            commit(store, facts)
        assert ledger.rollback(1100.0) == []
        after = ledger.progress(1100.0)
        assert (after.frontier, after.finished, after.coins) == (before.frontier, before.finished, before.coins)
        make_room(store)
        assert ledger.coin(0, "ann@h", "Ann", 32, 1101.0).answer == Counted(2)
        commit(store, fill(store, 1101.0))
        assert len(ledger.leaderboard()) == 203


def test_after_a_failure_the_ledger_on_disk_is_whole(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        fill_up(store)
        with pytest.raises(NotWritten):
            commit(store, fill(store, 1100.0))
        store.ledger.rollback(1100.0)
        make_room(store)
        commit(store, store.ledger.hello(8, "dan@h", "Dan", 1101.0).facts)
    with open_store(tmp_path / "x", now=1200.0) as store:
        assert [name for name, _ in store.ledger.leaderboard()] == ["Ann", "Bob", "Cleo", "Dan"]


def test_what_the_table_forbids_is_refused_too(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        play(store)
        with pytest.raises(NotWritten):
            store.commit([Registered(0.0, "Ann", "a@h")]).result(PATIENCE)
        commit(store, store.ledger.hello(8, "dan@h", "Dan", 1101.0).facts)


def test_an_error_that_is_no_disk_s_is_an_answer_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_store(tmp_path / "x") as store:
        with pytest.raises(NotWritten):
            store.commit([Registered(0.0, "Ann", "a@h"), CoinAccepted(0.0, -1, "Ann", 1, 1)]).result(PATIENCE)
        assert "another reason than the disk" in caplog.text
        commit(store, store.ledger.hello(8, "dan@h", "Dan", 1101.0).facts)


@pytest.mark.parametrize(("where", "durability"), [("x", "normal"), (":memory:", "normal"), (":memory:", "full")])
def test_a_commit_that_waits_for_no_disk_is_done_at_once(tmp_path: Path, where: str, durability: str) -> None:
    path = where if where == ":memory:" else tmp_path / where
    with open_store(path, durability=durability) as store:
        future = store.commit(store.ledger.hello(1, "a@h", "Ann", 1001.0).facts)
        assert future.done()
        assert future.result(0) is None


def test_a_commit_that_waits_for_the_disk_ends_in_the_writer_s_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path / "x", durability="full") as store:
        names: list[str] = []
        ended = threading.Event()

        def end(_: Future[None]) -> None:
            names.append(threading.current_thread().name)
            ended.set()

        gate = threading.Event()
        monkeypatch.setattr(store._writer, "write", lambda facts: gate.wait(PATIENCE))
        store.commit([]).add_done_callback(end)
        gate.set()
        assert ended.wait(PATIENCE)
        assert names == ["ledger writer"]


@pytest.mark.parametrize("durability", ["normal", "full"])
def test_closing_finishes_what_was_committed(tmp_path: Path, durability: str) -> None:
    store = open_store(tmp_path / "x", durability=durability)
    future = store.commit(store.ledger.hello(1, "a@h", "Ann", 1001.0).facts)
    store.close()
    assert future.result(0) is None
    with pytest.raises(NotWritten):
        store.commit([]).result(0)
    store.close()
    with open_store(tmp_path / "x", now=1100.0) as store:
        assert store.ledger.leaderboard() == [("Ann", 0)]
