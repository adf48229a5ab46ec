"""What a node of ours and a BEAM have at a quiet moment, held against what they had at another."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from pyerlcoin.beam import Node
from tests.support.beam import Beam
from tests.support.between import Between
from tests.support.clock import eventually
from tests.support.nodes import until
from tests.support.traffic import Traffic

__all__ = ["Meeting", "meeting", "nothing_left", "sockets"]


_COUNTS_OF_THE_BEAM = ("the BEAM's processes", "the BEAM's ports", "the BEAM's names")


def _changed(before: dict[str, object], after: dict[str, object]) -> dict[str, tuple[object, object]]:
    """What is not as it was, and how it was and is. A BEAM may have fewer: some processes of its start end late."""
    there = {what: (before[what], after[what]) for what in before if before[what] != after[what]}
    for what in _COUNTS_OF_THE_BEAM:
        match there.get(what):
            case (int(was), int(is_)) if is_ < was:
                del there[what]
    return there


def sockets() -> int:
    """How many sockets this process has open."""
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the listing itself
            count += os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    return count


async def _look(node: Node, beam: Beam | None) -> dict[str, object]:
    there: dict[str, object] = {}
    if beam is not None:
        code = """
        traffic = Process.whereis(:traffic)
        watched = if traffic, do: Process.info(traffic, [:monitored_by, :message_queue_len])
        {length(Process.list()), length(Port.list()), length(Process.registered()), watched}
        """
        shown = await beam.eval(code)
        *counts, watched = shown[1:-1].split(", ", len(_COUNTS_OF_THE_BEAM))
        there = dict(zip(_COUNTS_OF_THE_BEAM, map(int, counts), strict=True))
        there["who watches on the BEAM"] = watched
    return {
        **there,
        **asdict(node.tables()),
        "registered names": sorted(process.label for process in node.registry),
        "tasks": len(asyncio.all_tasks()),
        "sockets": sockets(),
    }


@contextlib.asynccontextmanager
async def nothing_left(node: Node, beam: Beam | None = None) -> AsyncIterator[None]:
    """What the node, the BEAM and this process had before the block they have after it, or soon after it, no more.

    Nobody monitors the node's processes at the beginning, and both must be connected at the end if they were then.
    Tasks, sockets, connections, dials, handshakes, processes, registered names, monitors, links, pending calls and
    messages are counted.
    """
    # The DEMONITOR of a ping just made may be on its way.
    await until(lambda: node.tables().monitors_on_us == 0)
    before = await _look(node, beam)
    yield
    after = before

    async def as_before() -> bool:
        nonlocal after
        after = await _look(node, beam)
        return not _changed(before, after)

    with contextlib.suppress(TimeoutError):
        await eventually(as_before)
    changed = _changed(before, after)
    assert not changed, changed


class Meeting:
    """A BEAM and a node of ours, with proxies between, and traffic to run."""

    def __init__(self, between: Between, traffic: Traffic) -> None:
        self.between = between
        self.node = between.node
        self.beam = between.beam
        self.log = between.log
        self.traffic = traffic

    async def connect_from_there(self) -> bool:
        """Whether the BEAM's `Node.connect` to us succeeded."""
        return await self.beam.eval(f'Node.connect(:"{self.node.name}")') == "true"

    async def until_apart(self) -> None:
        """Returns once neither end has a connection to the other."""

        async def apart() -> bool:
            there = await self.beam.eval("Node.list(:hidden)")
            return f'"{self.node.name}"' not in there and not self.node.nodes()

        await eventually(apart)


@contextlib.asynccontextmanager
async def meeting(beam: Beam, **options: Any) -> AsyncIterator[Meeting]:
    """The documented end of every adversity: connected again, every call ended once, nothing left behind.

    options: of `Between`.
    """
    async with Between(beam, **options) as between:
        traffic = Traffic(between.node, beam)
        await traffic.start()
        here = Meeting(between, traffic)
        # The BEAM starts some of its own processes when it first looks for somebody.
        assert await here.connect_from_there()
        await here.node.ping(beam.node)
        async with nothing_left(here.node, beam):
            yield here
            assert await here.node.ping(beam.node) >= 0
            assert await beam.eval(f'Node.ping(:"{here.node.name}")') == ":pong"
        if traffic.answered:
            wrong = await traffic.wrong()
            assert not wrong, wrong
