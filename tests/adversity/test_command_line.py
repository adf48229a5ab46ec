"""`mine`, `serve` and the commands that ask, while connections are cut and port mappers go: what each ends in."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from pyerlcoin.beam import NodeName
from pyerlcoin.beam.errors import BeamError
from pyerlcoin.beam.node.epmd_client import find_port, register
from pyerlcoin.beam.node.epmd_server import EpmdServer
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.clock import UNIT, eventually
from tests.support.game import SECRET, Table
from tests.support.ports import free_port, fresh_cookie, fresh_node
from tests.support.process import Child, pyerlcoin, run_pyerlcoin
from tests.support.proxy import Proxy

ACCEPTED = r"coin (\d+) accepted, "
GONE = "the server is gone: "

PATIENCE = 120 * UNIT
"""For what an event tells: it only keeps a hang from lasting for ever."""


def serve(node: str, env: dict[str, str], *options: str) -> Child:
    """`pyerlcoin serve`, with a coin in every 256 integers."""
    play = ("--secret", SECRET, "--zeros", "2", "--workload", "200", "--ledger", ":memory:")
    return pyerlcoin("serve", "--name", node, *play, *options, env=env)


def mine(server: str, env: dict[str, str], *options: str) -> Child:
    """`pyerlcoin mine` on one core."""
    how = ("--zeros", "2", "--engine", "python", "--workers", "1", "--name", fresh_node("miner"))
    return pyerlcoin("mine", server, "--as", "Alice", *how, *options, env=env)


@contextlib.asynccontextmanager
async def cable(server: str, epmd_port: int) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy to a node, and the port of a port mapper that leads to the proxy."""
    name = NodeName.parse(server)
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(await find_port(name, "127.0.0.1", epmd_port)))
        mapper = EpmdServer(0)
        await mapper.start(())
        stack.push_async_callback(mapper.stop)
        entry = await register(name, proxy.port, hidden=True, epmd_port=mapper.port, on_lost=lambda: None)
        stack.push_async_callback(entry.close)
        yield proxy, mapper.port


@contextlib.asynccontextmanager
async def cabled() -> AsyncIterator[tuple[Child, str, Proxy, dict[str, str]]]:
    """A server of ours; its node, the way to it, and the environment of who goes that way."""
    node, cookie, epmd_port = fresh_node("server"), fresh_cookie(), free_port()
    async with serve(node, {"ERL_EPMD_PORT": str(epmd_port), "PYERLCOIN_COOKIE": cookie}) as server:
        await server.wait_line("serving ElixirCoin.Server", timeout=PATIENCE)
        async with cable(node, epmd_port) as (proxy, mapper_port):
            yield server, node, proxy, {"ERL_EPMD_PORT": str(mapper_port), "PYERLCOIN_COOKIE": cookie}


def coins(child: Child, pattern: str) -> Counter[str]:
    """How often each coin is in such a line."""
    return Counter(match[1] for match in child.matches(pattern))


def one_sentence(err: str) -> None:
    """It says what is wrong, once."""
    assert err.startswith("pyerlcoin: ")
    assert "\n" not in err.strip()
    assert "Traceback" not in err


async def cut_and_go_on(miner: Child, proxy: Proxy, times: int) -> None:
    """Each time the miner says that the server is gone, and later that a coin was accepted."""
    await miner.wait_line(ACCEPTED, timeout=PATIENCE)
    for cut in range(times):
        gone = asyncio.create_task(miner.wait_line(GONE, count=cut + 1))
        assert proxy.cut_all() == 1
        await gone
        await miner.wait_next_line("joined again|going on with the units in hand", timeout=PATIENCE)
        await miner.wait_next_line(ACCEPTED, timeout=PATIENCE)


async def test_mine_on_our_server_under_cuts() -> None:
    """It joins again, every time, and no coin is lost or counted twice; Ctrl-C is 130."""
    async with cabled() as (server, node, proxy, env), mine(node, env) as miner:
        await cut_and_go_on(miner, proxy, 2)
        miner.interrupt()
        assert await miner.wait(PATIENCE) == 130
        told, counted = coins(miner, ACCEPTED), coins(server, r"coin (\d+) of 'Alice'")
        assert set(counted.values()) == {1}
        # The server may have counted one whose reply was cut off, and said so when it was told it again.
        assert set(told) <= set(counted)
        assert miner.err == []


@pytest.mark.long
@pytest.mark.beam
async def test_mine_on_elixirs_server_under_cuts(beam_release: Release, epmd: RealEpmd, beam: Beam) -> None:
    async with Table(beam_release, epmd.port, beam).elixir_server(200) as server:
        await server.wait_line("hands out integers", timeout=PATIENCE)
        async with cable(server.node, epmd.port) as (proxy, mapper_port):
            env = {"ERL_EPMD_PORT": str(mapper_port), "PYERLCOIN_COOKIE": beam.cookie}
            async with mine(server.node, env) as miner:
                await cut_and_go_on(miner, proxy, 2)
                miner.interrupt()
                assert await miner.wait(PATIENCE) == 130


@pytest.mark.long
async def test_mine_gives_up_when_told_to() -> None:
    async with cabled() as (_, node, proxy, env), mine(node, env, "--max-retries", "1") as miner:
        await miner.wait_line(ACCEPTED, timeout=PATIENCE)
        proxy.closed = True
        proxy.cut_all()
        assert await miner.wait(PATIENCE) == 5
        err = "\n".join(miner.err)
        one_sentence(err)
        assert "gave up after 1 retry: " in err


@pytest.mark.long
async def test_asking_over_a_cut_handshake_is_one_sentence_and_3() -> None:
    """Or 4, where the cut comes as the cookie is proved: a node with another one closes there, without a word."""
    codes = []
    async with cabled() as (_, node, proxy, env):
        for offset in (0, 40, 120):
            proxy.cut_after = sum(proxy.passed.values()) + offset
            code, out, err = await run_pyerlcoin("leaderboard", node, env=env)
            assert out == ""
            one_sentence(err)
            assert ("cookie" in err) is (code == 4)
            codes.append(code)
        assert codes == [3, 3, 4]
        proxy.cut_after = None
        assert await run_pyerlcoin("worth", node, env=env) == (0, "0 coins", "")


@pytest.mark.long
async def test_asking_a_node_that_swallows_is_one_sentence_and_3() -> None:
    async with cabled() as (_, node, proxy, env):
        proxy.swallow = True
        code, out, err = await run_pyerlcoin("ping", node, env=env)
        assert (code, out) == (3, ""), err
        one_sentence(err)


async def test_the_port_mapper_is_killed_under_a_server_and_its_miner() -> None:
    """Neither notices in its work; the server takes over, and whoever comes new finds it."""
    node, cookie = fresh_node("server"), fresh_cookie()
    with RealEpmd() as epmd:
        env = {"ERL_EPMD_PORT": str(epmd.port), "PYERLCOIN_COOKIE": cookie}
        async with serve(node, env) as server:
            await server.wait_line("serving ElixirCoin.Server", timeout=PATIENCE)
            async with mine(node, env) as miner:
                await miner.wait_line(ACCEPTED, timeout=PATIENCE)
                epmd.close()
                await miner.wait_next_line(ACCEPTED, timeout=PATIENCE)
                await found_at(epmd.port, node)
                code, _, err = await run_pyerlcoin("ping", node, env=env)
                assert code == 0, err
                await miner.wait_next_line(ACCEPTED, timeout=PATIENCE)
                assert miner.matches(GONE) == []
                miner.interrupt()
                assert await miner.wait(PATIENCE) == 130
            server.interrupt()
            assert await server.wait(PATIENCE) == 130
            assert re.search("Traceback", "\n".join([*server.err, *miner.err])) is None


async def found_at(epmd_port: int, node: str) -> None:
    """Returns once a port mapper there knows that node."""

    async def found() -> bool:
        with contextlib.suppress(BeamError):
            await find_port(NodeName.parse(node), "127.0.0.1", epmd_port)
            return True
        return False

    await eventually(found, PATIENCE)
