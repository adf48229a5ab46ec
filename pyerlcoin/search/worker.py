"""What runs in a worker process: one engine, told by lines on standard input what to search.

The parent's end is `child.py`. Lines are ASCII, numbers in hexadecimal (Python limits the length of decimal ones):

    to the worker:      search <secret, in hex> <first> <last> <zeros>   the next after `done` or `failed`
                        stop                                             end the search that runs, if one does
    from the worker:    finished <n>          n more integers are searched; about every 10 ms while busy
                        coin <n>
                        done
                        failed <text>         in place of `done`

The end of its input is the end of the parent: the worker stops as it would for `stop`, and exits.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from queue import SimpleQueue
from time import monotonic
from typing import BinaryIO

from pyerlcoin.search.engine import Engine, Job

__all__ = ["in_a_line", "main", "request", "serve"]

_REPORT_SECONDS = 0.01


def main(engine: Engine) -> None:
    """Serve the parent with `engine` until it closes our input. Does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's to handle
    try:
        serve(engine, sys.stdin.buffer, sys.stdout.buffer)
    finally:
        # Not sys.exit: a daemon thread may hold the lock of standard input, and nothing is left to flush.
        os._exit(0)


def request(job: Job) -> bytes:
    """The line that asks for a search."""
    return b"search %s %x %x %x\n" % (job.secret.hex().encode(), job.first, job.last, job.zeros)


def serve(engine: Engine, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer the requests that come from `source`; returns at its end, or when nobody reads `sink`."""
    requests: SimpleQueue[list[bytes] | None] = SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_listen, args=(source, requests, stopped), name="parent", daemon=True).start()
    while (words := requests.get()) is not None:
        job = Job(bytes.fromhex(words[1].decode()), *(int(word, 16) for word in words[2:]))
        try:
            _search(engine, job, stopped, sink)
        except BrokenPipeError:
            return
        except Exception as fault:  # noqa: BLE001 - whatever it was, the parent raises it where the search was asked
            _tell(sink, b"failed " + in_a_line(fault).encode("ascii", "replace"))


def in_a_line(error: Exception) -> str:
    """An engine's exception in one line. What LLVM says may go over pages: the first 200 characters are enough."""
    return f"{type(error).__name__}: {' '.join(str(error).split()):.200}"


def _listen(source: BinaryIO, requests: SimpleQueue[list[bytes] | None], stopped: threading.Event) -> None:
    for line in source:
        words = line.rstrip(b"\n").split(b" ")
        if words[0] == b"search":
            # A stop that crossed the end of the search before belonged to that one.
            stopped.clear()
            requests.put(words)
        else:
            stopped.set()
    stopped.set()
    requests.put(None)


def _search(engine: Engine, job: Job, stopped: threading.Event, sink: BinaryIO) -> None:
    unreported = 0
    reported_at = monotonic()

    def progress(count: int) -> None:
        nonlocal unreported, reported_at
        unreported += count
        now = monotonic()
        if now - reported_at >= _REPORT_SECONDS:
            reported_at = now
            _tell(sink, b"finished %x" % unreported)
            unreported = 0

    for coin in engine.search(job, stopped.is_set, progress):
        sink.write(b"coin %x\n" % coin)
    sink.write(b"finished %x\n" % unreported)
    _tell(sink, b"done")


def _tell(sink: BinaryIO, line: bytes) -> None:
    sink.write(line + b"\n")
    sink.flush()
