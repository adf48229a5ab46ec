"""What one lane of a miner has in hand: a unit, its search, and the coins it found."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from pyerlcoin.beam.etf.terms import Term
from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles.cluster import Caller
from pyerlcoin.search.engine import Job

__all__ = ["BACKLOG", "SLICE", "TOGETHER", "Holder", "Lane", "RunningSearch", "Searches", "Work"]

TOGETHER: Final = 0.05
"""Seconds that a coin may wait for others to be told of with."""

SLICE: Final = 256
"""Coins that are told in one turn of the event loop: some ms."""

BACKLOG: Final = 1 << 15
"""Coins of a unit that wait to be told of, or for their answers: with so many its search waits as well. Where few zeros
are asked for, an engine finds in a second what a server takes a minute for. With five zeros it takes an engine a minute
or more to find as many: so long a server may be away."""


class RunningSearch(Protocol):
    """A search that was submitted."""

    @property
    def future(self) -> Future[list[int]]:
        """All coins, ascending. Cancelling it gives the search up."""

    @property
    def done_integers(self) -> int:
        """How many integers are searched so far."""


class Searches(Protocol):
    """What a miner needs of `search.pool.Pool`."""

    def submit(
        self, job: Job, on_coin: Callable[[int], None] | None = None, full: Callable[[], bool] | None = None
    ) -> RunningSearch:
        """Start a search; several may run. `on_coin` is told each coin before it ends, and it waits while it is `full`.

        Both may be called from any thread.
        """

    def pause(self) -> None:
        """Search nothing more until `resume`; no search loses its place."""

    def resume(self) -> None:
        """Go on."""


class Work:
    """A unit under one secret. `interrupt` ends its search; what is found by then is still reported, unless dropped."""

    def __init__(self, unit: Unit, secret: bytes) -> None:
        self.unit = unit
        self.secret = secret
        self.seen: set[int] = set()
        self.hits: set[int] = set()
        self.accepted: set[int] = set()
        """The coins that the server took, since the latest hello that was answered."""
        self.untold: dict[int, None] = {}
        """The coins that the server has not answered, in the order in which it is told of them."""
        self.report: asyncio.Task[None] | None = None
        """What tells it of them, the latest."""
        self.searched = False
        """Nothing of it is searched any more."""
        self.whole = False
        """It was searched to its end."""
        self.closing = False
        """It is searched whole, and the lane waits for the answers to its coins."""
        self.dropped = False
        self.interrupted: str | None = None
        self._search: RunningSearch | None = None
        self._settled = False

    @property
    def done_integers(self) -> int:
        """How many integers are searched so far."""
        return 0 if self._search is None else self._search.done_integers

    @property
    def unsettled(self) -> int:
        """Those that `settle` did not hand over yet."""
        return 0 if self._settled else self.done_integers

    def settle(self) -> int:
        """The search is over: how many integers it did."""
        self._settled = True
        return self.done_integers

    async def search(self, searches: Searches, zeros: int, found: Callable[[int], None]) -> bool:
        """Search the unit, telling each hit in the event loop. False when it was interrupted."""
        if self.interrupted is not None:
            return False
        loop = asyncio.get_running_loop()
        job = Job(self.secret, self.unit.first, self.unit.last, zeros)
        teller = _Teller(loop, found)
        self._search = searches.submit(job, teller.coin, lambda: teller.waiting + len(self.untold) >= BACKLOG)
        ended = asyncio.wrap_future(self._search.future)
        try:
            # Not `await ended`: an interrupted search must not look like a cancelled task, nor the other way round.
            await asyncio.wait({ended})
        finally:
            self._search.future.cancel()
            self.searched = True
            teller.end()
        await teller.rest()
        if ended.cancelled():
            return False
        ended.result()
        return True

    def interrupt(self, reason: str, *, drop: bool = False) -> None:
        """End the search, if it runs. With `drop` its coins are worth nothing: they are not reported any more."""
        self.interrupted = self.interrupted or reason
        if drop:
            self.dropped = True
            self.untold.clear()
            if self.report is not None:
                self.report.cancel()
        if self._search is not None:
            self._search.future.cancel()


class Holder:
    """One process that pulls work: to the server it is who holds a unit.

    `held`: the unit that it was given, as long as no hello was answered since: by then the server may be another one.
    `asked`: its latest done went out since that hello. `stale`: it may hold more than is known here. `reply`: the
    server's, to the done that went out behind the last coins of a unit.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.held: Unit | None = None
        self.asked = False
        self.stale = False
        self.reply: Term | None = None


class Lane:
    """Searches what its process pulls, once it is `opened`. `given`: by hello, to be next."""

    def __init__(self, index: int, holder: Holder) -> None:
        self.index = index
        self.holder = holder
        self.work: Work | None = None
        self.given: Unit | None = None
        self.opened = asyncio.Event()


class _Teller:
    """Tells coins in the event loop, whichever thread found them: all those of TOGETHER seconds at once.

    A fast engine finds them by the thousand a second. To wake the loop for each would be a system call, in which the
    interpreter's lock goes to a searching thread; and requests that leave together are answered together. A coin that
    comes long after the last one wakes the loop itself.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, found: Callable[[int], None]) -> None:
        self._loop = loop
        self._found = found
        self._coins: deque[int] = deque()
        # Whether the loop is going to look at the coins by itself: until then none needs to wake it.
        self._watched = True
        self._timer = loop.call_later(TOGETHER, self._look)
        self._ended = False

    def coin(self, n: int) -> None:
        """From any thread."""
        self._coins.append(n)
        # Appended before it is asked, and looked at only after the watch ended: so no coin is left lying.
        # The loop may be closed by the time the last thread of a cancelled search gets here.
        if not self._watched and not self._loop.is_closed():
            self._watched = True
            self._loop.call_soon_threadsafe(self._look)

    @property
    def waiting(self) -> int:
        """How many are found and not told; from any thread."""
        return len(self._coins)

    def end(self) -> None:
        """The loop looks no more by itself. Tells some of what is left."""
        self._ended = self._watched = True
        self._timer.cancel()
        self._tell()

    async def rest(self) -> None:
        """Tell the rest, once it ended."""
        while self._coins:
            await asyncio.sleep(0)
            self._tell()

    def _look(self) -> None:
        if self._ended:
            return
        self._watched = False
        if self._coins:
            self._watched = True
            self._timer = self._loop.call_later(TOGETHER if len(self._coins) <= SLICE else 0.0, self._look)
            self._tell()

    def _tell(self) -> None:
        # Not all: while they are told no tick leaves the node and no signal is heard, and more are found meanwhile.
        for _ in range(min(len(self._coins), SLICE)):
            self._found(self._coins.popleft())
