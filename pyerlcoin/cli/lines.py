"""Plain log lines, for pipes, files and those who prefer them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Final

__all__ = ["Lines"]

EVERY: Final = 10.0
"""Seconds between two lines of status."""


class Lines:
    """A `running.Show`. `sentence` gives the line of an event, `status` the one that comes every ten seconds.

    When nobody reads its output any more, `closed` is called, once.
    """

    def __init__(
        self,
        sentence: Callable[[object], str | None],
        status: Callable[[], str | None],
        closed: Callable[[], None],
        *,
        every: float = EVERY,
    ) -> None:
        self._sentence = sentence
        self._status = status
        self._closed = closed
        self._every = every
        self._broken = False

    def event(self, event: object) -> None:
        line = self._sentence(event)
        if line is not None:
            self.say(line)

    def say(self, line: str) -> None:
        """One line, with the time before it."""
        if self._broken:
            return
        try:
            print(f"{datetime.now():%H:%M:%S} {line}", flush=True)
        except BrokenPipeError:
            self._broken = True
            # What is left in the buffer must not raise again when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._closed()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            line = self._status()
            if line is not None:
                self.say(line)

    def close(self) -> None:
        pass
