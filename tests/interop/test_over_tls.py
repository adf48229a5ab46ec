"""The game over TLS: `pyerlcoin` and Elixir with `-proto_dist inet_tls`, each as the server of the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from tests.support.beam import Folder, Release
from tests.support.certificates import Authority, Identity, inet_tls, options
from tests.support.clock import UNIT
from tests.support.game import Table, coins_in

pytestmark = pytest.mark.beam

HERE = ("IP:127.0.0.1", "DNS:127.0.0.1")
"""OTP 25 looks for an address among the names, later ones among the addresses."""

COIN = r"^Miner 'Alice' has found a coin: (\d+)$"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Identity:
    return authority.sign("python", *HERE)


@pytest.fixture(scope="module")
def stranger(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Of an authority that nobody trusts; it trusts the others', so that one side alone refuses."""
    signed = Authority(tmp_path_factory.mktemp("strange"), "strange").sign("stranger", *HERE)
    return dataclasses.replace(signed, authority=authority.certificate)


@pytest.fixture
def folder(beam_release: Release) -> Iterator[Folder]:
    with beam_release.folder() as made:
        yield made


@pytest.fixture
def flags(authority: Authority, folder: Folder) -> list[str]:
    """What an Elixir node of the cluster is started with."""
    return inet_tls(folder, authority.sign("elixir", *HERE))


async def test_an_elixir_worker_on_our_server(table: Table, ours: Identity, flags: list[str]) -> None:
    async with (
        table.serve("--workload", "100", *options(ours)) as game,
        table.elixir_worker("Ada", game.node, flags=flags) as worker,
    ):
        await worker.wait_line("Ada mines", timeout=60 * UNIT)
        await game.coins_of("Ada", 20)
        assert set(game.coins) <= set(coins_in(1, max(game.coins)))
        # Ours mines beside it, and our questions are answered.
        async with table.mine(game.node, "Dot", *options(ours)) as miner:
            await game.coins_of("Dot", 5)
            miner.interrupt()
            assert await miner.wait() == 130
        board = await table.ask("leaderboard", game.node, *options(ours))
        assert isinstance(board, dict)
        assert {row["name"] for row in board["miners"]} == {"Ada", "Dot"}
        assert game.child.err == []


async def test_our_miner_on_an_elixir_server(table: Table, ours: Identity, flags: list[str]) -> None:
    async with table.elixir_server(workload=100, flags=flags) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        async with table.mine(server.node, "Alice", *options(ours)) as miner:
            await server.wait_line(COIN, count=20, timeout=120 * UNIT)
            miner.interrupt()
            assert await miner.wait() == 130
            assert miner.err == []
        found = [int(match[1]) for match in server.matches(COIN)]
        assert len(set(found)) == len(found)
        assert set(found) <= set(coins_in(0, max(found)))
        code, out, _ = await table.run("doctor", server.node, *options(ours))
        assert code == 0
        assert "both sides accept the other's certificate" in out


async def test_a_plain_node_is_refused_by_our_server(table: Table, ours: Identity) -> None:
    async with table.serve(*options(ours)) as game:
        assert await table.beam.eval(f'Node.ping(:"{game.node}")', timeout=60 * UNIT) == ":pang"
        await game.child.wait_line(
            r"^\S+ ! refused a connection from 127\.0\.0\.1:\d+: no TLS with 127\.0\.0\.1:\d+: it does not speak TLS: "
            "start both nodes with TLS, or both without$",
            stream="err",
        )
        # And it refused nothing else.
        assert (await table.run("worth", game.node, *options(ours)))[:2] == (0, "0 coins")


async def test_a_plain_command_is_refused_by_an_elixir_server(table: Table, flags: list[str]) -> None:
    async with table.elixir_server(flags=flags) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        code, _, err = await table.run("mine", server.node, "--as", "Alice")
        assert code == 3
        assert err.endswith("does one side use TLS and the other not?")
        code, _, err = await table.run("doctor", server.node)
        assert code == 3


async def test_a_stranger_is_refused_by_either_server(
    table: Table, ours: Identity, stranger: Identity, flags: list[str]
) -> None:
    async with table.elixir_server(flags=flags) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        code, _, err = await table.run("mine", server.node, "--as", "Alice", *options(stranger))
        assert code == 4
        assert "this node's certificate" in err
    with table.release.folder() as strange:
        async with (
            table.serve(*options(ours)) as game,
            table.elixir_worker("Eve", game.node, flags=inet_tls(strange, stranger)) as worker,
        ):
            await game.child.wait_line(
                r"^\S+ ! refused a connection from .*: its certificate is not accepted here \(.*\): is it signed by an "
                "authority that is trusted here",
                stream="err",
                timeout=60 * UNIT,
            )
            assert await worker.wait(60 * UNIT) != 0
            assert game.coins == []


async def test_a_server_of_another_host_is_refused(table: Table, authority: Authority, ours: Identity) -> None:
    elsewhere = authority.sign("elsewhere", "IP:192.0.2.1", "DNS:example.org")
    with table.release.folder() as folder:
        async with table.elixir_server(flags=inet_tls(folder, elsewhere)) as server:
            await server.wait_line("hands out integers", timeout=60 * UNIT)
            code, _, err = await table.run("mine", server.node, "--as", "Alice", *options(ours))
            assert code == 4
            assert "its certificate is not for the host part of its name" in err
