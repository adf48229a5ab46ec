"""A way to a port that can be cut, slowed, split and more: what a bad cable does, on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Literal, Self, TypeAlias

from tests.support.clock import lapse

__all__ = ["Direction", "Proxy"]

Direction: TypeAlias = Literal["there", "back"]
"""`there` is from whoever connected to the port, `back` the other way."""

_PIECE = 65536


class Proxy:
    """Listens on a port of loopback and leads every connection to `port` of loopback.

    What is set holds for all connections from the next bytes on:

    delay: seconds that each piece waits.
    piece: bytes that are passed on at once; 1 splits everything into single bytes.
    swallow: what comes is read and passed on to nobody.
    cut_after: connections are cut as soon as so many bytes have passed, both ways together; the last piece ends there.
    closed: whoever connects is cut off at once.
    """

    def __init__(self, port: int = 0) -> None:
        self.to = port
        self.delay = 0.0
        self.piece = _PIECE
        self.swallow = False
        self.cut_after: int | None = None
        self.closed = False
        self.passed: dict[Direction, int] = {"there": 0, "back": 0}
        """Bytes so far, of all connections."""
        self.words = {"there": 0, "back": 0}
        """Those of them that are not 0: a tick is four zeros."""
        self.opened = 0
        """Connections so far."""
        self._ways: set[asyncio.Task[None]] = set()
        self._ends: dict[asyncio.Task[None], dict[Direction, asyncio.StreamWriter]] = {}
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        ways = list(self._ways)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    @property
    def ways(self) -> int:
        """How many connections there are."""
        return len(self._ways)

    def cut(self, chance: random.Random) -> bool:
        """Cut one connection, whichever; both ends see it at once, in the middle of whatever they say."""
        if not self._ways:
            return False
        chance.choice(list(self._ways)).cancel()
        return True

    def cut_all(self) -> int:
        """Cut every connection; how many there were."""
        for way in self._ways:
            way.cancel()
        return len(self._ways)

    def half_close(self, direction: Direction) -> None:
        """Say at that end of every connection that nothing more comes; the other direction stays as it is."""
        for ends in self._ends.values():
            ends[direction].write_eof()

    async def until_ways(self, count: int) -> None:
        """Returns once there are so many connections; the caller sets the deadline."""
        while len(self._ends) != count:
            self._changed.clear()
            await self._changed.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.closed:
            writer.transport.abort()
            return
        self.opened += 1
        self._ways.add(task)
        others: list[asyncio.StreamWriter] = [writer]
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
            others.append(back)
            self._ends[task] = {"there": back, "back": writer}
            self._changed.set()
            pumps = [
                asyncio.create_task(self._pump("there", reader, back)),
                asyncio.create_task(self._pump("back", there, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # nobody is there, or it was cut
        finally:
            self._ways.discard(task)
            self._ends.pop(task, None)
            self._changed.set()
            for each in others:
                each.transport.abort()

    async def _pump(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE):
                if self.swallow:
                    continue
                for at in range(0, len(data), self.piece):
                    if not await self._pass(direction, data[at : at + self.piece], writer):
                        return

    async def _pass(self, direction: Direction, data: bytes, writer: asyncio.StreamWriter) -> bool:
        """Pass a piece on. False where the cut comes: what was written before it arrives, in most cases."""
        if self.delay:
            await lapse(self.delay)
        if self.cut_after is not None:
            data = data[: max(self.cut_after - sum(self.passed.values()), 0)]
        self.passed[direction] += len(data)
        self.words[direction] += len(data) - data.count(0)
        writer.write(data)
        await writer.drain()
        if self.piece < _PIECE:
            await asyncio.sleep(0)
        return self.cut_after is None or sum(self.passed.values()) < self.cut_after
