"""Single keys from the terminal: read as they are pressed, and not shown."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

__all__ = ["can_read_keys", "keys_read"]


def can_read_keys() -> bool:
    """Whether standard input and output are both a terminal, and this process is in its foreground.

    What it writes to may be a pager that reads the same keyboard; and a job in the background that touches the
    terminal is stopped by it.
    """
    return _keyboard() is not None


@asynccontextmanager
async def keys_read(press: Callable[[str], None]) -> AsyncIterator[None]:
    """`press` hears of each key, in lower case, while inside, if `can_read_keys`.

    Ctrl-C stays a signal. Afterwards the terminal is as it was, whatever happened inside.
    """
    keyboard = _keyboard()
    if keyboard is None:
        yield
        return
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(keyboard)

    def readable() -> None:
        text = b""
        # A terminal that hung up, or that belongs to another job by now, would be readable for ever.
        with suppress(OSError):
            text = os.read(keyboard, 64) if _in_front(keyboard) else b""
        if not text:
            loop.remove_reader(keyboard)
        elif not text.startswith(b"\x1b"):  # an arrow or another key of several characters is none of ours
            for key in text.decode("ascii", "ignore"):
                press(key.lower())

    tty.setcbreak(keyboard, termios.TCSADRAIN)
    try:
        loop.add_reader(keyboard, readable)
        yield
    finally:
        loop.remove_reader(keyboard)
        with suppress(termios.error):
            if _in_front(keyboard):
                termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _keyboard() -> int | None:
    try:
        keyboard, output = sys.stdin.fileno(), sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        # Closed, or not a file at all.
        return None
    return keyboard if os.isatty(keyboard) and os.isatty(output) and _in_front(keyboard) else None


def _in_front(keyboard: int) -> bool:
    try:
        return os.tcgetpgrp(keyboard) == os.getpgrp()
    except OSError:
        return False
