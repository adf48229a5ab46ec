"""The messages of one process: one at a time, in order, straight from the reader unless a handler waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Final

from pyerlcoin.beam.dist import GEN_CALL, alias_tag
from pyerlcoin.beam.etf.encode import encode
from pyerlcoin.beam.etf.terms import Atom, Pid, Reference, Term
from pyerlcoin.beam.node.gen_server import NO_REPLY
from pyerlcoin.beam.node.sender import Sender
from pyerlcoin.beam.node.system_messages import handle_system

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.route import Route

__all__ = ["Down", "Exited", "Mailbox"]

_GEN_CAST: Final = Atom("$gen_cast")
_SYSTEM: Final = Atom("system")

# Handled in one go after a wait, before others get their turn of the event loop.
_BATCH: Final = 128


class Down:
    """A monitor fired. An object of ours, so that no peer can forge it by sending a `{'DOWN', …}` tuple."""

    __slots__ = ("reason", "reference", "target")

    def __init__(self, target: Term, reference: Reference, reason: Term) -> None:
        self.target = target
        self.reference = reference
        self.reason = reason


class Exited:
    """A link fired."""

    __slots__ = ("pid", "reason")

    def __init__(self, pid: Pid, reason: Term) -> None:
        self.pid = pid
        self.reason = reason


class Mailbox:
    """Gives messages to the handlers of `process.server`.

    While a handler waits, `NodeLimits.mailbox` messages may wait as well, of `NodeLimits.mailbox_bytes` in all; more
    are dropped, and `on_full` is told once each time it fills up. Never dropped is that a monitor or a link fired:
    those that there are bound how many may. `on_crash` is told what a handler raised.
    """

    def __init__(
        self, process: Process, on_full: Callable[[], None], on_crash: Callable[[BaseException], None]
    ) -> None:
        self._process = process
        self._on_full = on_full
        self._on_crash = on_crash
        self._waiting: deque[tuple[Term, Route, int]] = deque()
        self._bytes = 0  # of those that wait
        self._busy = False
        self._full = False
        self._closed = False
        self._task: asyncio.Task[object] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def deliver(self, message: Term, route: Route) -> None:
        """Handle a message that came by `route`, now or after those before it."""
        if self._busy:
            self._enqueue(message, route)
            return
        self._busy = True
        if self._handle(message, route):
            self._busy = False
            if self._waiting:
                self._drain()

    def deliver_call(self, caller: Pid, alias: bytes, request: Term, route: Route) -> None:
        """As `deliver` of `{'$gen_call', {caller, [alias | Ref]}, request}`, where Ref has the wire `alias`."""
        if self._busy:
            self._enqueue((GEN_CALL, (caller, alias_tag(alias)), request), route)
            return
        self._busy = True
        if self._call(Sender(self._process, caller, None, route, alias), request):
            self._busy = False
            if self._waiting:
                self._drain()

    def close(self) -> asyncio.Task[object] | None:
        """Nothing more is handled; a handler that waits is cancelled, and returned if it has yet to end."""
        self._closed = True
        self._waiting.clear()
        self._bytes = 0
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            return task
        return None

    def _enqueue(self, message: Term, route: Route) -> None:
        if self._closed:
            return
        if type(message) is Down or type(message) is Exited:
            self._waiting.append((message, route, 0))
            return
        limits = self._process.node.limits
        size = len(encode(message))
        if len(self._waiting) < limits.mailbox and self._bytes + size <= limits.mailbox_bytes:
            self._waiting.append((message, route, size))
            self._bytes += size
        elif not self._full:
            self._full = True
            self._on_full()

    def _drain(self) -> None:
        """Handle what waits, in slices: others use the event loop as well."""
        for _ in range(_BATCH):
            if not self._waiting:
                self._full = False
                return
            self._busy = True
            message, route, size = self._waiting.popleft()
            self._bytes -= size
            if not self._handle(message, route):
                return
            self._busy = False
        if self._waiting:
            self._busy = True
            self._process.node.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._busy = False
        self._drain()

    def _handle(self, message: Term, route: Route) -> bool:
        """Handle one message. False if its handler waits for something: `_resumed` goes on then."""
        if type(message) is tuple and len(message) == 3 and message[0] == GEN_CALL and _is_from(message[1]):
            caller, tag = message[1]
            return self._call(Sender(self._process, caller, tag, route), message[2])
        try:
            return self._handled(self._handle_other(message, route), None)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # it ends its own process only
            self._on_crash(error)
        return True

    def _call(self, sender: Sender, request: Term) -> bool:
        """As `_handle` of a call."""
        try:
            return self._handled(self._process.server.handle_call(request, sender), sender)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # it ends its own process only
            self._on_crash(error)
        return True

    def _handled(self, outcome: object, sender: Sender | None) -> bool:
        """What a handler returned, to the caller if there is one. False if it is a coroutine that waits."""
        if type(outcome) is CoroutineType:
            outcome = self._process.node.coroutines.step(outcome)
            if isinstance(outcome, asyncio.Task):
                return self._wait_for(outcome, sender)
        if sender is not None and outcome is not NO_REPLY:
            sender.reply(outcome)
        return True

    def _handle_other(self, message: Term, route: Route) -> object:
        server = self._process.server
        if type(message) is tuple:
            if len(message) == 2 and message[0] == _GEN_CAST:
                return server.handle_cast(message[1])
            if len(message) == 3 and message[0] == _SYSTEM and _is_from(message[1]):
                caller, tag = message[1]
                handle_system(self._process, message[2], Sender(self._process, caller, tag, route))
                return None
        elif type(message) is Down:
            return server.handle_down(message.target, message.reference, message.reason)
        elif type(message) is Exited:
            return server.handle_exit(message.pid, message.reason)
        return server.handle_info(message)

    def _wait_for(self, task: asyncio.Task[object], sender: Sender | None) -> bool:
        if self._closed:
            # The handler ended its own process before it waited.
            task.cancel()
            return True
        self._task = task
        task.add_done_callback(partial(self._resumed, sender))
        return False

    def _resumed(self, sender: Sender | None, task: asyncio.Task[object]) -> None:
        self._task = None
        if task.cancelled():
            if not self._closed:
                self._on_crash(asyncio.CancelledError())
            return
        error = task.exception()
        if error is not None:
            if not self._closed:
                self._on_crash(error)
            return
        try:
            if sender is not None and task.result() is not NO_REPLY:
                sender.reply(task.result())
        except Exception as unencodable:  # noqa: BLE001  # as if the handler had raised it
            self._on_crash(unencodable)
        self._go_on()


def _is_from(term: Term) -> bool:
    """Whether it is the `{Pid, Tag}` of a caller."""
    return type(term) is tuple and len(term) == 2 and type(term[0]) is Pid
