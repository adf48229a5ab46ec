"""A board that is served, and raw looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyerlcoin.web.door import PATIENCE, STUCK
from pyerlcoin.web.site import Site
from tests.support.clock import UNIT
from tests.support.evening import Evening

__all__ = ["HOSTILE", "connected", "end_of", "served"]

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\u202egnitfihs\u2066 direction",
    "W" * 64,
    "﷽" * 32,
    "👩‍👩‍👧‍👦" * 8,
    "Z\u0351\u036b\u0343" * 16,
    "line\nbreak\r\n\r\ndata: x\x00\x1b[31m",
    "\u200b\u2060\u00a0",
    "'; DROP TABLE miners; --",
    '{{7*7}}"\\',
    "javascript:alert(1)",
)
"""Names as an evening brings them."""


@asynccontextmanager
async def served(
    evening: Evening,
    *,
    interval: float = 0.05,
    clients: int = 256,
    port: int = 0,
    patience: float = PATIENCE,
    stuck: float = STUCK,
) -> AsyncIterator[Site]:
    """The evening's board on a free port of loopback."""
    site = Site(
        evening.board,
        progress=evening.ledger.progress,
        clock=lambda: evening.now,
        names=("board.example",),
        interval=interval,
        clients=clients,
        port=port,
        patience=patience,
        stuck=stuck,
    )
    await site.start()
    try:
        yield site
    finally:
        await site.stop()


@asynccontextmanager
async def connected(site: Site, said: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    """What the board says to somebody who says that much and no more."""
    host, port = site.url.removeprefix("http://").rstrip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(said)
        yield reader
    finally:
        writer.close()


async def end_of(reader: asyncio.StreamReader) -> bytes:
    """All that is said until the board closes."""
    async with asyncio.timeout(20 * UNIT):
        try:
            return await reader.read()
        except ConnectionError:
            return b""
