"""Who a GenServer call came from, and the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyerlcoin.beam.dist import alias_tag
from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf.encode import encode
from pyerlcoin.beam.etf.terms import Pid, Reference, Term

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.route import Route

__all__ = ["Sender"]

_ROOM: Final = 4096
"""Bytes that are enough for all of a reply's frame but its value: two pids and a reference, with the longest names."""


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

        Nor does one whose tag is so long that the reply does not fit beside it.

        Raises:
            UnencodableTerm: the value has no external form; nothing was sent.
        """
        if self._replied:
            return
        try:
            self._send(value)
        except UnencodableTerm:
            if not self._too_long_a_tag(value):
                raise
        self._replied = True

    def _send(self, value: Term) -> None:
        pid, route = self.pid, self._route
        if self._alias is not None and route.up:
            route.reply_to_alias(self._process.pid, pid, self._alias, value)
        elif route.up and pid.wire.startswith(route.pid_prefix):
            route.reply(self._process.pid, pid, self._tag, value)
        else:
            # A call that somebody passed on for a process elsewhere, or a caller that has connected anew.
            server, tag = self._process.pid, self.tag
            self._process.node.via(pid.node, lambda way: way.reply(server, pid, tag, value))

    def _too_long_a_tag(self, value: Term) -> bool:
        # A tag is whatever the caller sent, up to the length of a frame: no reason for a process of ours to end.
        if self._alias is not None or isinstance(self._tag, Reference):
            return False
        limit = self._process.node.limits.frame_bytes
        return len(encode(value)) <= limit - min(_ROOM, limit // 2)

    def __repr__(self) -> str:
        return f"Sender({self.pid!r})"
