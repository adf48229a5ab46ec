from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pyerlcoin.beam.node import carrier
from pyerlcoin.store.store import Store
from tests.cli.conftest import serving
from tests.support.cli import Run, refused
from tests.support.clock import UNIT
from tests.support.ports import free_port, fresh_node


def test_ctrl_c_ends_it_with_the_board_and_130() -> None:
    with serving() as served:
        served.child.interrupt()
        assert served.child.wait_sync() == 130
        assert served.child.out[-1] == "no miners yet"
        assert served.child.err == []


def test_it_ends_by_the_clock_with_0(own_epmd: int, run: Run) -> None:
    code, out, err = run("serve", "--name", fresh_node(), "--secret", "s", "--seconds", "0.1", "--quiet")
    assert (code, err) == (0, "")
    assert "serving ElixirCoin.Server on" in out


@pytest.mark.parametrize("options", [(), ("--json-events",)])
def test_a_host_name_that_is_on_loopback_here(
    own_epmd: int, run: Run, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    async def resolve(host: str) -> str:
        return host if host[0].isdigit() else "127.0.1.1"

    monkeypatch.setattr(carrier, "resolve", resolve)
    said = "--json-events" in options

    def told(*more: str) -> bool:
        code, out, err = run("serve", "--secret", "s", "--ledger", ":memory:", "--seconds", "0.1", *options, *more)
        assert (code, err) == (0, "")
        if said:
            return bool(json.loads(out.splitlines()[0])["only_here"])
        sentence = (
            "only this machine can reach it, as debian is on loopback here: give --bind 0.0.0.0, or --name s@ADDRESS"
        )
        return sentence in out

    assert told("--sname", "s@debian")
    assert not told("--sname", "s@debian", "--bind", "0.0.0.0")
    # Who names loopback means it.
    assert not told("--sname", fresh_node(host="localhost"))
    assert not told("--name", fresh_node())


@pytest.mark.parametrize("workload", ["0", "-3", "2.5", "lots"])
def test_a_bad_workload(own_epmd: int, run: Run, workload: str) -> None:
    answer = run("serve", "--name", fresh_node(), "--secret", "s", f"--workload={workload}")
    refused(answer, 2, f"'{workload}' is no workload")


@pytest.mark.parametrize(("secret", "words"), [("", "the secret is empty"), ("\udcff", "not UTF-8")])
def test_a_bad_secret(own_epmd: int, run: Run, secret: str, words: str) -> None:
    refused(run("serve", "--name", fresh_node(), "--secret", secret), 2, words)


def test_no_name(own_epmd: int, run: Run) -> None:
    refused(run("serve", "--secret", "s"), 2, "give --name server@ADDRESS, or --sname server")


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--name", "server@localhost", "a long name needs a dot"),
        ("--sname", "server@127.0.0.1", "a short name has no dot"),
        ("--name", "se rver@127.0.0.1", "letters, digits"),
    ],
)
def test_a_bad_name(own_epmd: int, run: Run, option: str, name: str, words: str) -> None:
    refused(run("serve", option, name, "--secret", "s"), 2, words)


def test_a_name_that_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as served:
        for key, value in served.env.items():
            monkeypatch.setenv(key, value)
        refused(run("serve", "--name", served.node, "--secret", "s"), 4, "is already running on this host")


def test_an_address_of_another_machine(own_epmd: int, run: Run) -> None:
    answer = run("serve", "--name", "server@127.0.0.1", "--secret", "s", "--bind", "192.0.2.1")
    refused(answer, 2, "cannot listen on 192.0.2.1")


def test_a_port_of_ones_own(own_epmd: int, run: Run) -> None:
    port = free_port()
    code, out, err = run(
        "serve", "--name", fresh_node(), "--secret", "s", "--port", str(port), "--seconds", "0.1", "--visible"
    )
    assert (code, err) == (0, "")
    assert "; Ctrl-C ends it" in out
    assert "hidden" not in out


def play(run: Run, *options: str | Path) -> tuple[int, str, str]:
    """A game that ends at once."""
    return run("serve", "--name", fresh_node(), "--secret", "Serun+u", "--seconds", "0.1", "--quiet", *options)


def test_without_a_word_the_ledger_is_a_file_of_the_node_s_name(own_epmd: int, run: Run, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path))
        node = fresh_node()
        code, out, err = run("serve", "--name", node, "--secret", "s", "--seconds", "0.1", "--quiet")
    path = tmp_path / "pyerlcoin" / f"{node}.ledger"
    assert (code, err) == (0, "")
    assert f"the ledger is {path}\n" in out
    assert path.is_file()


def test_a_throw_away_game_leaves_no_file(own_epmd: int, run: Run, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path))
        patch.chdir(tmp_path)
        code, out, err = play(run, "--ledger", ":memory:")
    assert (code, err) == (0, "")
    assert "the game ends with this process: it has no ledger" in out
    assert list(tmp_path.iterdir()) == []


def test_first_and_workload_are_the_ledger_s_own(own_epmd: int, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert play(run, "--ledger", path, "--first", "7", "--workload", "9", "--durability", "full")[0] == 0
    assert play(run, "--ledger", path)[0] == 0
    with Store.open(path, b"Serun+u", now=0.0) as store:
        assert (store.ledger.first, store.ledger.workload) == (7, 9)
    refused(play(run, "--ledger", path, "--first", "8"), 6, "began at another integer")


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--secret", "other"), "belongs to another secret"), (("--zeros", "4"), "belongs to coins of 5 zeros, not 4")],
)
def test_the_ledger_of_another_game(
    own_epmd: int, run: Run, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    path = tmp_path / "x"
    assert play(run, "--ledger", path)[0] == 0
    before = path.read_bytes()
    refused(play(run, "--ledger", path, *options), 6, words)
    assert path.read_bytes() == before


def test_the_ledger_of_a_newer_program(own_epmd: int, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert play(run, "--ledger", path)[0] == 0
    db = sqlite3.connect(path)
    with db:
        db.execute("INSERT INTO migration (name) VALUES ('of tomorrow')")
    db.close()
    before = path.read_bytes()
    refused(play(run, "--ledger", path), 6, "written by a newer pyerlcoin (of tomorrow): use that one")
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["my diary, " * 1000, "SQLite format 3\0" + "x" * 5000])
def test_a_file_that_is_no_ledger(own_epmd: int, run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    refused(play(run, "--ledger", path), 6, "damaged or no ledger at all")
    assert path.read_text() == text


def test_a_ledger_in_use(own_epmd: int, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x"
    with Store.open(path, b"Serun+u", now=0.0):
        refused(play(run, "--ledger", path), 6, "in use by another process: end that, or name another with --ledger")
    assert play(run, "--ledger", path)[0] == 0


def test_a_ledger_that_may_only_be_read(own_epmd: int, run: Run, tmp_path: Path) -> None:
    """In a child, which gives up the rights that a root user's tests would have."""
    path = tmp_path / "x"
    assert play(run, "--ledger", path)[0] == 0
    before = path.read_bytes()
    if os.geteuid() == 0:
        for parent in [*tmp_path.parents][:3]:
            parent.chmod(0o755)
    (tmp_path / "x-lock").unlink(missing_ok=True)
    tmp_path.chmod(0o555)
    path.chmod(0o444)
    program = (
        "import os, sys\n"
        "from pyerlcoin.cli.edge import main\n"
        "from pyerlcoin.store.store import Store\n"
        "real = Store.open\n"
        "def open_as_nobody(*arguments, **options):\n"
        "    if os.geteuid() == 0: os.setuid(65534)\n"
        "    return real(*arguments, **options)\n"
        "Store.open = open_as_nobody\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ("serve", "--name", fresh_node(), "--secret", "Serun+u", "--seconds", "0.1", "--ledger", str(path))
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60 * UNIT, check=False
    )
    tmp_path.chmod(0o755)
    refused((done.returncode, done.stdout, done.stderr), 6, f"{path} cannot be")
    assert path.read_bytes() == before


def test_a_name_that_is_taken_leaves_the_ledger_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving("--ledger", str(tmp_path / "x")) as served:
        for key, value in served.env.items():
            monkeypatch.setenv(key, value)
        answer = run("serve", "--name", served.node, "--secret", "other", "--ledger", tmp_path / "y")
        refused(answer, 4, "is already running on this host")
    assert not (tmp_path / "y").exists()
