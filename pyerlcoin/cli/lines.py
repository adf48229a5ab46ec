"""Plain log lines, for pipes, files and those who prefer them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Final

from pyerlcoin.cli.few import Few
from pyerlcoin.cli.output import has_hung_up, is_unread, silence

__all__ = ["EVERY", "MOST", "Lines", "Output"]

EVERY: Final = 10.0
"""Seconds between two lines of status."""

MOST: Final = 50
"""Lines of a kind in one second, of what may come in thousands: nobody reads more, and each costs a miner's request."""


class Output:
    """Standard output, a line at a time. When nobody reads it any more, `closed` is called, once.

    But not for a terminal that hung up: whoever closed it, and has SIGHUP ignored, wants this to go on. What finds no
    room on a full disk is lost, unless the buffer has some.
    """

    def __init__(self, closed: Callable[[], None]) -> None:
        self._closed = closed
        self._broken = False

    def write(self, line: str) -> None:
        """A line, or several with line ends between them, there at once."""
        if self._broken:
            return
        try:
            # In one piece: printed by its parts, each would be a system call where standard output is not buffered.
            print(line + "\n", end="", flush=True)
        except OSError as error:
            if not is_unread(error):
                # No room, most likely. Whoever watches misses a line; the game goes on, and so do later lines.
                return
            self._broken = True
            silence(sys.stdout)
            if not has_hung_up(error):
                self._closed()


class Lines:
    """A `running.Show`. `sentence` gives the line of an event, `status` the one that comes every ten seconds.

    Events of the classes `frequent` get MOST lines each in a second; one line says how many more there were, at the
    latest before an event of the class `last`. When nobody reads its output any more, `closed` is called, once.
    """

    def __init__(
        self,
        sentence: Callable[[object], str | None],
        status: Callable[[], str | None],
        closed: Callable[[], None],
        *,
        frequent: tuple[type, ...] = (),
        last: type | tuple[type, ...] = (),
        every: float = EVERY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._sentence = sentence
        self._status = status
        self._output = Output(closed)
        self._frequent = frequent
        self._last = last
        self._every = every
        self._few = Few(MOST, clock)

    def event(self, event: object) -> None:
        if isinstance(event, self._frequent):
            if self._few.is_over():
                self._say_rest()
            if not self._few.take(type(event)):
                return
        elif isinstance(event, self._last):
            self._say_rest()
        line = self._sentence(event)
        if line is not None:
            self.say(line)

    def _say_rest(self) -> None:
        rest = self._few.rest()
        if rest is not None:
            self.say(rest)

    def say(self, *lines: str) -> None:
        """Each with the time before it."""
        for line in lines:
            self._output.write(f"{datetime.now():%H:%M:%S} {line}")

    def status(self) -> None:
        line = self._status()
        if line is not None:
            self.say(line)

    def suspend(self) -> None:
        pass

    def resume(self) -> None:
        pass

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            self._say_rest()
            self.status()

    def close(self) -> None:
        self._say_rest()
