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
from typing import Any, Final

from pyerlcoin.cli.jobs import in_front

__all__ = ["Keys", "can_read_keys", "keys_read", "single_keys"]

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


class Keys:
    """A `jobs.Suspendable`: single keys from a terminal. Without one it does nothing."""

    def __init__(self, keyboard: int | None, press: Callable[[str], None]) -> None:
        self._keyboard = keyboard
        self._press = press
        self._loop = asyncio.get_running_loop()
        self._before: list[Any] | None = None

    def resume(self) -> None:
        if self._keyboard is None:
            return
        with suppress(termios.error):  # it hung up
            if self._before is None:
                self._before = termios.tcgetattr(self._keyboard)
            tty.setcbreak(self._keyboard, termios.TCSADRAIN)
            modes = termios.tcgetattr(self._keyboard)
            # Else Ctrl-Z and Ctrl-C throw away what is on its way to the screen: half a picture, and the next one draws
            # over what is not ours.
            modes[3] |= termios.NOFLSH
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, modes)
            blocking = os.get_blocking(self._keyboard)
            self._loop.add_reader(self._keyboard, self._readable)
            # A loop may want what it watches non-blocking. A terminal is shared with our output and with the shell, who
            # would miss what does not fit at once; and what is readable does not block.
            os.set_blocking(self._keyboard, blocking)

    def suspend(self) -> None:
        if self._keyboard is None:
            return
        self._loop.remove_reader(self._keyboard)
        before, self._before = self._before, None
        with suppress(termios.error):
            if before is not None and in_front(self._keyboard):
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, before)

    def _readable(self) -> None:
        assert self._keyboard is not None
        text = b""
        # A terminal that hung up, or that belongs to another job by now, would be readable for ever.
        with suppress(OSError):
            text = os.read(self._keyboard, 64) if in_front(self._keyboard) else b""
        if not text:
            self._loop.remove_reader(self._keyboard)
        for key in single_keys(text):
            self._press(key)


@asynccontextmanager
async def keys_read(press: Callable[[str], None]) -> AsyncIterator[Keys]:
    """`press` hears of each key, in lower case, while inside, if `can_read_keys`.

    Ctrl-C stays a signal. Afterwards the terminal is as it was, whatever happened inside.
    """
    keys = Keys(_keyboard(), press)
    keys.resume()
    try:
        yield keys
    finally:
        keys.suspend()


def _keyboard() -> int | None:
    try:
        keyboard, output = sys.stdin.fileno(), sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        # Closed, or not a file at all.
        return None
    return keyboard if os.isatty(keyboard) and os.isatty(output) and in_front(keyboard) else None
