"""How a miner's lanes tell the server of their coins, and of a unit's end behind the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Final

from pyerlcoin.beam.etf.terms import Term
from pyerlcoin.coin.coin import digest_hex, is_coin
from pyerlcoin.roles import events as told
from pyerlcoin.roles import messages
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import Coin, Done, Refused, Request
from pyerlcoin.roles.session import Session, Unanswered
from pyerlcoin.roles.timing import Handle, Timing
from pyerlcoin.roles.unfinished import Unfinished
from pyerlcoin.roles.work import TOGETHER, Holder, Lane, Work

__all__ = ["Departures", "Reports"]

_PIPELINE: Final = 64
"""Coins of a lane on their way at once: enough to hide the network, too few to flood a server at one zero."""


class Departures:
    """When reports go out: those of many lanes at once, as long as enough lanes have something to search meanwhile.

    Each report wakes the server, and its answers wake the miner. Where a unit lasts some ms that is most of its cost.
    """

    def __init__(self, timing: Timing, enough: Callable[[], bool]) -> None:
        """`enough`: whether the cores have work for a while if no lane gets any."""
        self._timing = timing
        self._enough = enough
        self._next: asyncio.Future[None] | None = None
        self._bell: Handle | None = None

    async def wait(self) -> None:
        """Until the next departure, at most TOGETHER seconds."""
        if not self._enough():
            self._depart()
            return
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._bell = self._timing.later(TOGETHER, self._depart)
        await asyncio.shield(self._next)

    def _depart(self) -> None:
        if self._next is not None and self._bell is not None:
            self._bell.cancel()
            self._next.set_result(None)
            self._next = None


class Reports:
    """Those of one miner.

    Attributes:
        coins, rejected: how many coins the server took, each counted once, and how many it did not.
        count: the server's own count for the name, once it is known.
    """

    def __init__(
        self,
        session: Session,
        departures: Departures,
        events: Events,
        name: str,
        zeros: int,
        unfinished: Unfinished,
        *,
        may_go_on: Callable[[], bool],
        accepted: Callable[[], None],
    ) -> None:
        """`may_go_on`: whether a lane may ask for its next unit. `accepted` is called after each coin that counts."""
        self._session = session
        self._departures = departures
        self._events = events
        self._name = name
        self._zeros = zeros
        self._unfinished = unfinished
        self._may_go_on = may_go_on
        self._accepted = accepted
        self.coins = self.rejected = 0
        self.count: int | None = None

    def found(self, lane: Lane, work: Work, n: int) -> None:
        """The engine says that `n` is a coin. What hashlib denies is not reported; what was found before neither."""
        if work.dropped or n in work.seen:
            return
        work.seen.add(n)
        if not is_coin(work.secret, n, self._zeros):
            self._events.publish(told.CoinLost(lane.index, n))
            return
        work.hits.add(n)
        self._events.publish(told.CoinFound(lane.index, n, digest_hex(work.secret, n)))
        self.report(lane, work, {n})

    def report(self, lane: Lane, work: Work, coins: set[int]) -> None:
        """Tell the server of `coins`, but for those that it is being told of already."""
        if work.dropped or not coins:
            return
        work.untold.update(dict.fromkeys(sorted(coins)))
        if work.report is None or work.report.done():
            work.report = asyncio.create_task(self._tell(lane, work))

    async def answered(self, work: Work) -> None:
        """Until each coin that was told of has its answer."""
        while work.report is not None and not work.report.done():
            await asyncio.wait({work.report})
        if work.report is not None and not work.report.cancelled():
            work.report.result()

    async def _tell(self, lane: Lane, work: Work) -> None:
        while work.untold:
            await self._departures.wait()
            await self._session.ready()
            if not self._session.joined:
                continue  # lost again meanwhile: after the next hello another process may be this lane's
            holder = lane.holder
            coins = list(islice(work.untold, _PIPELINE))
            requests: list[Request] = [Coin(self._name, n) for n in coins]
            # Behind the last coins of a unit done need not wait for their answers: a server takes what one process
            # sends in its order.
            last = len(coins) == len(work.untold) and self._may_say_done(lane, work)
            if last:
                requests.append(Done(self._name))
                holder.asked = True
            # A coin that has no answer is told of again, on whatever connection comes next; done is not.
            try:
                with suppress(Unanswered):
                    await self._session.ask_each(
                        lane.index, holder.caller, requests, partial(self._told, lane, holder, work, coins)
                    )
            finally:
                holder.stale = holder.stale or (last and holder.reply is None)

    def _may_say_done(self, lane: Lane, work: Work) -> bool:
        """Whether done is what comes next, and nobody has said it or is about to."""
        nobody_else = work is lane.work and work.closing and lane.holder.reply is None
        return nobody_else and lane.given is None and not lane.holder.stale and self._may_go_on()

    def _told(self, lane: Lane, holder: Holder, work: Work, coins: list[int], place: int, reply: Term) -> None:
        if place == len(coins):
            holder.reply = reply
            return
        n = coins[place]
        try:
            answer = messages.read_count(reply)
        except messages.UnreadableReply as error:
            answer = Refused(str(error))
        if isinstance(answer, Refused) and answer.for_now:
            # It stays untold, so it is told again before done. If done went out behind it and was granted, it is told
            # after that: a late coin counts as well.
            self._session.doubt(answer.message)
            return
        work.untold.pop(n, None)
        if isinstance(answer, Refused):
            self.rejected += 1
            self._events.publish(told.CoinRejected(lane.index, n, answer.message))
            return
        self._session.well()
        self.count = answer
        work.accepted.add(n)
        if self._unfinished.count(n):
            self.coins += 1
            self._events.publish(told.CoinAccepted(lane.index, n, answer))
            self._accepted()
