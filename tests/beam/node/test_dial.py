from __future__ import annotations

import asyncio
from functools import partial

from pyerlcoin.beam.node.limits import NodeLimits
from pyerlcoin.beam.node.route import Route
from tests.support.clock import UNIT
from tests.support.nodes import Cluster


async def test_what_waits_for_a_connection_is_capped() -> None:
    used: list[Route] = []
    failed: asyncio.Queue[int] = asyncio.Queue()
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(waiting=2))
        for number in range(4):
            node.via("nobody@127.0.0.1", used.append, partial(failed.put_nowait, number))
        async with asyncio.timeout(20 * UNIT):
            order = [await failed.get() for _ in range(4)]
    # Those for whom there was no room do not wait for the dial to end.
    assert (order, used) == ([2, 3, 0, 1], [])
