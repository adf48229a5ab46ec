"""A GenServer: what a process does with its messages (OTP, gen_server)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, ClassVar, Final

from pyerlcoin.beam.etf.terms import NIL, Atom, Pid, Reference, Term

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.sender import Sender

__all__ = ["NO_REPLY", "GenServer"]


class _NoReply(enum.Enum):
    NO_REPLY = "no reply yet"


NO_REPLY: Final = _NoReply.NO_REPLY
"""Returned by `handle_call` when the reply comes later, by `sender.reply(term)`."""

_DOWN: Final = Atom("DOWN")
_EXIT: Final = Atom("EXIT")
_PROCESS: Final = Atom("process")


class GenServer:
    """Subclass it and give it to `Node.spawn`.

    Every handler may be a plain function or a coroutine function. One message is handled at a time, in the order
    of arrival: while a coroutine waits, the messages after it wait too. A handler that never waits is called
    straight from the socket's reader, so it must not block the event loop. A coroutine handler runs as a task, with
    the context variables of the node's start, and what it sets of them is seen by nobody else. Those that end without
    having waited share one task, which a running node keeps in reserve: keep nothing by `asyncio.current_task()`.

    What a handler raises ends this process with the reason `{exception, <<"ClassName">>}`, is told as
    `ProcessCrashed`, and ends nothing else.

    Processes trap exits: when a linked process ends, `handle_exit` is called and this process lives on. `exit/2` from
    another node is ignored: only this node ends its processes.
    """

    process: Process
    """The process that runs it; set before the first handler is called."""

    allow_stop: ClassVar[bool] = False
    """Whether `GenServer.stop` from another process is obeyed. If not, it is answered `{error, not_allowed}`."""

    def handle_call(self, request: Term, sender: Sender) -> object:
        """A `GenServer.call`. Returns the reply, or NO_REPLY. By default the reply is `{error, bad_request}`."""
        return (Atom("error"), Atom("bad_request"))

    def handle_cast(self, request: Term) -> object:
        """A `GenServer.cast`. By default ignored."""
        return None

    def handle_info(self, message: Term) -> object:
        """Any other message. By default ignored."""
        return None

    def handle_down(self, target: Term, reference: Reference, reason: Term) -> object:
        """A monitored process is gone. `target` is its pid, or `(name, node)` if it was monitored so.

        By default this is the message `{'DOWN', Reference, process, Target, Reason}`, given to `handle_info`.
        """
        return self.handle_info((_DOWN, reference, _PROCESS, target, reason))

    def handle_exit(self, pid: Pid, reason: Term) -> object:
        """A linked process is gone. By default this is the message `{'EXIT', Pid, Reason}`, given to `handle_info`."""
        return self.handle_info((_EXIT, pid, reason))

    def terminate(self, reason: Term) -> None:
        """The process ends: its name is free already, and its monitors have been told. Must not wait."""

    def state(self) -> Term:
        """What `:sys.get_state` shows. By default `nil`."""
        return NIL
