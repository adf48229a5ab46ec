"""A command that runs until it is told to stop: signals, and the task that shows it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from pyerlcoin.errors import ExitCode

__all__ = ["Interruption", "Show", "noting_ctrl_c", "shown_by", "stopping_by_signal", "until_stopped"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Interruption:
    """Whether a signal came. The exit code says so."""

    came: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """INTERRUPTED or DONE."""
        return ExitCode.INTERRUPTED if self.came else ExitCode.DONE


class Show(Protocol):
    """What a command shows while it runs."""

    def event(self, event: object) -> None:
        """Something happened."""

    def say(self, *lines: str) -> None:
        """Lines for whoever watches; none takes the last ones away where that can be."""

    def status(self) -> None:
        """Show how it stands, now."""

    def suspend(self) -> None:
        """Leave the terminal to others, as it was: see `jobs.Suspendable`."""

    def resume(self) -> None:
        """Have it again."""

    async def run(self) -> None:
        """Keep what is shown up to date, until cancelled."""

    def close(self) -> None:
        """Nothing more is shown, and the terminal is as it was."""


@asynccontextmanager
async def stopping_by_signal(stop: Callable[[], None]) -> AsyncIterator[Interruption]:
    """The first Ctrl-C (or SIGTERM) calls `stop`, a second one cancels the task that is inside."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    interruption = Interruption()

    def signalled() -> None:
        if interruption.came:
            task.cancel()
        else:
            interruption.came = True
            stop()

    # Not loop.add_signal_handler: it hears of a signal by a byte in the loop's wake-up pipe. While search threads have
    # filled that pipe the byte is lost, and the signal with it.
    before = {number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(signalled)) for number in _SIGNALS}
    try:
        with _waking(loop):
            yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _waking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Any signal wakes the loop, so that Python's handler of it runs at once.

    By itself a loop sleeps on when another thread got the signal, or when it came a moment before the loop fell asleep.
    """
    if os.name == "nt":
        # Its loop does so by itself, and reads no sockets for others.
        yield
        return
    woken, waking = socket.socketpair()
    with woken, waking:
        woken.setblocking(False)
        waking.setblocking(False)
        # Of Python, not `woken.recv` itself: uvloop calls that without a look at signals before or after.
        loop.add_reader(woken, lambda: woken.recv(4096))
        before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)
            loop.remove_reader(woken)


@asynccontextmanager
async def shown_by(show: Show) -> AsyncIterator[None]:
    """`show` is up to date while inside."""
    task = asyncio.create_task(show.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        show.close()


async def until_stopped() -> ExitCode:
    """Until a signal comes."""
    stopped = asyncio.Event()
    async with stopping_by_signal(stopped.set) as interruption:
        await stopped.wait()
    return interruption.exit_code


@contextmanager
def noting_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether a Ctrl-C came is what it yields. One that came is a KeyboardInterrupt at the end; a second one, at once.

    For what shares locks with threads and waits for them: an exception out of nowhere can leave the lock of a
    `threading.Condition` taken, and then its threads wait forever. A CancelledError from inside is the interruption's.
    """
    came = False

    def signalled(*_: object) -> None:
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True

    before = signal.signal(signal.SIGINT, signalled)
    try:
        yield lambda: came
    except CancelledError:
        if not came:
            raise
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
