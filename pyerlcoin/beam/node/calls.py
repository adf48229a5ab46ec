"""Calls outward: `gen:call`'s monitor, request and demonitor, and the future that a reply ends."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from pyerlcoin.beam.errors import BeamError, CallTimeout, NodeDown, NodeNotRunning, NoProcess, ProcessDown
from pyerlcoin.beam.etf.terms import Atom, Pid, Reference, Term
from pyerlcoin.beam.node.targets import Target, locate, show

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.route import Route

__all__ = ["Calls", "Request"]

_NOPROC: Final = Atom("noproc")
_NOCONNECTION: Final = Atom("noconnection")


class _NoRouteYet:
    """In the place of a call's route while its node is being connected to."""

    def __init__(self, node: str) -> None:
        self.node = node

    def demonitor(self, process: Process, to: Pid | Atom, reference: Reference) -> None:
        """As `Route.demonitor`: there is nothing to undo."""


class _Call:
    """One that waits, until `future` is done or given up; from then on it holds none."""

    __slots__ = ("future", "route", "timeout", "to")

    def __init__(
        self, future: asyncio.Future[Term], route: Route | _NoRouteYet, to: Pid | Atom, timeout: float | None
    ) -> None:
        self.future: asyncio.Future[Term] | None = future
        self.route = route
        self.to = to
        self.timeout = timeout

    @property
    def over(self) -> bool:
        """As `Expiring.over`."""
        return self.future is None

    def expire(self) -> None:
        """As `Expiring.expire`."""
        assert self.timeout is not None
        self.fail(CallTimeout(show(self.route.node, self.to), self.timeout))

    def fail(self, error: BeamError) -> None:
        """The reply will not come."""
        if self.future is not None and not self.future.done():
            self.future.set_exception(error)


class Request:
    """A call that was sent, as the request id of OTP's `gen_server:send_request/2`: await it for the reply."""

    __slots__ = ("_calls", "_future", "reference")

    def __init__(self, calls: Calls, reference: Reference, future: asyncio.Future[Term]) -> None:
        self.reference: Final = reference
        self._calls = calls
        self._future = future

    def __await__(self) -> Generator[Any, None, Term]:
        try:
            return (yield from self._future)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Give it up; a late reply is dropped. Harmless once it has ended."""
        if self._future.done():
            _look_at(self._future)
        else:
            self._future.cancel()
        self._calls.give_up(self.reference)

    def excuse(self) -> None:
        """Nobody is to be warned if it fails and is never awaited."""
        self._future.add_done_callback(_look_at)


class Calls:
    """The pending calls of one process, by the wire of the reference that is their monitor and their tag.

    The tag is the plain reference: the most portable choice, and a late reply is dropped here instead of there.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._pending: dict[bytes, _Call] = {}

    def __len__(self) -> int:
        return len(self._pending)

    async def call(self, target: Target, request: Term, timeout: float | None) -> Term:
        """As `Process.call`."""
        process = self._process
        node = process.node
        node_name, to = locate(target, node.name)
        loop = node.loop
        deadline = None if timeout is None else loop.time() + timeout
        route = node.route_if_up(node_name)
        if route is None or route.behind():
            try:
                async with asyncio.timeout_at(deadline):
                    route = route or await node.route(node_name)
                    await route.drained()
            except TimeoutError:
                assert timeout is not None
                raise CallTimeout(show(node_name, to), timeout) from None
        if not process.alive:
            raise NodeNotRunning
        if deadline is None:
            return await self._send(route, to, request)
        reference = node.identities.call_reference()
        future: asyncio.Future[Term] = loop.create_future()
        call = self._pending[reference.wire] = _Call(future, route, to, timeout)
        try:
            route.call(process, to, reference, request)
            node.deadlines.add(deadline, call)
            try:
                return await future
            finally:
                call.future = None
                node.deadlines.ended()
        finally:
            # Still there: cancelled, timed out, or never sent.
            self.give_up(reference)

    def send_request(self, target: Target, request: Term) -> Request:
        """As `Process.send_request`."""
        if not self._process.alive:
            raise NodeNotRunning
        node_name, to = locate(target, self._process.node.name)
        route = self._process.node.route_if_up(node_name)
        if route is None:
            return self._send_once_connected(node_name, to, request)
        sent = self._send(route, to, request)
        route.can_wait(sent.reference)
        return sent

    def _send(self, route: Route, to: Pid | Atom, request: Term) -> Request:
        sent = self._pend(route, to)
        try:
            route.call(self._process, to, sent.reference, request)
        except BaseException:
            self.give_up(sent.reference)
            raise
        return sent

    def _send_once_connected(self, node_name: str, to: Pid | Atom, request: Term) -> Request:
        sent = self._pend(_NoRouteYet(node_name), to)
        sent.excuse()

        def use(route: Route) -> None:
            # In the turn of what else was sent to that node meanwhile, so that all of it arrives in order.
            call = self._pending.get(sent.reference.wire)
            if call is None:
                return
            call.route = route
            try:
                route.call(self._process, to, sent.reference, request)
            except BeamError as error:
                failed(error)
            else:
                route.can_wait(sent.reference)

        def failed(error: BeamError) -> None:
            call = self._pending.pop(sent.reference.wire, None)
            if call is not None:
                call.fail(error)

        self._process.node.via(node_name, use, failed)
        return sent

    def _pend(self, route: Route | _NoRouteYet, to: Pid | Atom) -> Request:
        node = self._process.node
        reference = node.identities.call_reference()
        future: asyncio.Future[Term] = node.loop.create_future()
        self._pending[reference.wire] = _Call(future, route, to, None)
        return Request(self, reference, future)

    def give_up(self, reference: Reference) -> None:
        """The reply to that call is not wanted any more. Harmless if it has come."""
        call = self._pending.pop(reference.wire, None)
        if call is not None:
            call.route.demonitor(self._process, call.to, reference)

    def resolve(self, reference: Reference, value: Term) -> bool:
        """A reply came. False if it belongs to no pending call."""
        call = self._pending.pop(reference.wire, None)
        if call is None:
            return False
        call.route.demonitor(self._process, call.to, reference)
        if call.future is not None and not call.future.done():
            call.future.set_result(value)
        return True

    def down(self, reference: Reference, reason: Term) -> bool:
        """The monitor of a call fired. False if it belongs to no pending call."""
        call = self._pending.pop(reference.wire, None)
        if call is None:
            return False
        call.fail(_meaning(call, reason))
        return True

    def fail_all(self, error: BeamError) -> None:
        """The calling process ended."""
        for wire, call in list(self._pending.items()):
            del self._pending[wire]
            call.route.demonitor(self._process, call.to, Reference(wire))
            call.fail(error)


def _meaning(call: _Call, reason: Term) -> BeamError:
    target = show(call.route.node, call.to)
    if reason == _NOPROC:
        return NoProcess(target)
    if reason == _NOCONNECTION:
        return NodeDown(call.route.node)
    return ProcessDown(target, reason)


def _look_at(future: asyncio.Future[Term]) -> None:
    if not future.cancelled():
        future.exception()
