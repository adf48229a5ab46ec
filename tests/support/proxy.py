"""A way to a port that can be cut: what a bad cable does, on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Self

__all__ = ["Proxy"]


class Proxy:
    """Listens on a port of loopback and leads every connection to `port` of loopback."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._ways: set[asyncio.Task[None]] = set()
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

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._ways.add(task)
        others: list[asyncio.StreamWriter] = [writer]
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            others.append(back)
            pumps = [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))]
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
            for each in others:
                each.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
