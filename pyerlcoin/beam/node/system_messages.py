"""`{system, From, Request}`: what `:sys`, observers and `GenServer.stop` ask (OTP, sys and proc_lib)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlcoin.beam.etf.terms import ERROR, OK, Atom, Term

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.sender import Sender

__all__ = ["handle_system"]

_GET_STATE = Atom("get_state")
_GET_STATUS = Atom("get_status")
_TERMINATE = Atom("terminate")
_NOT_ALLOWED = Atom("not_allowed")
_UNKNOWN = Atom("unknown_system_msg")


def handle_system(process: Process, request: Term, sender: Sender) -> None:
    """Answer one. Nothing is suspended, replaced or traced: those get what `sys` answers to what it does not know."""
    if request == _GET_STATE:
        # OTP 26.1 and later take nothing but {ok, State}.
        sender.reply((OK, process.server.state()))
    elif request == _GET_STATUS:
        sender.reply(_status(process))
    elif isinstance(request, tuple) and len(request) == 2 and request[0] == _TERMINATE:
        if process.server.allow_stop:
            # GenServer.stop expects `ok` first, and then the end with this very reason.
            sender.reply(OK)
            process.exit(request[1])
        else:
            sender.reply((ERROR, _NOT_ALLOWED))
    else:
        sender.reply((ERROR, (_UNKNOWN, request)))


def _status(process: Process) -> Term:
    """`{status, Pid, {module, M}, [PDict, SysState, Parent, Debug, Misc]}`, as sys:get_status/1 gives it."""
    module = Atom(type(process.server).__qualname__[:255])
    misc = [
        (Atom("header"), f"Status for generic server {process.label}"),
        (Atom("data"), [("Status", Atom("running")), ("Logged events", [])]),
        (Atom("data"), [("State", process.server.state())]),
    ]
    return (Atom("status"), process.pid, (Atom("module"), module), [[], Atom("running"), process.pid, [], misc])
