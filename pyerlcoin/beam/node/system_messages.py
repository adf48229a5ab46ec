"""`{system, From, Request}`: what `:sys`, observers and `GenServer.stop` ask (OTP, sys and proc_lib)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlcoin.beam.errors import UnencodableTerm
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
_CALLBACK_FAILED = Atom("callback_failed")
_EXCEPTION = Atom("exception")


def handle_system(process: Process, request: Term, sender: Sender) -> None:
    """Answer one. Nothing is suspended, replaced or traced: those get what `sys` answers to what it does not know.

    A question ends no process: of a `state()` that raises, or that no message can hold, the asker is told as by `sys`.
    """
    if isinstance(request, tuple) and len(request) == 2 and request[0] == _TERMINATE:
        if process.server.allow_stop:
            # GenServer.stop expects `ok` first, and then the end with this very reason.
            sender.reply(OK)
            process.exit(request[1])
        else:
            sender.reply((ERROR, _NOT_ALLOWED))
    elif request in (_GET_STATE, _GET_STATUS):
        try:
            # OTP 26.1 and later take nothing but {ok, State}.
            sender.reply((OK, process.server.state()) if request == _GET_STATE else _status(process))
        except Exception as error:  # noqa: BLE001  # the program's own, whatever it is
            failed = (_module(process), Atom("state"))
            sender.reply((ERROR, (_CALLBACK_FAILED, failed, (_EXCEPTION, type(error).__name__))))
    else:
        try:
            sender.reply((ERROR, (_UNKNOWN, request)))
        except UnencodableTerm:  # it came in a message of the greatest length, and has another form on the way back
            sender.reply((ERROR, _UNKNOWN))


def _status(process: Process) -> Term:
    """`{status, Pid, {module, M}, [PDict, SysState, Parent, Debug, Misc]}`, as sys:get_status/1 gives it."""
    misc = [
        (Atom("header"), f"Status for generic server {process.label}"),
        (Atom("data"), [("Status", Atom("running")), ("Logged events", [])]),
        (Atom("data"), [("State", process.server.state())]),
    ]
    return (
        Atom("status"),
        process.pid,
        (Atom("module"), _module(process)),
        [[], Atom("running"), process.pid, [], misc],
    )


def _module(process: Process) -> Atom:
    return Atom(type(process.server).__qualname__[:255])
