from __future__ import annotations

import asyncio
import json

import pytest

from pyerlcoin.beam import Atom, GenServer, Node, Sender, Term
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.runtimes.native import NativeCluster
from tests.cli.conftest import Served
from tests.support.cli import Run, refused
from tests.support.clock import UNIT
from tests.support.full_disk import FullDisk
from tests.support.ports import fresh_cookie, fresh_node
from tests.support.process import run_pyerlcoin


def test_the_board_before_anybody_came(near: Served, run: Run) -> None:
    assert run("worth", near.node) == (0, "0 coins\n", "")
    assert run("leaderboard", near.node) == (0, "no miners yet\n", "")
    code, out, _ = run("progress", near.node, "--json")
    assert code == 0
    assert json.loads(out)["finished"] == 0


def test_the_shapes_of_json(near: Served, run: Run) -> None:
    code, _, _ = run(
        "mine", near.node, "--as", "Zoë 🦀", "--zeros", "3", "--coins", "2", "--engine", "python", "--quiet"
    )
    assert code == 0
    code, out, err = run("leaderboard", near.node, "--json")
    assert (code, err) == (0, "")
    board = json.loads(out)
    assert list(board) == ["miners"]
    assert board["miners"][0]["name"] == "Zoë 🦀"
    coins = board["miners"][0]["coins"]
    assert isinstance(coins, int)
    assert coins >= 2
    assert board == {"miners": [{"name": "Zoë 🦀", "coins": coins}]}
    code, out, _ = run("worth", near.node, "--json")
    assert json.loads(out) == {"coins": coins}
    code, out, _ = run("progress", near.node, "--json")
    told = json.loads(out)
    wanted = ["first", "frontier", "finished", "open", "returned", "coins", "expected_coins"]
    assert list(told)[:7] == wanted
    assert {"hashes_per_second", "miners"} <= set(told)
    assert told["finished"] + told["open"] + told["returned"] == told["frontier"] - told["first"]
    assert told["miners"][0]["name"] == "Zoë 🦀"
    assert told["workload"] == 500


def test_for_a_person_it_is_lines(near: Served, run: Run) -> None:
    run("mine", near.node, "--as", "Al", "--zeros", "3", "--coins", "1", "--engine", "python", "--quiet")
    code, out, _ = run("leaderboard", near.node)
    assert code == 0
    assert "Al" in out
    code, out, _ = run("progress", near.node)
    assert code == 0
    for word in ("frontier", "finished", "expected coins", "luck", "speed", "workload", "Al"):
        assert word in out


def test_a_workload_is_set_when_the_command_ends(near: Served, run: Run) -> None:
    for size in ("700", "auto", "500"):
        assert run("workload", near.node, size) == (0, "", "")
        told = json.loads(run("progress", near.node, "--json")[1])
        assert str(told["workload"]) == size


@pytest.mark.parametrize("size", ["0", "-1", "1.5", "many", "", "9" * 30, "9" * 5000])
def test_a_bad_workload_is_said_to_be_one(near: Served, run: Run, size: str) -> None:
    refused(run("workload", near.node, "--", size), 2, "is no workload: give a number from 1 to")


def test_ping(near: Served, run: Run) -> None:
    code, out, _ = run("ping", near.node)
    assert code == 0
    assert out.startswith(f"pong from {near.node} in ")


def test_another_cookie(near: Served, run: Run) -> None:
    refused(
        run("worth", near.node, "--cookie", "another"), 4, "has another cookie: start both nodes with the same --cookie"
    )


def test_a_node_that_is_not_there(near: Served, run: Run) -> None:
    refused(run("worth", "nobody@127.0.0.1"), 3, "the epmd at 127.0.0.1 knows no node called nobody")


def test_a_short_name_against_a_long_one(near: Served, run: Run) -> None:
    refused(run("worth", near.node, "--sname", "me@localhost"), 4, "or --sname on both")


def test_two_names_at_once(near: Served, run: Run) -> None:
    refused(run("worth", near.node, "--sname", "a", "--name", "b@127.0.0.1"), 2, "a node has one name")


@pytest.mark.parametrize("node", ["server", "@", "a@", "a b@c", "server@192.168.0.13:9000/x"])
def test_what_is_no_node_name(near: Served, run: Run, node: str) -> None:
    refused(run("ping", node), 2, "is not a node name")


def test_a_host_that_is_not_known(near: Served, run: Run) -> None:
    refused(run("ping", "a@no-such-host.invalid"), 3, "no-such-host.invalid is not known here")


def test_a_name_that_is_taken(near: Served, run: Run) -> None:
    refused(run("ping", near.node, "--name", near.node), 4, "choose another name")


def test_an_epmd_that_does_not_answer(own_epmd: int, run: Run) -> None:
    # The second loopback address of Linux: our own epmd is on the first alone.
    refused(
        run("ping", "server@127.0.0.2", "--name", "me@127.0.0.1"), 3, f"no epmd answers at 127.0.0.2 port {own_epmd}"
    )


def test_a_node_without_a_server(own_epmd: int) -> None:
    async def scenario() -> None:
        cookie = fresh_cookie()
        async with Node(fresh_node(), cookie, epmd_port=own_epmd) as node:
            env = {"ERL_EPMD_PORT": str(own_epmd), "PYERLCOIN_COOKIE": cookie}
            for command in (["worth"], ["leaderboard"], ["workload", "5"]):
                answer = await run_pyerlcoin(command[0], node.name, *command[1:], env=env)
                code, _, err = answer
                assert code == 3
                assert f"no ElixirCoin.Server on {node.name} is running: start the server there" in err

    asyncio.run(scenario())


class Stubborn(GenServer):
    """A server of the game by another hand: what it does not know would crash it."""

    def __init__(self) -> None:
        self.requests: list[Term] = []
        self.casts: list[Term] = []

    def handle_call(self, request: Term, sender: Sender) -> object:
        self.requests.append(request)
        return (Atom("ok"), 3)

    def handle_cast(self, request: Term) -> None:
        self.casts.append(request)


def test_what_would_crash_another_server_is_not_asked_of_it(own_epmd: int) -> None:
    async def scenario() -> None:
        cookie, server = fresh_cookie(), Stubborn()
        async with Node(fresh_node(), cookie, epmd_port=own_epmd) as node:
            node.spawn(server, SERVER_NAME)
            env = {"ERL_EPMD_PORT": str(own_epmd), "PYERLCOIN_COOKIE": cookie}
            for command in (["progress", node.name], ["workload", node.name, "auto"]):
                code, _, err = await run_pyerlcoin(*command, env=env, timeout=60 * UNIT)
                assert code == 4
                assert "is not pyerlcoin's" in err
            assert server.requests == server.casts == []
            code, out, _ = await run_pyerlcoin("worth", node.name, env=env)
            assert (code, out) == (0, "3 coins")
            code, _, _ = await run_pyerlcoin("workload", node.name, "9", env=env)
            assert code == 0
            assert server.casts == [(Atom("workload"), 9)]
            code, _, err = await run_pyerlcoin("leaderboard", node.name, env=env)
            assert code == 4
            assert "is it a server of this game" in err

    asyncio.run(scenario())


async def test_a_workload_that_the_server_could_not_keep_is_said_to_be_none(own_epmd: int) -> None:
    cookie, events, disk = fresh_cookie(), Events(), FullDisk()
    disk.fill()
    cluster = NativeCluster(Node(fresh_node(), cookie, epmd_port=own_epmd))
    await cluster.start()
    try:
        await ServerRole(Ledger(b"S", workload=7), events, sink=disk).open(cluster)
        env = {"ERL_EPMD_PORT": str(own_epmd), "PYERLCOIN_COOKIE": cookie}
        code, out, err = await run_pyerlcoin("workload", cluster.node, "9", env=env, timeout=60 * UNIT)
        assert (code, out) == (4, "")
        assert "the workload is 7 after that" in err
        assert (await run_pyerlcoin("workload", cluster.node, "7", env=env, timeout=60 * UNIT))[0] == 0
    finally:
        await cluster.stop()
