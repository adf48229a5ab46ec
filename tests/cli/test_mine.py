from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys

import pytest

from pyerlcoin.search.choose import Choice
from pyerlcoin.search.engine import Job
from tests.cli.conftest import Served, serving
from tests.support.cli import Run, refused
from tests.support.clock import UNIT
from tests.support.process import pyerlcoin, run_pyerlcoin
from tests.support.search import Mortal, expected

MINE = ("--zeros", "3", "--engine", "python", "--workers", "1")


def test_it_mines_until_ctrl_c_and_says_what_it_did(served: Served) -> None:
    with pyerlcoin("mine", served.node, "--as", "Alice", *MINE, env=served.env) as child:
        child.wait_line_sync(r"joined .* as 'Alice'")
        child.wait_line_sync(r"coin \d+ accepted, [3-9]", timeout=30 * UNIT)
        child.interrupt()
        assert child.wait_sync() == 130
        coins = [int(match[1]) for match in child.matches(r"coin (\d+) accepted")]
        assert set(coins) <= set(expected(Job(b"Serun+u", 1, max(coins), 3)))
        assert len(set(coins)) == len(coins)
        assert child.matches(r"interrupted: [\d,]+ coins? accepted, 0 rejected")
        assert child.err == []


def test_it_stops_after_so_many_seconds(near: Served, run: Run) -> None:
    code, out, err = run("mine", near.node, "--as", "Bob", *MINE, "--seconds", "0.5", "--quiet", "--lanes", "1")
    assert (code, err) == (0, "")
    assert "the time is up" in out


def test_it_stops_after_so_many_coins(near: Served, run: Run) -> None:
    code, out, err = run("mine", near.node, "--as", "Cid", *MINE, "--coins", "2", "--quiet")
    assert (code, err) == (0, "")
    assert "2 coins are mined" in out


def test_a_wrong_number_of_zeros_is_seen_by_both(near: Served, run: Run) -> None:
    arguments = ("--zeros", "2", "--engine", "python", "--seconds", "1", "--quiet")
    code, out, _ = run("mine", near.node, "--as", "Dot", *arguments)
    assert code == 0
    assert "rejected: verification failed" in out


def test_a_search_that_breaks_off_ends_it(near: Served, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyerlcoin.cli.mine.choose", lambda name: Choice(Mortal(), name))
    code, out, err = run("mine", near.node, "--as", "Mo", "--zeros", "3", "--quiet")
    assert code == 8
    assert re.fullmatch(r"pyerlcoin: a worker process ended 3 times .* is memory short\?\n", err)
    assert "is memory short?" in out, "why it stopped"


def test_a_name_that_another_miner_has(served: Served) -> None:
    with pyerlcoin("mine", served.node, "--as", "Eve", *MINE, env=served.env) as first:
        first.wait_line_sync(r"joined .* as 'Eve'")
        with pyerlcoin("mine", served.node, "--as", "Eve", *MINE, "--max-retries", "1", env=served.env) as second:
            assert second.wait_sync() == 4
            assert second.matches("'Eve' is already registered: choose another name with --as")


def test_another_cookie(near: Served, run: Run) -> None:
    code, _, err = run("mine", near.node, "--as", "A", "--cookie", "another", "--quiet")
    assert code == 4
    assert err.endswith("has another cookie: start both nodes with the same --cookie\n")


def test_a_server_that_is_not_there(near: Served, run: Run) -> None:
    code, out, err = run("mine", "nobody@127.0.0.1", "--as", "A", "--quiet")
    assert code == 3
    assert "knows no node called nobody" in err
    assert "0 coins" not in out, "nothing was joined, and it is said once"


def test_it_gives_up(near: Served, run: Run) -> None:
    code, out, err = run("mine", "nobody@127.0.0.1", "--as", "A", "--max-retries", "1", "--quiet")
    assert code == 5
    assert "gave up after 1 retry: the epmd at" in err
    assert "attempt 1 in " in out


async def test_a_server_that_hangs_up_is_as_any_that_is_not_there() -> None:
    def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = str(server.sockets[0].getsockname()[1])
        asked = ("mine", "server@127.0.0.1", "--as", "A", "--quiet", "--cookie", "c", "--no-epmd", port)
        code, _, err = await run_pyerlcoin(*asked)
        assert code == 3
        assert err.startswith("pyerlcoin: server@127.0.0.1 hung up while the handshake waited for the status: ")
        code, out, err = await run_pyerlcoin(*asked, "--max-retries", "1")
        assert code == 5
        assert "attempt 1 in " in out
        assert err.startswith("pyerlcoin: gave up after 1 retry: server@127.0.0.1 hung up")


@pytest.mark.parametrize("team", ["", "x" * 300])
def test_a_name_that_no_server_takes(near: Served, run: Run, team: str) -> None:
    code, _, err = run("mine", near.node, "--as", team, "--quiet")
    assert code == 4
    assert "a name is UTF-8 text of 1 to 256 bytes" in err


def test_a_name_that_is_no_text(run: Run) -> None:
    refused(run("mine", "nobody@127.0.0.1", "--as", "\udcff", "--quiet"), 2, "the name is not UTF-8")


def test_what_is_no_node_name(near: Served, run: Run) -> None:
    refused(run("mine", "server", "--as", "A"), 2, "is not a node name: write it as name@host")


def test_a_reader_that_goes_ends_it(served: Served) -> None:
    command = [sys.executable, "-m", "pyerlcoin", "mine", served.node, "--as", "Fay", *MINE]
    env = {**os.environ, **served.env, "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.wait(60 * UNIT) == 0
        assert child.stderr.read() == b""


def test_it_survives_the_servers_restart() -> None:
    with serving() as served, pyerlcoin("mine", served.node, "--as", "Alice", *MINE, env=served.env) as child:
        child.wait_line_sync(r"coin \d+ accepted")
        served.child.kill()
        child.wait_line_sync("the server is gone")
        again = ("--name", served.node, "--secret", "Serun+u", "--zeros", "3", "--workload", "500")
        with pyerlcoin("serve", *again, env=served.env) as server:
            server.wait_line_sync("'Alice' is back", timeout=60 * UNIT)
            server.wait_line_sync(r"coin \d+ of 'Alice'", timeout=60 * UNIT)
            child.interrupt()
            assert child.wait_sync() == 130
