"""The board on the web: what `serve --web` means, and its life beside the server's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from pyerlcoin.cli.descriptors import raise_limit
from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.coin.past import Past
from pyerlcoin.errors import WrongUsage
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.timing import Timing
from pyerlcoin.store.earnings import earnings
from pyerlcoin.store.newest import newest
from pyerlcoin.store.reading import Reading
from pyerlcoin.web import Board, Earned, Schedule, parse_moment
from pyerlcoin.web.board import NEWEST
from pyerlcoin.web.feed import CLIENTS
from pyerlcoin.web.history import POINTS

__all__ = ["EndsAt", "FreezeAt", "Page", "Web", "page_served", "pages_within", "read_page"]

Web = Annotated[
    str | None,
    typer.Option("--web", metavar="HOST:PORT", help="Show the board there; 127.0.0.1:8080 is for this machine only."),
]
EndsAt = Annotated[
    str | None, typer.Option("--ends-at", metavar="TIME", help="The board counts down to it, and stays: 21:30 or +2h.")
]
FreezeAt = Annotated[
    str | None, typer.Option("--freeze-at", metavar="TIME", help="From then to --ends-at the board keeps its secret.")
]

_WHERE: Final = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):)?(?P<port>\d{1,5})")

HORIZON: Final = 12 * 3600.0
"""Seconds of a ledger's past that are drawn after a restart: an evening, not the month before it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where the board is to be, and when it freezes and ends."""

    host: str
    port: int
    schedule: Schedule


def read_page(web: str | None, freeze_at: str | None, ends_at: str | None) -> Page | None:
    """What the three options mean together; None without --web. Raises `WrongUsage`."""
    if web is None:
        if freeze_at is not None or ends_at is not None:
            raise WrongUsage("--freeze-at and --ends-at are the board's: give --web 127.0.0.1:8080 too")
        return None
    match = _WHERE.fullmatch(web)
    if match is None or int(match["port"]) > 65535:
        raise WrongUsage(f"{web!r} is no place for the board: give --web HOST:PORT, as in 127.0.0.1:8080")
    try:
        import pyerlcoin.web.site  # noqa: F401  # only whether it can be
    except ImportError:
        raise WrongUsage("the board needs two more packages: pip install 'pyerlcoin[web]'") from None
    now = datetime.now()  # of no zone: with one it would keep to today's offset
    freeze, end = (None if text is None else parse_moment(text, now) for text in (freeze_at, ends_at))
    return Page((match["host"] or "127.0.0.1").strip("[]"), int(match["port"]), Schedule(freeze, end))


@asynccontextmanager
async def page_served(
    page: Page | None, ledger: Ledger, events: Events, timing: Timing, *, file: Path | None = None
) -> AsyncIterator[str | None]:
    """The board of `ledger` is up while inside; gives its address, or None when there is no page.

    To be entered before the first request. `file` is the ledger on disk, if it is on one: its curves are drawn on.
    """
    if page is None:
        yield None
        return
    from pyerlcoin.web.door import SPARE
    from pyerlcoin.web.site import Site

    clients = pages_within(raise_limit(), SPARE)
    board = _board(page, ledger, timing.now(), file)
    site = Site(board, progress=ledger.progress, clock=timing.now, host=page.host, port=page.port, clients=clients)
    unsubscribe = events.subscribe(board.fact)
    try:
        await site.start()
        try:
            yield site.url
        finally:
            await site.stop()
    finally:
        unsubscribe()


def pages_within(limit: int | None, spare: int) -> int:
    """How many pages may follow where a process has `limit` descriptors and a page's door `spare` connections more.

    Half of the descriptors stay with the game.
    """
    return CLIENTS if limit is None else max(1, min(CLIENTS, limit // 2 - spare))


def _board(page: Page, ledger: Ledger, now: float, file: Path | None) -> Board:
    make = partial(
        Board, zeros=ledger.zeros, digest=partial(digest_hex, ledger.secret), now=now, schedule=page.schedule
    )
    if file is None:
        return make(Past(ledger.first, ledger.frontier, ledger.workload))
    edges = [edge for edge in (page.schedule.freeze_at, page.schedule.ends_at) if edge is not None]
    with Reading(file) as reading:
        rows = earnings(reading, now - HORIZON, HORIZON / POINTS, edges)
        earned = [Earned(row.at, row.name, row.coins, row.last_coin) for row in rows]
        return make(reading.past(), earned=earned, newest=newest(reading, NEWEST, edges))
