"""Child processes of the tests: their lines as events, their end as a promise.

A `Child` reads its process in threads, so the same child serves several event loops (one fixture, many tests). Every
wait ends with an event: a line, the end of the process, or the deadline, and then the error carries what was said.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self, TypeAlias

from tests.support.clock import UNIT

__all__ = ["Child", "ChildFailed", "Stream", "at_least", "has_children", "pyerlcoin", "run_pyerlcoin"]

Stream: TypeAlias = Literal["out", "err"]
_TAIL = 60
"""Lines of a child's output that an error shows."""


def at_least(least: int) -> str:
    """A regular expression for the integers from `least` up, which is at least 0, between word boundaries.

    For a log that need not say every one of them.
    """
    digits = str(least)
    size = len(digits)
    ways = [digits, rf"[1-9]\d{{{size},}}"]
    for place, digit in enumerate(digits):
        if digit != "9":
            ways.append(rf"{digits[:place]}[{int(digit) + 1}-9]\d{{{size - place - 1}}}")
    return rf"\b(?:{'|'.join(ways)})\b"


async def has_children(pid: int) -> bool:
    """Whether that process has started others, which still are there. On Linux."""
    for stat in Path("/proc").glob("[0-9]*/stat"):  # noqa: ASYNC240  # no file on a disk
        with contextlib.suppress(OSError):
            # "pid (name) state parent …", and a name may hold anything.
            if stat.read_text().rpartition(")")[2].split()[1] == str(pid):
                return True
    return False


class ChildFailed(AssertionError):
    """The child ended, or its deadline passed, before what the test waited for. Carries the child's last words."""


class _Waiter:
    """Somebody waits until `count` lines with the pattern have been said."""

    def __init__(self, pattern: re.Pattern[str], streams: tuple[Stream, ...], count: int) -> None:
        self.pattern = pattern
        self.streams = streams
        self.missing = count
        self.future: concurrent.futures.Future[re.Match[str]] = concurrent.futures.Future()

    def offer(self, stream: Stream, line: str) -> bool:
        if stream not in self.streams:
            return False
        match = self.pattern.search(line)
        if match is None:
            return False
        self.missing -= 1
        if self.missing:
            return False
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(match)
        return True


class Child:
    """A running child process. Use it as a context manager (`with` or `async with`): it is gone afterwards."""

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        label: str = "child",
        output: Path | None = None,
    ) -> None:
        """Starts `argv`. `env` is added to this process's environment. Raises OSError when it cannot be started.

        output: a file for its standard output, which nobody here reads then: `out` stays empty. For what says so much
            that reading it would be felt.
        """
        self.label = label
        self.out: list[str] = []
        self.err: list[str] = []
        self._lock = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._ended: concurrent.futures.Future[int] = concurrent.futures.Future()
        with contextlib.ExitStack() as until_started:
            self._process = subprocess.Popen(
                [os.fspath(part) for part in argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if output is None else until_started.enter_context(output.open("wb")),
                stderr=subprocess.PIPE,
                env={**os.environ, **(env or {})},
                cwd=cwd,
            )
        pipes: list[tuple[Stream, IO[bytes] | None]] = [("out", self._process.stdout), ("err", self._process.stderr)]
        self._readers = [
            threading.Thread(target=self._read, args=(stream, pipe), daemon=True)
            for stream, pipe in pipes
            if pipe is not None
        ]
        self._reaper = threading.Thread(target=self._reap, daemon=True)
        for thread in (*self._readers, self._reaper):
            thread.start()

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ended.done()

    @property
    def returncode(self) -> int | None:
        """What it ended with: an exit code, or the negative number of the signal; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    @property
    def log(self) -> str:
        """Its last words on both streams, for the message of a failing test."""
        with self._lock:
            out, err = self.out[-_TAIL:], self.err[-_TAIL:]
        return "\n".join([f"--- {self.label} stdout", *out, f"--- {self.label} stderr", *err])

    def on_line(self, stream: Stream, line: str) -> None:
        """Called in the reader's thread for each line, before any waiter sees it. For subclasses."""

    def write(self, text: str) -> None:
        """Sends text to its standard input. Raises ChildFailed when nobody reads it any more."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("is gone and reads nothing") from None

    def close_stdin(self) -> None:
        """Its standard input ends."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended with unread input; closing is all that was asked
            self._process.stdin.close()

    async def wait_line(
        self, pattern: str, *, stream: Stream | None = None, count: int = 1, timeout: float = 20 * UNIT
    ) -> re.Match[str]:
        """The first line, said already or yet to come, in which the regular expression `pattern` is found.

        With `count`, the so-many-th such line. Raises ChildFailed when the process ends, or `timeout` seconds pass,
        without it.
        """
        return await self._wait(pattern, stream, count, timeout, past=True)

    async def wait_next_line(
        self, pattern: str, *, stream: Stream | None = None, count: int = 1, timeout: float = 20 * UNIT
    ) -> re.Match[str]:
        """As `wait_line`, for lines yet to come only."""
        return await self._wait(pattern, stream, count, timeout, past=False)

    def matches(self, pattern: str) -> list[re.Match[str]]:
        """The lines of both streams so far in which `pattern` is found."""
        with self._lock:
            lines = [*self.out, *self.err]
        return [match for line in lines if (match := re.search(pattern, line))]

    def wait_line_sync(
        self, pattern: str, *, stream: Stream | None = None, timeout: float = 20 * UNIT
    ) -> re.Match[str]:
        """As `wait_line`, for fixtures and tests without an event loop."""
        waiter = self._watch(pattern, stream, 1, past=True)
        try:
            return waiter.future.result(timeout)
        except concurrent.futures.TimeoutError:
            raise self._failure(f"said no line like {pattern!r} within {timeout:g} s") from None
        finally:
            self._unwatch(waiter)

    async def _wait(
        self, pattern: str, stream: Stream | None, count: int, timeout: float, *, past: bool
    ) -> re.Match[str]:
        waiter = self._watch(pattern, stream, count, past=past)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(waiter.future), timeout)
        except TimeoutError:
            raise self._failure(f"said no line like {pattern!r} within {timeout:g} s") from None
        finally:
            self._unwatch(waiter)

    def _watch(self, pattern: str, stream: Stream | None, count: int, *, past: bool) -> _Waiter:
        streams: tuple[Stream, ...] = (stream,) if stream else ("out", "err")
        waiter = _Waiter(re.compile(pattern), streams, count)
        with self._lock:
            if past:
                for each in streams:
                    if any(waiter.offer(each, line) for line in (self.out if each == "out" else self.err)):
                        return waiter
            if not self._ended.done():
                self._waiters.append(waiter)
                return waiter
        raise self._failure(f"ended with {self.returncode} before a line like {pattern!r}")

    def _unwatch(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    async def wait(self, timeout: float = 20 * UNIT) -> int:
        """Its exit code, once it has ended and every line was read. Raises ChildFailed after `timeout` seconds."""
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._ended)), timeout)
        except TimeoutError:
            raise self._failure(f"did not end within {timeout:g} s") from None

    def wait_sync(self, timeout: float = 20 * UNIT) -> int:
        """As `wait`, for tests without an event loop."""
        try:
            return self._ended.result(timeout)
        except concurrent.futures.TimeoutError:
            raise self._failure(f"did not end within {timeout:g} s") from None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; nothing happens when it has ended already."""
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self.signal(signal.SIGINT)

    def kill(self) -> None:
        """kill -9: it has no time for a last word."""
        self.signal(signal.SIGKILL)

    def close(self) -> None:
        """Ends it, by force if need be, and waits until every thread of ours is done with it."""
        if self.running:
            self.kill()
        self._reaper.join()
        self.close_stdin()

    def ready(self) -> None:
        """What entering the `with` block waits for. Nothing, unless a subclass says so."""

    def _failure(self, what: str) -> ChildFailed:
        return ChildFailed(f"{self.label} {what}\n{self.log}")

    def _read(self, stream: Stream, pipe: IO[bytes]) -> None:
        with pipe:
            for raw in pipe:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self.on_line(stream, line)
                with self._lock:
                    (self.out if stream == "out" else self.err).append(line)
                    self._waiters = [waiter for waiter in self._waiters if not waiter.offer(stream, line)]

    def _reap(self) -> None:
        code = self._process.wait()
        # A grandchild may hold the pipes open for ever; the lines of the child itself are there long before that.
        for reader in self._readers:
            reader.join(5 * UNIT)
        with self._lock:
            self._ended.set_result(code)
            waiters, self._waiters = self._waiters, []
        failure = self._failure(f"ended with {code}")
        for waiter in waiters:
            if waiter.future.set_running_or_notify_cancel():
                waiter.future.set_exception(failure)
        self.on_end(failure)

    def on_end(self, failure: ChildFailed) -> None:
        """Called in a thread once it has ended. For subclasses."""

    def __enter__(self) -> Self:
        try:
            self.ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)


def pyerlcoin(
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    label: str | None = None,
    within: Sequence[str] = (),
) -> Child:
    """`pyerlcoin ARGS` as a child process: this interpreter, this checkout, plain lines and no colours.

    within: what runs it, if anything: `ip netns exec NAME`, say.
    """
    here = Path(__file__).resolve().parents[2]
    settings = {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(here), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "TERM": "dumb",
    }
    return Child(
        [*within, sys.executable, "-m", "pyerlcoin", *args],
        env={**settings, **(env or {})},
        cwd=cwd,
        label=label or f"pyerlcoin {args[0] if args else ''}".rstrip(),
    )


async def run_pyerlcoin(
    *args: str, env: Mapping[str, str] | None = None, timeout: float = 30 * UNIT
) -> tuple[int, str, str]:
    """Runs `pyerlcoin ARGS` to its end: exit code, standard output, standard error."""
    async with pyerlcoin(*args, env=env) as child:
        child.close_stdin()
        code = await child.wait(timeout)
        return code, "\n".join(child.out), "\n".join(child.err)
