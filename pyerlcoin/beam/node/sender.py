"""Who a GenServer call came from, and the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlcoin.beam.dist import alias_tag
from pyerlcoin.beam.etf.terms import Pid, Term

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.route import Route

__all__ = ["Sender"]


class Sender:
    """The caller: `pid`, and the `tag` that its reply has to bring back, whatever its shape."""

    __slots__ = ("_alias", "_process", "_replied", "_route", "_tag", "pid")

    def __init__(self, process: Process, pid: Pid, tag: Term, route: Route, alias: bytes | None = None) -> None:
        """`alias`: the wire of the reference in the tag of a GenServer.call, `[alias | Ref]`, when its caller is of the
        very node that `route` leads to; `tag` is not looked at then."""
        self.pid = pid
        self._tag = tag
        self._alias = alias
        self._process = process
        self._route = route
        self._replied = False

    @property
    def tag(self) -> Term:
        """What the reply has to bring back."""
        return self._tag if self._alias is None else alias_tag(self._alias)

    def reply(self, value: Term) -> None:
        """Send the reply. Only the first one is sent. A caller that is gone, or gave up, gets nothing.

        Raises:
            UnencodableTerm: the value has no external form; nothing was sent.
        """
        if self._replied:
            return
        pid, route = self.pid, self._route
        if self._alias is not None and route.up:
            route.reply_to_alias(self._process.pid, pid, self._alias, value)
        elif route.up and pid.wire.startswith(route.pid_prefix):
            route.reply(self._process.pid, pid, self._tag, value)
        else:
            # A call that somebody passed on for a process elsewhere, or a caller that has connected anew.
            server, tag = self._process.pid, self.tag
            self._process.node.via(pid.node, lambda way: way.reply(server, pid, tag, value))
        self._replied = True

    def __repr__(self) -> str:
        return f"Sender({self.pid!r})"
