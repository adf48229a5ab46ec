"""A BEAM and a node of ours that dial each other in the same moment, round after round."""

from __future__ import annotations

import asyncio

import pytest

from pyerlcoin.beam.node.events import NodeUp
from tests.support.beam import Beam
from tests.support.leaks import Meeting, meeting
from tests.support.ports import fresh_node

pytestmark = pytest.mark.beam


async def part(here: Meeting, round_: int) -> None:
    """Either end disconnects, by turns; both know."""
    if round_ % 2:
        assert here.node.disconnect(here.beam.node)
    else:
        await here.beam.eval(f'Node.disconnect(:"{here.node.name}")')
    await here.until_apart()


@pytest.mark.parametrize("prefix", ["aa", "zz"], ids=["we have the lesser name", "we have the greater name"])
async def test_one_connection_is_left_of_two(beam: Beam, prefix: str) -> None:
    """Fifty rounds, and more where the attempts cross too rarely to show anything, as on a machine that is busy.

    The delay makes them cross; whichever wins, both ends use the same one.
    """
    async with meeting(beam, name=fresh_node(prefix)) as here:
        crossed = 0
        for round_ in range(500):
            if round_ >= 50 and crossed > 5:
                break
            await part(here, round_)
            here.between.set(delay=0.0005 * (round_ % 5))
            opened = [proxy.opened for proxy in here.between.proxies]
            theirs, _ = await asyncio.gather(here.connect_from_there(), here.node.connect(beam.node))
            assert theirs
            assert here.node.tables().connections == 1
            crossed += all(proxy.opened > before for proxy, before in zip(here.between.proxies, opened, strict=True))
            # It works both ways, and is not given up for the other one afterwards.
            ups = len(here.log.of(NodeUp))
            assert await beam.eval(f'GenServer.call({{:traffic, :"{here.node.name}"}}, :hello)') == ":ok"
            await here.node.ping(beam.node)
            assert len(here.log.of(NodeUp)) == ups
            assert f'"{here.node.name}"' in await beam.eval("Node.list(:hidden)")
        assert crossed > 5, "the attempts hardly ever crossed: this shows nothing"
        here.between.set(delay=0.0)


@pytest.mark.parametrize("prefix", ["aa", "zz"], ids=["we have the lesser name", "we have the greater name"])
async def test_both_call_at_once_and_every_call_is_answered(beam: Beam, prefix: str) -> None:
    """The first call of each side opens the connection: none may be lost with the attempt that loses."""
    async with meeting(beam, name=fresh_node(prefix)) as here:
        to_us = f'{{:traffic, :"{here.node.name}"}}'
        for round_ in range(25):
            await part(here, round_)
            theirs, *ours = await asyncio.gather(
                beam.eval(f"for n <- 1..5, do: Task.async(fn -> GenServer.call({to_us}, n) end) |> Task.await()"),
                *(here.node.call(here.traffic.target, ((b"both", n), round_ + 1, n)) for n in range(5)),
            )
            assert theirs == "[:ok, :ok, :ok, :ok, :ok]"
            assert ours == [((b"both", n), round_ + 1, n) for n in range(5)]
