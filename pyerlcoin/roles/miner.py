"""The miner: lanes that pull units from a server, search them, report their coins.

Each lane is a process of its own under the miner's one name, so that the cores have work while a reply is on its way.
The first lane's process says hello; the others start with done, which for a process that holds nothing finishes nothing
and hands out a unit. The original answers done without looking at either.

The one rule that keeps every integer: **a lane says done only from a process that can hold nothing but what the lane
has searched.** When a done ends without its reply the server may have handed out a unit that nobody here knows of; a
later done from the same process would call that finished. So the lane goes on from a fresh process.

A server that was started again knows which units are open, but not who has them in hand, and gives any of them to
whichever lane asks first. What a lane has in hand goes on where it was: **the lanes change their processes**, so that
the one which holds a unit is that of the lane which searches it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pyerlcoin.beam.etf.terms import Term
from pyerlcoin.coin.coin import ZEROS
from pyerlcoin.coin.unit import Unit
from pyerlcoin.errors import GameError
from pyerlcoin.roles import events as told
from pyerlcoin.roles import messages
from pyerlcoin.roles.cluster import Address, Caller, Cluster
from pyerlcoin.roles.events import Events, Stopped
from pyerlcoin.roles.messages import Done, Given, Refused
from pyerlcoin.roles.reports import Departures, Reports
from pyerlcoin.roles.session import Backoff, Session, Unanswered
from pyerlcoin.roles.timing import LoopTiming, Timing
from pyerlcoin.roles.unfinished import Unfinished
from pyerlcoin.roles.work import Holder, Lane, Searches, Work

__all__ = ["LANES", "MOST_LANES", "LaneView", "MinerOptions", "MinerRole", "MinerView"]

LANES: Final = 3
"""Processes that pull work, unless asked for otherwise. With two the cores are busy while one waits for its next unit,
with a third also where a unit lasts only as long as some answers take."""

MOST_LANES: Final = 9
"""So many where units are short: while LANES search, the others wait to report together."""

_SHORT: Final = 0.02
"""Units are short if they end quicker than one in so many seconds."""

_FOR_LONG: Final = 2.0
"""Seconds of short units after which a lane more is opened for each that ends. A server of ours gives short ones only
until it knows the miner's speed."""

_FAREWELL: Final = 5.0
"""Seconds that a miner which stops waits for the answers to its last coins."""


@dataclass(frozen=True, slots=True)
class MinerOptions:
    """What a miner is asked for. `lanes`: LANES to MOST_LANES, as units are short or long, unless given.

    `seconds`, `coins`: when to stop; `max_retries`: see `Session`.
    """

    name: str
    server: Address
    lanes: int | None = None
    zeros: int = ZEROS
    seconds: float | None = None
    coins: int | None = None
    max_retries: int | None = None
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True)
class LaneView:
    """What a lane has in hand, and how many of its integers are searched."""

    unit: Unit | None
    done: int


@dataclass(frozen=True, slots=True)
class MinerView:
    """A miner at this moment, for whoever shows it.

    `count`: the server's for the name, when it is known. `finishing`: each lane ends with the unit in hand. `stopped`:
    no lane searches any more; at most the answers to the last coins are awaited.
    """

    joined: bool
    hashes: int
    units: int
    coins: int
    rejected: int
    count: int | None
    started: float
    lanes: tuple[LaneView, ...]
    paused: bool = False
    finishing: bool = False
    stopped: bool = False
    round_trip: float | None = None
    """Seconds of the latest call that was answered."""


class MinerRole:
    """Mines until it is stopped, a limit is reached, or it has to give up.

    `searches` is a `search.pool.Pool`, which stays the caller's to close; `chance` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        cluster: Cluster,
        searches: Searches,
        options: MinerOptions,
        events: Events,
        *,
        chance: Callable[[], float],
        timing: Timing | None = None,
    ) -> None:
        self._cluster = cluster
        self._searches = searches
        self._options = options
        self._events = events
        self._timing: Timing = LoopTiming() if timing is None else timing
        self._session = Session(
            options.server,
            options.name,
            self,
            events,
            self._timing,
            chance=chance,
            max_retries=options.max_retries,
            backoff=options.backoff,
        )
        self._lanes: list[Lane] = []
        self._opened = 0
        self._short_since: float | None = None
        self._secret: bytes | None = None
        self._greeter: Holder | None = None
        self._stop = asyncio.Event()
        self._reason: str | None = None
        self._finishing = False
        self._going = asyncio.Event()
        self._going.set()
        self._started = self._timing.now()
        self._hashes = self._units = 0
        self._unfinished = Unfinished()
        self._reports = Reports(
            self._session,
            Departures(self._timing, self._searching_enough),
            events,
            options.name,
            options.zeros,
            self._unfinished,
            may_go_on=lambda: self._going.is_set() and not self._stop.is_set(),
            accepted=self._accepted,
        )

    def stop(self, reason: str = "stopped", *, finish: bool = False) -> None:
        """End the run; from the event loop. `finish` lets each lane finish its unit, else these are given back."""
        self._reason = self._reason or reason
        if finish:
            self._finishing = True
        else:
            self._stop.set()
        # A lane that waits in a pause could neither finish nor part, nor could one that was never opened.
        self._go_on()
        for lane in self._lanes:
            lane.opened.set()

    def pause(self) -> None:
        """Search nothing and ask for nothing until `resume`; from the event loop. Idempotent, as `resume` is.

        Each lane keeps its unit and its place in it: no unit is called finished, none is given back, and a server whose
        leases end may give one to somebody else. Coins found by then are still reported; a lost connection is mended.
        A miner that was told to stop does not pause any more.
        """
        if self._reason is None and self._going.is_set():
            self._going.clear()
            self._searches.pause()
            self._events.publish(told.Paused())

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        if not self._going.is_set():
            self._go_on()
            self._events.publish(told.Resumed())

    def _go_on(self) -> None:
        self._going.set()
        self._searches.resume()

    def view(self) -> MinerView:
        """How it stands now."""
        works = [lane.work for lane in self._lanes[: self._opened]]
        return MinerView(
            joined=self._session.joined,
            hashes=self._hashes + sum(work.unsettled for work in works if work is not None),
            units=self._units,
            coins=self._reports.coins,
            rejected=self._reports.rejected,
            count=self._reports.count,
            started=self._started,
            lanes=tuple(
                LaneView(None, 0) if work is None else LaneView(work.unit, work.done_integers) for work in works
            ),
            paused=not self._going.is_set(),
            finishing=self._finishing and not self._stop.is_set(),
            stopped=self._stop.is_set(),
            round_trip=self._session.round_trip,
        )

    async def run(self) -> Stopped:
        """Mine. Raises `CannotReach`, `RefusedByPeer` or `GaveUp`, after its processes were closed all the same."""
        self._started = self._timing.now()
        limit = None
        if self._options.seconds is not None:
            limit = self._timing.later(self._options.seconds, lambda: self.stop("the time is up"))
        try:
            for index in range(self._options.lanes or MOST_LANES):
                self._lanes.append(Lane(index, Holder(await self._cluster.caller())))
            self._open(self._options.lanes or LANES)
            await self._mine()
        except BaseException as error:
            self._reason = str(error) if isinstance(error, GameError) else self._reason
            raise
        finally:
            if limit is not None:
                limit.cancel()
            # A server of ours hears of the end of these and gives the units to others at once.
            for lane in self._lanes:
                with suppress(GameError):
                    await lane.holder.caller.close()
            stopped = self._stopped()
            self._events.publish(stopped)
        return stopped

    async def _mine(self) -> None:
        keeper = asyncio.create_task(self._session.keep())
        stopper = asyncio.create_task(self._until_stopped())
        lanes = [asyncio.create_task(self._work(lane)) for lane in self._lanes]
        try:
            pending = set(lanes)
            while pending and not stopper.done():
                await asyncio.wait({keeper, stopper, *pending}, return_when=asyncio.FIRST_COMPLETED)
                for task in [keeper, *pending]:
                    if task.done():
                        task.result()
                        pending.discard(task)
            await self._part(keeper, lanes)
        finally:
            for task in (keeper, stopper, *lanes):
                task.cancel()
            for work in self._works():
                work.interrupt("stopped")
            await asyncio.gather(keeper, stopper, *lanes, return_exceptions=True)
            reports = [work.report for work in self._works() if work.report is not None]
            for report in reports:
                report.cancel()
            await asyncio.gather(*reports, return_exceptions=True)

    async def _part(self, keeper: asyncio.Task[None], lanes: list[asyncio.Task[None]]) -> None:
        """Give up what is in hand, but wait a little for the answers to coins that were found."""
        self._stop.set()
        for lane, task in zip(self._lanes, lanes, strict=True):
            if lane.work is None:
                task.cancel()
            else:
                lane.work.interrupt("the miner stops")
        if not self._session.joined:
            return
        bell = self._timing.later(_FAREWELL, partial(_cancel, lanes))
        try:
            await asyncio.gather(*lanes, return_exceptions=True)
        finally:
            bell.cancel()

    async def _until_stopped(self) -> None:
        await self._stop.wait()

    # session.Front

    @property
    def has_work(self) -> bool:
        """Whether a server ever told its secret and gave a unit."""
        return self._secret is not None

    async def caller(self) -> Caller:
        """The first lane's process."""
        lane = self._lanes[0]
        if lane.holder.stale:
            await self._renew(lane)
        self._greeter = lane.holder
        return lane.holder.caller

    def welcome(self, given: Given) -> None:
        """The process that said hello holds `given.unit` from now on. Each lane goes on with what it has, but for the
        one of that process, if the unit is in nobody's hand.
        """
        if self._secret is not None and self._secret != given.secret:
            works = self._works()
            for work in works:
                work.interrupt("the server plays with another secret now", drop=True)
            for lane in self._lanes:
                lane.holder.stale = lane.holder is not self._greeter
            self._unfinished.clear()
            self._events.publish(told.SecretChanged(len(works)))
        self._secret = given.secret
        for lane in self._lanes:
            lane.holder.held, lane.holder.asked, lane.given = None, False, None
        # The first one's, unless a reply that was on its way has changed the processes since it said hello.
        for lane in [lane for lane in self._lanes if lane.holder is self._greeter]:
            self._greeted(lane, given.unit)
        self._unfinished.tell_again()
        # Who is welcome may be new to this server: one that forgot its names forgot our coins with them. To one that
        # did not, a coin told twice is the same coin.
        for lane in self._lanes:
            if lane.work is not None and lane.work in self._unfinished:
                self._reports.report(lane, lane.work, lane.work.hits)

    def _greeted(self, lane: Lane, unit: Unit) -> None:
        """The process of `lane` said hello, and holds `unit`."""
        lane.holder.held, lane.holder.reply = unit, None
        searching = self._searching(unit)
        if searching is not None:
            self._change(lane, searching)
            return
        lane.given = unit
        if lane.work is not None:
            lane.work.interrupt("the server gave another unit")

    # lanes

    def _open(self, lanes: int) -> None:
        """Let so many work."""
        for lane in self._lanes[self._opened : lanes]:
            lane.opened.set()
            self._opened += 1

    def _ended(self, seconds: float) -> None:
        """A lane searched a unit for so long: some more may be needed."""
        if seconds > _SHORT * self._opened:
            self._short_since = None
        elif self._short_since is None:
            self._short_since = self._timing.now()
        elif self._timing.now() - self._short_since >= _FOR_LONG:
            self._open(self._opened + 1)

    async def _work(self, lane: Lane) -> None:
        await lane.opened.wait()
        if lane.index >= self._opened:
            return  # it was the end that woke it
        while not self._stop.is_set():
            unit = await self._next_unit(lane)
            if self._stop.is_set() or self._finishing or self._secret is None:
                lane.work = None
                return
            work = lane.work = Work(unit, self._secret)
            self._unfinished.begin(work)
            self._events.publish(told.UnitTaken(lane.index, unit.first, unit.last))
            # A unit that comes in a pause is in hand all the same, so that what befalls the server befalls it as well.
            await self._going.wait()
            started = self._timing.now()
            whole = await work.search(self._searches, self._options.zeros, partial(self._reports.found, lane, work))
            seconds = self._timing.now() - started
            self._hashes += work.settle()
            work.whole = work.closing = whole
            await self._reports.answered(work)
            work.closing = False
            if whole and not work.dropped:
                self._units += 1
                self._events.publish(told.UnitFinished(lane.index, unit.first, unit.last, len(work.hits), seconds))
                self._ended(seconds)
            else:
                lane.work = None
                reason = work.interrupted or ""
                self._events.publish(told.UnitAbandoned(lane.index, unit.first, unit.last, reason))

    async def _next_unit(self, lane: Lane) -> Unit:
        """What to search next. The unit in hand is searched whole by now."""
        while True:
            unit = await self._given(lane)
            lane.work = None
            searching = self._searching(unit)
            if searching is not None:
                self._change(lane, searching)
                continue
            searched = self._unfinished.searched(unit)
            if searched is None:
                return unit
            # All that is left to say of it is what a server that was started again has not heard.
            lane.work = searched
            self._reports.report(lane, searched, searched.hits - searched.accepted)

    def _searching(self, unit: Unit) -> Lane | None:
        """The lane that has `unit` in hand, and has not said done for it."""
        for lane in self._lanes:
            work = lane.work
            if work is not None and work.unit == unit and not work.whole and work.interrupted is None:
                return lane
        return None

    def _change(self, lane: Lane, searching: Lane) -> None:
        """The process of `lane` holds what `searching` searches, and the other one does not hold it any more."""
        if lane is not searching:
            lane.holder, searching.holder = searching.holder, lane.holder
            lane.holder.held = None

    async def _given(self, lane: Lane) -> Unit:
        """What hello handed over, or what done does."""
        while True:
            holder = lane.holder
            reply = _taken(holder)
            try:
                if reply is None:
                    await self._session.ready()
                    if lane.work is not None:
                        await self._reports.answered(lane.work)
                    if not self._going.is_set():
                        await self._going.wait()
                        continue
                    if lane.given is not None:
                        unit, lane.given = lane.given, None
                        return unit
                    if not self._session.joined or holder is not lane.holder:
                        continue  # lost again meanwhile, or the lanes changed their processes
                    if holder.stale:
                        await self._renew(lane)
                        continue
                    holder.asked = True
                    reply = await self._session.ask(lane.index, holder.caller, Done(self._options.name))
                answer = messages.read_unit(reply)
            except Unanswered:
                holder.stale = True
                continue
            except messages.UnreadableReply as error:
                answer = Refused(str(error))
            if isinstance(answer, Unit):
                self._session.well()
                if holder is not lane.holder:
                    holder.stale = True  # it changed lanes by a hello meanwhile, and holds more than the other knows
                    continue
                if holder.held is not None:
                    self._unfinished.finished(holder.held)
                holder.held = answer if holder.asked else None
                return answer
            # A server that refuses what it grants to those it knows is in trouble, and may have refused coins for it.
            if lane.work is not None:
                self._reports.report(lane, lane.work, lane.work.hits - lane.work.accepted)
            self._session.doubt(answer.message)

    async def _renew(self, lane: Lane) -> None:
        """Go on from a fresh process; whatever the old one holds goes back."""
        old, fresh = lane.holder, Holder(await self._cluster.caller())
        if lane.holder is old:
            lane.holder = fresh
        else:
            old = fresh  # the other one who renews it was quicker
        await old.caller.close()

    def _searching_enough(self) -> bool:
        """Whether as many lanes search, or wait for a core, as there are when all report at once."""
        return sum(not work.searched for work in self._works()) > LANES

    def _works(self) -> list[Work]:
        return [lane.work for lane in self._lanes if lane.work is not None]

    def _accepted(self) -> None:
        if self._options.coins is not None and self._reports.coins >= self._options.coins:
            self.stop(f"{self._reports.coins} coins are mined")

    def _stopped(self) -> Stopped:
        view = self.view()
        return Stopped(
            coins=view.coins,
            rejected=view.rejected,
            hashes=view.hashes,
            units=view.units,
            seconds=self._timing.now() - self._started,
            reason=self._reason or "stopped",
        )


def _taken(holder: Holder) -> Term | None:
    """The reply to a done that went out behind coins, if there is one. What a stale process got goes back with it."""
    reply, holder.reply = holder.reply, None
    return None if holder.stale else reply


def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
