"""Who a GenServer call came from, and the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlcoin.beam.etf.terms import Pid, Term

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.route import Route

__all__ = ["Sender"]


class Sender:
    """The caller: `pid`, and the `tag` that its reply has to bring back, whatever its shape."""

    __slots__ = ("_process", "_replied", "_route", "pid", "tag")

    def __init__(self, process: Process, pid: Pid, tag: Term, route: Route) -> None:
        self.pid = pid
        self.tag = tag
        self._process = process
        self._route = route
        self._replied = False

    def reply(self, value: Term) -> None:
        """Send the reply. Only the first one is sent. A caller that is gone, or gave up, gets nothing.

        Raises:
            UnencodableTerm: the value has no external form; nothing was sent.
        """
        if self._replied:
            return
        pid, route = self.pid, self._route
        if route.up and pid.wire.startswith(route.pid_prefix):
            route.reply(self._process.pid, pid, self.tag, value)
        else:
            # A call that somebody passed on for a process elsewhere, or a caller that has connected anew.
            server, tag = self._process.pid, self.tag
            self._process.node.via(pid.node, lambda way: way.reply(server, pid, tag, value))
        self._replied = True

    def __repr__(self) -> str:
        return f"Sender({self.pid!r})"
