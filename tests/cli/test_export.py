from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.errors import LedgerUnusable
from pyerlcoin.store.export import Export
from pyerlcoin.store.export import export as read_all
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.store import Store
from tests.support.cli import Run, refused
from tests.support.games import commit, open_store, play


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A game that was played, and whose processes are gone."""
    with open_store(tmp_path / "x") as store:
        play(store)
    return tmp_path / "x"


def test_a_dash_is_standard_output(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(tmp_path / "x").close()
    for kind in ("json", "csv"):
        told = run("export", tmp_path / "x", "--format", kind)
        assert told[0] == 0
        assert run("export", tmp_path / "x", "--format", kind, "-o", "-") == told
    assert not (tmp_path / "-").exists()


def test_json(run: Run, path: Path) -> None:
    code, out, err = run("export", path, "--format", "json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert {key: told[key] for key in ("secret", "zeros", "first", "frontier", "workload", "finished")} == {
        "secret": "games",
        "zeros": 0,
        "first": 1,
        "frontier": 41,
        "workload": 4,
        "finished": [[1, 20]],
    }
    assert [(coin["n"], coin["miner"]) for coin in told["coins"]] == [(3, "Ann"), (12, "Bob"), (25, "Cleo")]
    assert [(one["name"], one["coins"], one["finished"]) for one in told["miners"]] == [
        ("Ann", 1, 10),
        ("Bob", 1, 10),
        ("Cleo", 1, 0),
    ]
    assert {(one["first"], one["last"]) for one in told["open"] + told["returned"]} >= {(31, 40)}
    # Ann told a coin beyond her unit, and one came from nobody.
    assert {one["reason"] for one in told["refused"]} == {"range of another miner", "unknown miner"}


def test_csv(run: Run, path: Path) -> None:
    code, out, err = run("export", path, "--format", "csv")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["miner"], row["first"], row["number"]) for row in rows if row["record"] == "coin"] == [
        ("Ann", "3", "1"),
        ("Bob", "12", "1"),
        ("Cleo", "25", "1"),
    ]
    assert [(row["first"], row["last"]) for row in rows if row["record"] == "finished"] == [("1", "20")]
    assert {row["record"] for row in rows} >= {"secret", "zeros", "first", "frontier", "workload", "miner", "refused"}


def test_integers_stay_integers_and_a_name_is_no_formula(run: Run, tmp_path: Path) -> None:
    first = 10**998
    with Store.open(tmp_path / "y", b"games", zeros=0, first=first, now=1.0) as store:
        facts = store.ledger.hello(1, "a@h", '=HYPERLINK("x")', 1.0).facts
        commit(store, [*facts, *store.ledger.done(1, "a@h", '=HYPERLINK("x")', 2.0).facts])
    assert json.loads(run("export", tmp_path / "y")[1])["finished"] == [[first, first]]
    rows = list(csv.DictReader(io.StringIO(run("export", tmp_path / "y", "--format", "csv")[1])))
    assert [row["miner"] for row in rows if row["record"] == "miner"] == ['\'=HYPERLINK("x")']


def test_into_a_file(run: Run, path: Path, tmp_path: Path) -> None:
    assert run("export", path, "-o", tmp_path / "all.json") == (0, "", "")
    assert (tmp_path / "all.json").read_text(encoding="utf-8") == run("export", path)[1]
    refused(run("export", path, "-o", tmp_path / "no" / "all.json"), 2, "cannot write")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 coins."""
    path = tmp_path_factory.mktemp("many") / "x"
    with Store.open(path, b"games", zeros=0, workload=MANY, now=1.0) as store:
        facts = [*store.ledger.hello(1, "a@h", "Zoë", 1.0).facts]
        for n in range(1, MANY + 1):
            facts += store.ledger.coin(1, "a@h", "Zoë", n, float(n)).facts
        commit(store, facts)
    return path


MANY = 20_000


@pytest.mark.parametrize("coins", [0, 3, MANY])
def test_the_json_is_as_if_it_were_written_at_once(
    run: Run, path: Path, many: Path, tmp_path: Path, coins: int
) -> None:
    if coins == 0:
        path = tmp_path / "empty"
        open_store(path).close()
    assert run("export", path if coins < MANY else many, "-o", tmp_path / "out") == (0, "", "")
    text = (tmp_path / "out").read_bytes().decode()
    told = json.loads(text)
    assert len(told["coins"]) == coins
    assert json.dumps(told, ensure_ascii=False) + "\n" == text


@pytest.mark.parametrize("format_", ["json", "csv"])
def test_the_coins_are_never_all_in_memory(run: Run, many: Path, tmp_path: Path, format_: str) -> None:
    tracemalloc.start()
    try:
        code = run("export", many, "--format", format_, "-o", tmp_path / "out")[0]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code == 0
    # As objects they would be twice that.
    assert peak < 250 * MANY


def test_what_breaks_off_leaves_the_file_as_it_was(
    run: Run, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(reading: Reading) -> Export:
        def coins() -> Iterator[CoinAccepted]:
            yield from islice(whole.coins, MANY // 2)
            raise LedgerUnusable("half of it is damaged")

        whole = read_all(reading)
        return replace(whole, coins=coins())

    monkeypatch.setattr("pyerlcoin.cli.export.read_all", broken)
    (tmp_path / "out").write_text("of yesterday")
    refused(run("export", many, "-o", tmp_path / "out"), 6, "half of it")
    assert (tmp_path / "out").read_text() == "of yesterday"
    refused(run("export", many), 6, "half of it")


def test_what_finds_no_room_on_its_way(run: Run, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyerlcoin.cli.export._IN_MEMORY", 10_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    refused(run("export", many), 2, "set TMPDIR to a folder with room")
    if Path("/dev/full").exists():
        full = open("/dev/full", "w+", encoding="utf-8")  # noqa: SIM115  # closed by what it is given to
        monkeypatch.setattr("pyerlcoin.cli.export.SpooledTemporaryFile", lambda *_, **__: full)
        refused(run("export", many), 2, "(No space left on device): set TMPDIR to a folder with room")


def test_no_ledger(run: Run, tmp_path: Path) -> None:
    refused(run("export", tmp_path / "none"), 6, "there is no ledger")
