"""One worker process, seen from the parent as an engine: `search` runs there and returns here.

A plain child with two pipes rather than `multiprocessing`: it starts in some 20 ms, imports nothing of the
program that uses us (a spawned `multiprocessing` child runs its `__main__` again), and the end of a pipe tells
each side that the other is gone.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from pyerlcoin.errors import SearchFailed
from pyerlcoin.search.engine import Engine, Job
from pyerlcoin.search.worker import request

__all__ = ["Child", "ChildDied", "EngineFailed"]

_CODE = """
import sys
sys.path[:] = {path!r}
from {module} import {name}
from pyerlcoin.search.worker import main
main({name}())
"""


class ChildDied(Exception):
    """The worker process ended in the middle of a search. What it told so far is true; the rest is not known."""


class EngineFailed(SearchFailed):
    """An engine raised, or the worker process for it cannot be started."""

    @classmethod
    def because(cls, words: str) -> Self:
        """`words`: what it raised, as `in_a_line` says it."""
        return cls(f"the engine failed ({words}): search with another --engine, and tell its authors")


class Child:
    """Runs `engine`'s class in a process of its own, started at the first search. For one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        """The class of `engine` must be importable by name and be made without arguments."""
        self._class = type(engine)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, once there is one."""
        return self._process.pid if self._process else None

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        """As `Engine.search`. Raises `ChildDied`, after which the next search has a new process, or `EngineFailed`."""
        try:
            process = self._process or self._start()
        except OSError as error:
            raise EngineFailed(f"no worker process can be started ({error.strerror}): is memory short?") from error
        assert process.stdin is not None
        assert process.stdout is not None
        found: list[int] = []
        told = False
        try:
            process.stdin.write(request(job))
            process.stdin.flush()
            for line in process.stdout:
                word, _, rest = line.rstrip(b"\n").partition(b" ")
                if word == b"finished":
                    progress(int(rest, 16))
                elif word == b"coin":
                    found.append(int(rest, 16))
                elif word == b"done":
                    return found
                else:
                    raise EngineFailed.because(rest.decode())
                if not told and stop():
                    told = True
                    process.stdin.write(b"stop\n")
                    process.stdin.flush()
        except OSError:
            pass  # a broken pipe, with the same meaning as its end
        self.close()
        raise ChildDied

    def close(self) -> None:
        """End the process, whatever it is doing. A later search starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        code = _CODE.format(path=sys.path, module=self._class.__module__, name=self._class.__qualname__)
        # In a process group of its own, for a terminal sends Ctrl-C to all of ours. -S and -I: no site, no
        # environment, for the path is given; it is half the time of the start.
        command = [sys.executable, "-S", "-I", "-c", code]
        pipe = subprocess.PIPE
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, creationflags=flags)  # noqa: S603 - our own
        else:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, process_group=0)  # noqa: S603 - our own
        self._process = process
        return process
