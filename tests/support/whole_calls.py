"""What a CallReceived stands for, message by message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyerlcoin.beam.dist import GEN_CALL, CallReceived, DemonitorReceived, LinkEvent, MonitorReceived, RegSend

__all__ = ["unfold"]


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
