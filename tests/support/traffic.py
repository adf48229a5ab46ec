"""Calls both ways between a node of ours and a BEAM, numbered, so that none is lost or doubled unseen.

`traffic.exs` is the BEAM's half.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from pyerlcoin.beam import Atom, GenServer, Node, Reference, Sender, Term
from pyerlcoin.beam.errors import AlreadyConnected, NodeDown, Unreachable
from tests.support.beam import Beam
from tests.support.clock import UNIT, lapse

__all__ = ["Asker", "Echo", "Traffic", "start_there", "wrong_calls"]

_BEAM_HALF: Final = Path(__file__).with_suffix(".exs")
_PATIENCE: Final = 60 * UNIT


async def start_there(beam: Beam) -> None:
    """The server `traffic` on a BEAM that has none yet."""
    if await beam.eval("Process.whereis(:traffic)") == "nil":
        await beam.eval(_BEAM_HALF.read_text(encoding="utf-8") + "\nPyerlcoinTest.Traffic.start()")


class Echo(GenServer):
    """What the BEAM calls. Of each caller the numbers only grow: one that does not was heard twice."""

    def __init__(self) -> None:
        self.heard = 0
        self.twice = 0
        self._last: dict[Term, int] = {}

    def handle_call(self, request: Term, sender: Sender) -> object:
        if type(request) is not tuple:
            return Atom("ok")
        who, n, _ = request
        assert isinstance(n, int)
        self.heard += 1
        self.twice += n <= self._last.get(who, 0)
        self._last[who] = n
        return self._after_a_turn(request) if n % 7 == 0 else request

    async def _after_a_turn(self, request: Term) -> Term:
        await asyncio.sleep(0)
        return request


class Asker(GenServer):
    """Calls by hand, some in flight at once, with tags of its own: a second reply to one of them would be seen."""

    def __init__(self, target: tuple[str, str]) -> None:
        self._target = target
        self.n = 0
        self._waiting: dict[int, tuple[Reference, Term]] = {}
        self._monitors: dict[Reference, int] = {}
        self._failed: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.changed = asyncio.Event()

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def ask(self) -> None:
        self.n += 1
        request = ((self.process.node.name.encode(), b"asker"), self.n, b"y" * (self.n % 50))
        reference = self.process.monitor(self._target)
        self._waiting[self.n] = (reference, request)
        self._monitors[reference] = self.n
        self.process.send_nowait(self._target, (Atom("$gen_call"), (self.process.pid, self.n), request))

    def handle_info(self, message: Term) -> None:
        assert isinstance(message, tuple)
        tag, reply = message
        assert isinstance(tag, int)
        found = self._waiting.pop(tag, None)
        if found is None:
            # A late reply to a call that failed is in order, once; any other is one too many.
            self.counts["late" if tag in self._failed else "doubled"] += 1
            self._failed.discard(tag)
            return
        reference, request = found
        self.process.demonitor(reference)
        del self._monitors[reference]
        self.counts["answered" if reply == request else "wrong"] += 1
        self.changed.set()

    def handle_down(self, target: Term, reference: Reference, reason: Term) -> None:
        tag = self._monitors.pop(reference)
        del self._waiting[tag]
        self._failed.add(tag)
        self.counts["failed" if reason == Atom("noconnection") else f"ended with {reason!r}"] += 1
        self.changed.set()

    def forget(self) -> None:
        """What failed long ago."""
        self._failed.clear()


def wrong_calls(whose: str, counts: Counter[str], begun: int, heard: int, twice: int) -> list[str]:
    """What is wrong with the calls of one side, in a line each: every one must have ended once, and been heard once."""
    bad = {what: count for what, count in counts.items() if what not in ("answered", "failed", "late") and count}
    wrong = [f"{count} calls of {whose}: {what}" for what, count in bad.items()]
    ended = counts["answered"] + counts["failed"]
    if begun != ended:
        wrong.append(f"{begun} calls of {whose} began, {ended} ended")
    if twice:
        wrong.append(f"{twice} calls of {whose} were heard twice")
    if not counts["answered"] <= heard <= ended:
        wrong.append(f"of {whose}, {heard} calls were heard and {counts['answered']} answered")
    if not counts["answered"]:
        wrong.append(f"no call of {whose} was answered")
    return wrong


class Traffic:
    """Four callers on each side, and one of ours by hand, while `flowing` lasts."""

    CALLERS: Final = 4
    IN_FLIGHT: Final = 8

    def __init__(self, node: Node, beam: Beam) -> None:
        self.node = node
        self.beam = beam
        self.target = ("traffic", beam.node)
        self.echo = Echo()
        self.asker = Asker(self.target)
        self.ours: Counter[str] = Counter()
        self.theirs: Counter[str] = Counter()
        self._numbers = [0] * self.CALLERS
        self._their_numbers = [1] * self.CALLERS
        self._flows = False
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """The servers and callers on both sides; nobody calls yet."""
        await start_there(self.beam)
        self.node.spawn(self.echo, "traffic")
        self.node.spawn(self.asker)
        self._callers = [self.node.process() for _ in range(self.CALLERS)]

    @property
    def answered(self) -> int:
        """Of our calls."""
        return self.ours["answered"] + self.asker.counts["answered"]

    async def until_answered(self, more: int) -> None:
        """Returns once so many more calls of ours, and as many more heard here, were answered."""
        ours, theirs = self.answered + more, self.echo.heard + more
        async with asyncio.timeout(_PATIENCE):
            while self.answered < ours or self.echo.heard < theirs:
                self._changed.clear()
                await self._changed.wait()

    async def until_failed(self) -> None:
        """Returns once a call of ours has failed that had not."""
        before = self._failures
        async with asyncio.timeout(_PATIENCE):
            while self._failures == before:
                self._changed.clear()
                await self._changed.wait()

    @property
    def _failures(self) -> int:
        return self.ours["failed"] + self.asker.counts["failed"]

    @contextlib.asynccontextmanager
    async def flowing(self) -> AsyncIterator[Traffic]:
        """Calls both ways, until the end of the block; then each has ended."""
        self._flows = True
        name = f':"{self.node.name}"'
        theirs = asyncio.create_task(
            self.beam.eval(f"PyerlcoinTest.Traffic.talk({name}, {self._their_numbers}, 600_000)", 600 * UNIT)
        )
        async with asyncio.timeout(600 * UNIT), asyncio.TaskGroup() as group:
            for who in range(self.CALLERS):
                group.create_task(self._call(who))
            group.create_task(self._ask())
            try:
                yield self
            finally:
                self._flows = False
        await self.beam.eval(f"PyerlcoinTest.Traffic.stop({name})")
        for who, told in enumerate(json.loads(await theirs)):
            self._their_numbers[who] = told.pop(0)
            names = ("answered", "failed", "timed out", "wrong", "ended otherwise", "late", "doubled")
            self.theirs.update(dict(zip(names, told, strict=True)))

    async def _call(self, who: int) -> None:
        while self._flows:
            self._numbers[who] += 1
            n = self._numbers[who]
            request = ((self.node.name.encode(), who), n, b"x" * (100 * (n % 13)))
            try:
                reply = await self._callers[who].call(self.target, request, _PATIENCE)
            except (NodeDown, Unreachable, AlreadyConnected):
                self.ours["failed"] += 1
            else:
                self.ours["answered" if reply == request else "wrong"] += 1
            self._changed.set()
            await lapse(0.01)

    async def _ask(self) -> None:
        asker = self.asker
        while self._flows or asker.in_flight:
            while self._flows and asker.in_flight < self.IN_FLIGHT:
                asker.ask()
            await lapse(0.02)

    async def wrong(self) -> list[str]:
        """What `wrong_calls` finds, after `flowing`."""
        counts = self.ours + self.asker.counts
        heard, twice = json.loads(await self.beam.eval(f'PyerlcoinTest.Traffic.counts("{self.node.name}")'))
        theirs = sum(self._their_numbers) - self.CALLERS
        return [
            *wrong_calls("ours", counts, sum(self._numbers) + self.asker.n, heard, twice),
            *wrong_calls("the BEAM's", self.theirs, theirs, self.echo.heard, self.echo.twice),
        ]
