"""The answer to what is no request: not HTTP, or not of the one meaning that HTTP gives to each request."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from pyerlcoin.web.policies import POLICIES

__all__ = ["Refusal"]

_TEXT: Final = "This is no request.\n"

_LINES: Final = (
    "HTTP/1.1 400 Bad Request",
    "Content-Type: text/plain; charset=utf-8",
    f"Content-Length: {len(_TEXT)}",
    "Cache-Control: no-store",
    "Connection: close",
    *(f"{name}: {value}" for name, value in POLICIES.items()),
    "",
    _TEXT,
)

_BYTES: Final = "\r\n".join(_LINES).encode("ascii")


class Refusal(web.StreamResponse):
    """Ready made: no application sees such a request, and aiohttp would say which versions run here. Then it closes."""

    def __init__(self) -> None:
        super().__init__(status=400)
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends all of it."""
        if request.transport is not None:
            request.transport.write(_BYTES)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to send."""
