"""The worker's side of the pipe, without a process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest

from pyerlcoin.search.engine import Job
from pyerlcoin.search.python import PythonEngine
from pyerlcoin.search.worker import request, serve
from tests.support.clock import UNIT
from tests.support.search import expected


class Pipes:
    """A served engine, and the parent's ends."""

    def __init__(self, engine: PythonEngine) -> None:
        source, to_worker = os.pipe()
        from_worker, sink = os.pipe()
        self.to_worker: BinaryIO = os.fdopen(to_worker, "wb", buffering=0)
        self.from_worker: BinaryIO = os.fdopen(from_worker, "rb")
        self._ends: list[BinaryIO] = [os.fdopen(source, "rb"), os.fdopen(sink, "wb")]
        self.thread = threading.Thread(target=serve, args=(engine, *self._ends))
        self.thread.start()

    def answer(self) -> list[list[bytes]]:
        lines = []
        for line in self.from_worker:
            lines.append(line.split())
            if lines[-1][0] in (b"done", b"failed"):
                break
        return lines

    def close(self) -> None:
        self.to_worker.close()
        self.thread.join(60 * UNIT)
        assert not self.thread.is_alive()
        for end in (self.from_worker, *self._ends):
            end.close()


class Unable(PythonEngine):
    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        raise ValueError("neither\nnor é")


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    pipes = Pipes(PythonEngine())
    yield pipes
    pipes.close()


def test_a_search_and_the_next(pipes: Pipes) -> None:
    for secret in (b"", b"Serun+", bytes(range(256))):
        job = Job(secret, 0, 3000, 2)
        pipes.to_worker.write(request(job))
        lines = pipes.answer()
        assert [int(rest, 16) for word, *(rest,) in lines[:-1] if word == b"coin"] == expected(job)
        assert sum(int(rest, 16) for word, *(rest,) in lines[:-1] if word == b"finished") == job.size
        assert lines[-1] == [b"done"]


def test_stop(pipes: Pipes) -> None:
    pipes.to_worker.write(request(Job(b"", 10**9, 10**15)) + b"stop\n")
    assert pipes.answer()[-1] == [b"done"]


def test_a_stop_that_comes_too_late_stops_nothing(pipes: Pipes) -> None:
    job = Job(b"late", 0, 30_000, 2)
    pipes.to_worker.write(b"stop\n" + request(job))
    assert sum(line[0] == b"coin" for line in pipes.answer()) == len(expected(job))


def test_the_end_of_the_parent_ends_a_search() -> None:
    pipes = Pipes(PythonEngine())
    pipes.to_worker.write(request(Job(b"", 10**9, 10**15)))
    assert pipes.from_worker.readline().startswith(b"finished")
    pipes.close()


def test_nobody_to_tell_ends_it_too() -> None:
    pipes = Pipes(PythonEngine())
    pipes.from_worker.close()
    pipes.to_worker.write(request(Job(b"", 10**9, 10**15)))
    pipes.thread.join(60 * UNIT)
    assert not pipes.thread.is_alive()
    pipes.to_worker.close()
    pipes._ends[0].close()
    with pytest.raises(BrokenPipeError):
        pipes._ends[1].close()


def test_an_exception_is_one_line() -> None:
    pipes = Pipes(Unable())
    for _ in range(2):
        pipes.to_worker.write(request(Job(b"", 0, 5000)))
        assert b" ".join(pipes.answer()[-1]) == b"failed ValueError: neither nor ?"
    pipes.close()
