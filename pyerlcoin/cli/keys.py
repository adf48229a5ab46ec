"""Single keys from the terminal: read as they are pressed, and not shown."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

__all__ = ["can_read_keys", "keys_read", "single_keys"]

# ECMA-48: a control sequence (an arrow, say), a single shift (F1), or another escape. One read may bring several keys.
_SEQUENCE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)


def single_keys(text: bytes) -> str:
    """The keys of one character in what a terminal sent, in lower case, without those of several characters."""
    return _SEQUENCE.sub(b"", text).decode("ascii", "ignore").lower()


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
        for key in single_keys(text):
            press(key)

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
