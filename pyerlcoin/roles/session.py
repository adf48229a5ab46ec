"""A miner's standing with its server: said hello or not, lost or not, and when to try again.

Nothing but hello goes to a server that has not been told hello since the last connection or process was lost: a
coin from an unknown name crashes the original.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from pyerlcoin.beam.etf.terms import Term
from pyerlcoin.errors import CannotReach, GaveUp, RefusedByPeer
from pyerlcoin.roles import messages
from pyerlcoin.roles.cluster import Address, Answer, Caller
from pyerlcoin.roles.events import Events, Joined, NameTaken, Retrying, ServerGone, StillWaiting
from pyerlcoin.roles.messages import Given, Hello, Refused, Request
from pyerlcoin.roles.timing import Handle, Timing, pause

__all__ = ["PATIENCE", "Backoff", "Front", "Session", "Unanswered"]

PATIENCE: Final = 75.0
"""Seconds that a name may be taken at the start. A server needs up to 1.25 `net_ticktime` (kernel, 60 s) to notice that
our own earlier self is gone, if nobody closed its socket; whoever holds the name after that is somebody else."""

_WAITS: Final = 5.0
"""Seconds without a reply until the miner says that it waits."""


class Unanswered(Exception):
    """A request ended without its reply: whether the server acted on it is not known."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before attempt 1, 2, …: doubling from `first` to `most`, and at least half of that by chance.

    Chance, because after a server's restart a whole room comes back at once.
    """

    first: float = 0.25
    most: float = 15.0

    def delay(self, attempt: int, chance: float) -> float:
        """Seconds before `attempt` (from 1); `chance` is from 0 to 1."""
        return float(min(self.most, self.first * 2.0 ** min(attempt - 1, 30)) * (0.5 + 0.5 * chance))


class Front(Protocol):
    """Whom the session says hello for."""

    async def caller(self) -> Caller:
        """The process that says hello."""

    def welcome(self, given: Given) -> None:
        """Hello was answered with a unit."""

    @property
    def has_work(self) -> bool:
        """Whether there is a secret to go on with when the name is taken."""


class Session:
    """Says hello, and again whenever the server was lost; carries requests while it is not.

    Without `max_retries` a first hello that fails ends the miner (wrong settings heal by nobody's waiting), except that
    a taken name is tried for `PATIENCE`; afterwards it tries for ever. With it, so many attempts in a row may fail.
    """

    def __init__(
        self,
        server: Address,
        name: str,
        front: Front,
        events: Events,
        timing: Timing,
        *,
        chance: Callable[[], float],
        max_retries: int | None = None,
        backoff: Backoff = Backoff(),
    ) -> None:
        self._server = server
        self._name = name
        self._front = front
        self._events = events
        self._timing = timing
        self._chance = chance
        self._max_retries = max_retries
        self._backoff = backoff
        self._open = asyncio.Event()
        self._life = 0
        self._lost: asyncio.Future[Exception] | None = None
        self._ever = False
        self._failures = 0
        self._taken_since: float | None = None
        self._asked = 0
        # When each request, or many at once, was sent that waits for its answer, oldest first, until it was said that
        # it waits.
        self._unanswered: dict[int, tuple[float, int, type]] = {}
        self._notice: Handle | None = None
        self.round_trip: float | None = None
        """Seconds from the latest call that was answered to its answer."""

    @property
    def joined(self) -> bool:
        """Whether requests may go out."""
        return self._open.is_set()

    async def ready(self) -> None:
        """Until requests may go out."""
        await self._open.wait()

    async def ask(self, lane: int, caller: Caller, request: Request) -> Term:
        """The server's reply, however long it takes. Raises `Unanswered`; the session then says hello again."""
        await self._open.wait()
        with self._answering():
            return await self._call(lane, caller, request)

    async def ask_each(
        self, lane: int, caller: Caller, requests: Sequence[Request], answered: Callable[[int, Term], None]
    ) -> None:
        """Send all of them at once; `answered` gets the place of each and its reply, in order.

        Raises `Unanswered` for the first that has none, and for all after it; the session then says hello again.
        """
        await self._open.wait()
        number = self._begin(lane, type(requests[0]))
        began = self._timing.now()
        asked: list[Answer] = []
        try:
            with self._answering():
                # One after the other, so that those which went out are given up if a later one cannot.
                asked.extend(caller.request(self._server, messages.request_term(request)) for request in requests)
                for place, answer in enumerate(asked):
                    reply = await answer
                    self.round_trip = self._timing.now() - began
                    answered(place, reply)
        finally:
            self._unanswered.pop(number, None)
            for answer in asked:
                answer.cancel()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """A server that does not answer what is asked inside is lost, and `Unanswered` comes out."""
        life = self._life
        try:
            yield
        except (CannotReach, RefusedByPeer) as error:
            self._lose(life, error)
            raise Unanswered from error

    def well(self) -> None:
        """A request was granted, so the next loss is a new one."""
        self._failures = 0

    def doubt(self, reason: str) -> None:
        """The server refused what it grants to those it knows: say hello again, after a while."""
        self._lose(self._life, RefusedByPeer(f"the server said: {reason}"))

    async def keep(self) -> None:
        """Join, and join again, until cancelled. Raises `CannotReach`, `RefusedByPeer` or `GaveUp`."""
        try:
            await self._keep()
        finally:
            if self._notice is not None:
                self._notice.cancel()

    async def _keep(self) -> None:
        while True:
            self._life += 1
            self._lost = asyncio.get_running_loop().create_future()
            try:
                await self._hello()
            except (CannotReach, RefusedByPeer) as error:
                failure: Exception = error
            else:
                self._events.publish(Joined(self._name, self._server.node, self._ever))
                self._ever = True
                self._taken_since = None
                self._open.set()
                failure = await self._lost
                self._events.publish(ServerGone(str(failure)))
            self._open.clear()
            self._failures += 1
            self._end_if_hopeless(failure)
            delay = self._backoff.delay(self._failures, self._chance())
            self._events.publish(Retrying(self._failures, delay, str(failure)))
            await pause(self._timing, delay)

    async def _hello(self) -> None:
        """Returns when joined. Raises `CannotReach` or `RefusedByPeer`."""
        life = self._life
        caller = await self._front.caller()
        # Before hello, so that no loss after it goes unseen.
        await caller.watch(self._server, lambda ended: self._lose(life, ended))
        reply = messages.read_welcome(await self._call(0, caller, Hello(self._name)))
        if isinstance(reply, Given):
            self._front.welcome(reply)
        elif _is_taken(reply):
            self._events.publish(NameTaken(self._name, reply.message, self._front.has_work))
            if not self._front.has_work:
                if self._taken_since is None:
                    self._taken_since = self._timing.now()
                raise _Taken(reply.message)
        else:
            raise RefusedByPeer(f"the server refused {self._name!r}: {reply.message}")

    def _end_if_hopeless(self, failure: Exception) -> None:
        spent = self._max_retries is not None and self._failures > self._max_retries
        if self._ever:
            if spent:
                raise GaveUp(f"gave up after {_retries(self._max_retries)}: {failure}") from failure
            return
        match failure:
            case _Taken():
                since = self._timing.now() if self._taken_since is None else self._taken_since
                if spent or (self._max_retries is None and self._timing.now() - since >= PATIENCE):
                    raise failure
            case RefusedByPeer():
                raise failure
            case _ if self._max_retries is None:
                raise failure
            case _ if spent:
                raise GaveUp(f"gave up after {_retries(self._max_retries)}: {failure}") from failure

    def _lose(self, life: int, failure: Exception) -> None:
        # A request of an earlier life says nothing about this one.
        if life == self._life and self._lost is not None and not self._lost.done():
            self._open.clear()
            self._lost.set_result(failure)

    async def _call(self, lane: int, caller: Caller, request: Request) -> Term:
        number = self._begin(lane, type(request))
        began = self._timing.now()
        try:
            reply = await caller.call(self._server, messages.request_term(request))
            self.round_trip = self._timing.now() - began
            return reply
        finally:
            self._unanswered.pop(number, None)

    def _begin(self, lane: int, kind: type) -> int:
        """A request goes out. Its number among those that wait."""
        number = self._asked = self._asked + 1
        self._unanswered[number] = (self._timing.now(), lane, kind)
        if self._notice is None:
            self._notice = self._timing.later(_WAITS, self._look)
        return number

    def _look(self) -> None:
        """Say which requests have waited for long. One timer for all: there may be thousands of them a second."""
        self._notice = None
        now = self._timing.now()
        for number, (began, lane, kind) in list(self._unanswered.items()):
            rest = began + _WAITS - now
            if rest > 0:
                self._notice = self._timing.later(rest, self._look)
                return
            del self._unanswered[number]
            self._events.publish(StillWaiting(lane, kind.__name__.lower(), _WAITS))


class _Taken(RefusedByPeer):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return f"the server said: {self.message}: choose another name with --as"


def _is_taken(reply: Refused) -> bool:
    # The original's words, and ours.
    return "already registered" in reply.message


def _retries(count: int | None) -> str:
    return "1 retry" if count == 1 else f"{count} retries"
