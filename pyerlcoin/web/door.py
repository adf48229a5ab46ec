"""Who comes to the board's port: so many at a time, none who asks or takes nothing, and none who speaks no HTTP.

A connection takes a descriptor of the process that also carries the game. Neither a page nor a stranger may take the
last one, or no miner could come in. But a browser leaves six connections idle once it has loaded a page, so a room of
them has to make way for the next.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import web

from pyerlcoin.web.refusal import Refusal

__all__ = ["PATIENCE", "SPARE", "STUCK", "Door", "Visit"]

SPARE: Final = 64
"""Connections beyond the pages that follow: a browser takes up to six while it loads one."""

PATIENCE: Final = 10.0
"""Seconds for a whole request, and between an answer and the next request."""

STUCK: Final = 30.0
"""Seconds that an answer may take to go out, or one write to a page that follows."""


class Door:
    """Makes the protocols of `server`, for `most` connections at a time.

    For one more, that which has been idle for the longest time is closed; if all are asking or follow, the new one is.
    One that has not asked for anything within `patience` seconds, or not again, is closed as well, and so is one that
    does not take its answer within `stuck` seconds.
    """

    def __init__(self, server: web.Server, *, most: int, patience: float = PATIENCE, stuck: float = STUCK) -> None:
        self.patience = patience
        self.stuck = stuck
        self.inside: set[Visit] = set()
        self._server = server
        self._most = most

    def __call__(self) -> Visit:
        return Visit(self, self._server)

    def make_room(self) -> bool:
        """For one more. False if that cannot be, as nobody inside is idle."""
        if len(self.inside) < self._most:
            return True
        idle = [visit for visit in self.inside if visit.idle_since is not None]
        if not idle:
            return False
        oldest = min(idle, key=lambda visit: visit.idle_since or 0.0)
        self.inside.discard(oldest)
        oldest.force_close()
        return True


class Visit(web.RequestHandler):
    """One connection.

    Attributes:
        idle_since: by the loop's clock, since when it has not asked for anything; None while it does, or follows.
    """

    __slots__ = ("_door", "_let_in", "idle_since")

    def __init__(self, door: Door, server: web.Server) -> None:
        loop = asyncio.get_running_loop()
        no_log: Any = None  # which it takes, and does not say so
        super().__init__(
            server, loop=loop, keepalive_timeout=door.patience, lingering_time=door.patience, access_log=no_log
        )
        self._door = door
        self._let_in = False
        self.idle_since: float | None = loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._door.make_room():
            # No isinstance: uvloop's transports are of no class of asyncio's.
            cast(asyncio.Transport, transport).abort()
            return
        self._let_in = True
        self._door.inside.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._door.inside.discard(self)
        if self._let_in:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.idle_since = None
        super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the answer; from then on it is idle."""
        try:
            async with asyncio.timeout(self._door.stuck):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self.force_close()
            return resp, True
        finally:
            self.idle_since = asyncio.get_running_loop().time()

    def force_close(self) -> None:
        """Close it at once: what it has not taken yet would hold the connection open for as long as it likes."""
        transport = self.transport
        super().force_close()
        if transport is not None:
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a request that went wrong. What a stranger did wrong is not worth a line of the log."""
        if status == HTTPStatus.BAD_REQUEST:
            return Refusal()
        return super().handle_error(request, status, exc, message)
