"""The board over HTTP: the page, its events, its JSON, its metrics. Needs the extra `pyerlcoin[web]`.

Read-only: GET and HEAD, nothing else, and nothing that a request says changes the game. On loopback unless told
otherwise, since there is no password: whoever reaches the port may look.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import web

from pyerlcoin.coin.progress import Progress
from pyerlcoin.errors import WrongUsage
from pyerlcoin.web import assets
from pyerlcoin.web.board import Board, State
from pyerlcoin.web.door import PATIENCE, SPARE, STUCK, Door
from pyerlcoin.web.feed import CLIENTS, Feed, TooManyReaders
from pyerlcoin.web.hosts import host_allowed
from pyerlcoin.web.metrics import Metrics
from pyerlcoin.web.policies import POLICIES

__all__ = ["INTERVAL", "Site"]

log = logging.getLogger(__name__)

INTERVAL: Final = 1.0
"""Seconds between two states: what an eye can follow, and a hundred pages do not hurt."""

HISTORY_EVERY: Final = 5
"""Curves go out with every so-many-th state: they move by less than a pixel in between."""

_KEEPALIVE: Final = 15.0
"""Seconds of silence after which a sign of life goes out. Proxies give up at 30 to 60, the page itself at 40."""

_AT_ONCE: Final = 32
"""Connections that may wait to be accepted."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Serves one board from the running event loop.

    `progress` is asked once per `interval` seconds for the ledger's figures, `clock` for the time (the ledger's own
    seconds). `names` are host names, besides localhost and any address, under which the page may be opened.
    At most `clients` pages follow at a time; the next one is told to come back later. There are at most `SPARE` more
    connections than that, and one that asks for nothing is closed after `patience` seconds, one that takes nothing
    after `stuck`; a page comes back by itself when it can.
    """

    def __init__(
        self,
        board: Board,
        *,
        progress: Callable[[float], Progress],
        clock: Callable[[], float],
        host: str = "127.0.0.1",
        port: int = 0,
        names: Iterable[str] = (),
        interval: float = INTERVAL,
        clients: int = CLIENTS,
        patience: float = PATIENCE,
        stuck: float = STUCK,
    ) -> None:
        self._board = board
        self._progress = progress
        self._clock = clock
        self._host = host
        self._port = port
        self._names = frozenset(name.lower().removesuffix(".") for name in (*names, host))
        self._interval = interval
        self._feed = Feed(clients)
        self._most = clients + SPARE
        self._patience = patience
        self._stuck = stuck
        self._assets = assets.load()
        self._metrics = Metrics(self._state, lambda: len(self._feed))
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._answers: dict[str, tuple[float, bytes]] = {}

    @property
    def url(self) -> str:
        """Where the page is, once started. A wildcard address is told as loopback, which reaches it."""
        if self._listener is None:
            raise RuntimeError("the site is not started")
        host, port = self._listener.sockets[0].getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    @property
    def pages(self) -> int:
        """How many pages follow."""
        return len(self._feed)

    async def start(self) -> None:
        """Listens. Raises `WrongUsage` when it cannot."""
        runner = web.AppRunner(self.app(), handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        assert runner.server is not None
        door = Door(runner.server, most=self._most, patience=self._patience, stuck=self._stuck)
        try:
            # So many are accepted before the door sees the first of them.
            self._listener = await asyncio.get_running_loop().create_server(
                door, self._host, self._port, backlog=_AT_ONCE
            )
        except (OSError, UnicodeError) as error:
            # The latter is of a host that can be none: two dots in a row, or a label of more than 63 letters.
            await runner.cleanup()
            raise WrongUsage(
                f"the page cannot listen on {self._host}:{self._port} ({_reason(error)}): "
                "give --web another address or port"
            ) from error
        self._runner = runner
        self._ticker = asyncio.create_task(self._tick(), name="board")

    async def stop(self) -> None:
        """Every page is told goodbye and the port is free again. Idempotent."""
        ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticker
        self._feed.close()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def app(self) -> web.Application:
        """The routes, without a socket."""
        app = web.Application(middlewares=[self._guard])
        app.on_response_prepare.append(self._dress)
        app.router.add_get("/", self._page)
        app.router.add_get("/static/{name}", self._asset)
        app.router.add_get("/api/state", self._api)
        app.router.add_get("/api/events", self._events)
        app.router.add_get("/metrics", self._prometheus)
        app.router.add_get("/healthz", self._healthz)
        return app

    # What every request passes.

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not host_allowed(request.headers.get("Host"), self._names):
            # 421 Misdirected Request, RFC 9110 section 15.5.20
            return web.Response(status=421, text="This name is not mine. Open the board by its address.\n")
        return await handler(request)

    async def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(POLICIES)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.pop("Server", None)  # which versions run here is nobody's business

    # What is served.

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._file(request, self._assets["index.html"])

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.get(request.match_info["name"])
        if asset is None or asset.media_type == "text/html":
            raise web.HTTPNotFound
        return self._file(request, asset)

    def _file(self, request: web.Request, asset: assets.Asset) -> web.StreamResponse:
        headers = {"ETag": f'"{asset.etag}"', "Cache-Control": "no-cache"}
        if any(tag.value == asset.etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, content_type=asset.media_type, charset="utf-8", headers=headers)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        def make() -> bytes:
            return _json({**self._state(), "history": self._board.history(self._clock())})

        return web.Response(body=self._recent("state", make), content_type="application/json", charset="utf-8")

    async def _prometheus(self, request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=self._recent("metrics", self._metrics.exposition),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    def _recent(self, what: str, make: Callable[[], bytes]) -> bytes:
        """Asked however often, it is made once per interval: who asks in a loop takes nothing from the miners."""
        now = self._clock()
        at, answer = self._answers.get(what, (math.nan, b""))
        if not 0 <= now - at < self._interval:
            answer = make()
            self._answers[what] = now, answer
        return answer

    async def _healthz(self, request: web.Request) -> web.StreamResponse:
        alive = self._ticker is not None and not self._ticker.done()
        return web.Response(status=200 if alive else 503, text="ok\n" if alive else "the board stands still\n")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        try:
            reader = self._feed.subscribe()
        except TooManyReaders:
            return web.Response(status=503, headers={"Retry-After": "30"}, text="Too many pages follow the board.\n")
        with reader:
            if self._feed.stale:
                self._tell(self._clock(), history=True)
            await response.prepare(request)
            try:
                await response.write(b"retry: 2000\n\n")
                while True:
                    batch: bytes | None = b"event: alive\ndata: 0\n\n"
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_KEEPALIVE):
                            batch = await reader.fetch()
                    if batch is None:
                        break
                    async with asyncio.timeout(self._stuck):
                        await response.write(batch)
            except (ConnectionError, TimeoutError):
                if request.transport is not None:
                    request.transport.abort()
        return response

    # The pulse.

    def _state(self) -> State:
        now = self._clock()
        self._board.progress(self._progress(now))
        return self._board.state(now)

    async def _tick(self) -> None:
        count = 0
        while True:
            try:
                # The figures are kept fresh for the moment of freezing even if nobody watches.
                self._board.progress(self._progress(self._clock()))
                if len(self._feed):
                    self._tell(self._clock(), history=count % HISTORY_EVERY == 0)
                else:
                    self._feed.stale = True
                count += 1
            except Exception:  # watching must never break what is watched
                log.exception("the board could not be told")
            await asyncio.sleep(self._interval)

    def _tell(self, now: float, *, history: bool) -> None:
        self._feed.publish("state", _event("state", self._board.state(now)))
        if history:
            self._feed.publish("history", _event("history", self._board.history(now)))
        self._feed.stale = False


def _reason(error: OSError | UnicodeError) -> str:
    """What the system says, without what asyncio puts around it."""
    if isinstance(error, UnicodeError):
        return "no such host"
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else error.strerror or str(error)


def _json(value: State) -> bytes:
    # ASCII, so that no character of a name means anything to anything on the way.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _event(kind: str, value: State) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode("ascii"), _json(value))
