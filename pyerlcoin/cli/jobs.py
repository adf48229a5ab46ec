"""Ctrl-Z and fg: what a command has done to its terminal is undone while it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Suspendable", "in_front", "stoppable"]


class Suspendable(Protocol):
    """Something that changes the terminal."""

    def suspend(self) -> None:
        """Leave the terminal to others, as it was."""

    def resume(self) -> None:
        """Have it again. Also called when the process was stopped without a `suspend`."""


def in_front(terminal: int) -> bool:
    """Whether this process is in the foreground of that terminal. One in the background is stopped for touching it."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False


@contextmanager
def stoppable(*parts: Suspendable) -> Iterator[None]:
    """While inside, SIGTSTP suspends `parts`, last one first, and stops; SIGCONT resumes them, first one first.

    A job that goes on in the background leaves the terminal alone until it comes to the foreground.
    """
    if signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN:
        # Started by something that has no jobs, and would not know how to go on with this one.
        yield
        return
    loop = asyncio.get_running_loop()

    continued = False

    def stop() -> None:
        nonlocal continued
        for part in reversed(parts):
            part.suspend()
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        continued = False
        # To this very thread, so that it is over when this returns.
        signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        if not continued:
            # The system stops no job that nobody could continue.
            go_on()

    def go_on() -> None:
        # Every shell moves a job to the foreground before it continues it.
        if not _has_terminal() or in_front(sys.stdout.fileno()):
            for part in parts:
                part.resume()

    def stop_soon(*_: object) -> None:
        loop.call_soon_threadsafe(stop)

    def go_on_soon(*_: object) -> None:
        nonlocal continued
        continued = True
        loop.call_soon_threadsafe(go_on)

    # As `running.stopping_by_signal` does it, and for its reason.
    handlers = {signal.SIGTSTP: stop_soon, signal.SIGCONT: go_on_soon}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except ValueError:
        return False  # closed
