"""Calls outward: `gen:call`'s monitor, request and demonitor, and the future that a reply ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from pyerlcoin.beam.dist import GEN_CALL
from pyerlcoin.beam.errors import BeamError, CallTimeout, NodeDown, NodeNotRunning, NoProcess, ProcessDown
from pyerlcoin.beam.etf.terms import Atom, Pid, Reference, Term
from pyerlcoin.beam.node.targets import Target, locate, show

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.route import Route

__all__ = ["Calls"]

_NOPROC: Final = Atom("noproc")
_NOCONNECTION: Final = Atom("noconnection")


class _Call:
    """One that waits."""

    __slots__ = ("future", "route", "to")

    def __init__(self, future: asyncio.Future[Term], route: Route, to: Pid | Atom) -> None:
        self.future = future
        self.route = route
        self.to = to


class Calls:
    """The pending calls of one process, by the reference that is their monitor and their tag.

    The tag is the plain reference: the most portable choice, and a late reply is dropped here instead of there.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._pending: dict[Reference, _Call] = {}

    def __len__(self) -> int:
        return len(self._pending)

    async def call(self, target: Target, request: Term, timeout: float | None) -> Term:
        """As `Process.call`."""
        process = self._process
        node_name, to = locate(target, process.node.name)
        loop = process.node.loop
        deadline = None if timeout is None else loop.time() + timeout
        route = process.node.route_if_up(node_name)
        if route is None:
            try:
                async with asyncio.timeout_at(deadline):
                    route = await process.node.route(node_name)
            except TimeoutError:
                assert timeout is not None
                raise CallTimeout(show(node_name, to), timeout) from None
        if not process.alive:
            raise NodeNotRunning
        reference = process.node.identities.reference()
        future: asyncio.Future[Term] = loop.create_future()
        self._pending[reference] = _Call(future, route, to)
        clock = None
        try:
            route.monitor(process, to, reference)
            route.send(process.pid, to, (GEN_CALL, (process.pid, reference), request))
            if deadline is not None:
                assert timeout is not None
                clock = loop.call_at(deadline, self._time_out, reference, timeout)
            return await future
        finally:
            if clock is not None:
                clock.cancel()
            # Still there: cancelled, timed out, or never sent.
            if self._pending.pop(reference, None) is not None:
                route.demonitor(process, to, reference)

    def resolve(self, reference: Reference, value: Term) -> bool:
        """A reply came. False if it belongs to no pending call."""
        call = self._pending.pop(reference, None)
        if call is None:
            return False
        call.route.demonitor(self._process, call.to, reference)
        if not call.future.done():
            call.future.set_result(value)
        return True

    def down(self, reference: Reference, reason: Term) -> bool:
        """The monitor of a call fired. False if it belongs to no pending call."""
        call = self._pending.pop(reference, None)
        if call is None:
            return False
        if not call.future.done():
            call.future.set_exception(_meaning(call, reason))
        return True

    def fail_all(self, error: BeamError) -> None:
        """The calling process ended."""
        for reference, call in list(self._pending.items()):
            del self._pending[reference]
            call.route.demonitor(self._process, call.to, reference)
            if not call.future.done():
                call.future.set_exception(error)

    def _time_out(self, reference: Reference, timeout: float) -> None:
        call = self._pending.get(reference)
        if call is not None and not call.future.done():
            call.future.set_exception(CallTimeout(show(call.route.node, call.to), timeout))


def _meaning(call: _Call, reason: Term) -> BeamError:
    target = show(call.route.node, call.to)
    if reason == _NOPROC:
        return NoProcess(target)
    if reason == _NOCONNECTION:
        return NodeDown(call.route.node)
    return ProcessDown(target, reason)
