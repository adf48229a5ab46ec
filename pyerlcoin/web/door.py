"""Who comes to the board's port: so many at a time, none who asks for nothing, and none who speaks no HTTP.

A connection takes a descriptor of the process that also carries the game. Neither a page nor a stranger may take the
last one, or no miner could come in.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import web

from pyerlcoin.web.refusal import Refusal

__all__ = ["PATIENCE", "SPARE", "Door", "Visit"]

SPARE: Final = 64
"""Connections beyond the pages that follow: a browser takes up to six while it loads one."""

PATIENCE: Final = 10.0
"""Seconds for a whole request, and between an answer and the next request."""


class Door:
    """Makes the protocols of `server`, for `most` connections at a time; one more is closed as soon as it is open.

    One that has not asked for anything within `patience` seconds, or not again, is closed as well.
    """

    def __init__(self, server: web.Server, *, most: int, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.inside: set[Visit] = set()
        self._server = server
        self._most = most

    def __call__(self) -> Visit:
        return Visit(self, self._server)

    @property
    def full(self) -> bool:
        """Whether one more is too many."""
        return len(self.inside) >= self._most


class Visit(web.RequestHandler):
    """One connection."""

    __slots__ = ("_door",)

    def __init__(self, door: Door, server: web.Server) -> None:
        loop = asyncio.get_running_loop()
        no_log: Any = None  # which it takes, and does not say so
        super().__init__(
            server, loop=loop, keepalive_timeout=door.patience, lingering_time=door.patience, access_log=no_log
        )
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._door.full:
            # No isinstance: uvloop's transports are of no class of asyncio's.
            cast(asyncio.Transport, transport).abort()
            return
        self._door.inside.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self in self._door.inside:
            self._door.inside.discard(self)
            super().connection_lost(exc)

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
