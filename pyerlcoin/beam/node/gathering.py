"""When a connection leaves its socket alone for a moment, so that more calls come together.

Where many processes call at once, a read mostly finds two or three of their calls, and to be woken for so few costs
more than they do: the one who is woken, and the peer, whose processor it may be. A short wait before the next read
brings a dozen at a time. Network cards moderate their interrupts for the same reason.

But if the callers are few, all of them soon have their call in the socket, and then everybody waits for nothing. Nobody
says how many they are, so it is tried: a wait that brought about as much as a read ever brings lately had them all, and
is not tried again for a while, each time twice as long.

Replies are waited for only if who called says that several are wanted together (`Process.send_request`): all others
somebody may wait for, and call again after.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FEW", "REPLIES", "Gathering"]

FEW: Final = 2
"""Calls of one read that show more than one caller; and replies that are wanted together."""

REPLIES: Final = 8
"""A read of replies waits so many times as long as one of calls: no caller is kept from the next call by it."""

_MANY: Final = 10
"""Enough without waiting: what a read and a write cost, divided by it, is less than what a call costs itself."""

_ALL: Final = 0.7
"""A wait that brought more than this part of the largest read had all callers."""

_FORGET: Final = 0.01
"""How much nearer to its size each read brings what is held to be the largest."""

_MOST_READS: Final = 512
"""Between two waits for nothing: they cost a hundredth then."""


class Gathering:
    """That of one connection. `due`: whether the next read is to wait."""

    __slots__ = ("_largest", "_penalty", "_rest", "due")

    def __init__(self) -> None:
        self.due = False
        self._largest = 0.0  # calls of one read, lately
        self._rest = 0  # reads until the next trial
        self._penalty = 1

    def after(self, calls: int) -> None:
        """A read brought that many calls."""
        largest = self._largest
        self._largest = largest = calls if calls > largest else largest - (largest - calls) * _FORGET
        if self.due:
            self.due = False
            if calls <= largest * _ALL:
                self._penalty = 1
            else:
                self._rest = self._penalty
                self._penalty = min(2 * self._penalty, _MOST_READS)
        if self._rest:
            self._rest -= 1
        else:
            self.due = FEW <= calls < _MANY
