"""What a BEAM writes for a GenServer.call, and what a CallReceived stands for, message by message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyerlcoin.beam.dist import (
    GEN_CALL,
    CallReceived,
    Control,
    DemonitorP,
    DemonitorReceived,
    LinkEvent,
    MonitorP,
    MonitorReceived,
    RegSend,
)
from pyerlcoin.beam.etf import Atom, ImproperList, Pid, Reference
from tests.support.nodes import RawPeer

__all__ = ["pid_of", "ref_of", "unfold", "whole_call"]


def unfold(events: Iterable[LinkEvent]) -> Iterator[LinkEvent]:
    """The events, with the three messages of a whole call in its place."""
    for event in events:
        if isinstance(event, CallReceived):
            if event.ended is not None:
                yield DemonitorReceived(event.ended, event.target)
            yield MonitorReceived(event.key, event.target)
            yield RegSend(event.caller, event.target, (GEN_CALL, (event.caller, event.tag), event.request))
        else:
            yield event


def pid_of(peer: RawPeer, number: int = 1) -> Pid:
    """One of its processes."""
    return Pid.make(peer.name, number, 0, peer.creation)


def ref_of(peer: RawPeer, number: int = 1) -> Reference:
    """One of its references."""
    return Reference.make(peer.name, peer.creation, (number, 2, 3))


def whole_call(peer: RawPeer, name: str, number: int) -> list[Control]:
    """What a BEAM writes for the call with that number of one process: the monitor of the one before ends."""
    me, name_, ref = pid_of(peer), Atom(name), ref_of(peer, number)
    call = RegSend(me, name_, (GEN_CALL, (me, ImproperList([Atom("alias")], ref)), number))
    before = [DemonitorP(me, name_, ref_of(peer, number - 1))] if number > 1 else []
    return [*before, MonitorP(me, name_, ref), call]
