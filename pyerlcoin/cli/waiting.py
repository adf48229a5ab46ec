"""What a miner that is not served waits for, in words; gathered from its events."""

from __future__ import annotations

from math import ceil

from pyerlcoin.cli.text import shown
from pyerlcoin.roles import events

__all__ = ["Waiting"]


class Waiting:
    """Subscribe `event`; then ask `words`."""

    def __init__(self) -> None:
        self._retry: tuple[events.Retrying, float] | None = None
        self._slow: events.StillWaiting | None = None

    def event(self, event: object, now: float) -> None:
        """It happened at `now`."""
        match event:
            case events.Joined():
                self._retry = self._slow = None
            case events.Retrying():
                self._retry, self._slow = (event, now), None
            case events.StillWaiting():
                self._slow = event
            case events.UnitTaken() | events.CoinAccepted() | events.CoinRejected():
                # Some call was answered; the one that was slow may be another lane's.
                if self._slow is not None and self._slow.lane == event.lane:
                    self._slow = None
            case _:
                pass

    def words(self, now: float) -> str | None:
        """None when there is nothing to wait for."""
        if self._slow is not None:
            return f"has not answered {self._slow.request} yet"
        if self._retry is None:
            return None
        retry, at = self._retry
        left = ceil(at + retry.delay - now)
        when = f"in {left} s" if left > 0 else "now"
        return f"attempt {retry.attempt} {when}: {shown(retry.reason, 300)}"
