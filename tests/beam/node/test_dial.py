from __future__ import annotations

import asyncio
from functools import partial

from pyerlcoin.beam.errors import BeamError, NodeNotFound, TooMuchAtOnce
from pyerlcoin.beam.node.limits import NodeLimits
from pyerlcoin.beam.node.route import Route
from tests.support.clock import UNIT
from tests.support.nodes import Cluster


async def test_what_waits_for_a_connection_is_capped() -> None:
    used: list[Route] = []
    failed: asyncio.Queue[tuple[int, BeamError]] = asyncio.Queue()

    def told(number: int, error: BeamError) -> None:
        failed.put_nowait((number, error))

    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(waiting=2))
        for number in range(4):
            node.via("nobody@127.0.0.1", used.append, partial(told, number))
        async with asyncio.timeout(20 * UNIT):
            order = [(number, type(error)) for number, error in [await failed.get() for _ in range(4)]]
    # Those for whom there was no room do not wait for the dial to end.
    assert order == [(2, TooMuchAtOnce), (3, TooMuchAtOnce), (0, NodeNotFound), (1, NodeNotFound)]
    assert used == []
