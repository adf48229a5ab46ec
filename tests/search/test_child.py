"""A worker process: it dies with its parent, is replaced, and takes no notice of Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pyerlcoin.search.child import Child, ChildDied
from pyerlcoin.search.engine import Job
from pyerlcoin.search.python import PythonEngine
from tests.support.clock import UNIT
from tests.support.search import expected

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals end processes on POSIX")

LONG = Job(b"Serun+u", 10**9, 10**15)


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child(PythonEngine())
    yield child
    child.close()


def test_it_answers_again_and_again(child: Child) -> None:
    assert child.pid is None
    for size in (5000, 20_000, 1):
        job = Job(os.urandom(70), 99_000, 99_000 + size, 2)
        told: list[int] = []
        assert child.search(job, lambda: False, told.append) == expected(job)
        assert sum(told) == job.size


def test_huge_integers_pass_the_pipe(child: Child) -> None:
    first = 10**4999
    found = child.search(Job(b"", first, first + 300, 0), lambda: False, lambda _: None)
    assert found == list(range(first, first + 301))


def test_stop_comes_through_and_the_next_search_is_whole(child: Child) -> None:
    told: list[int] = []
    child.search(LONG, lambda: bool(told), told.append)
    assert 0 < sum(told) < LONG.size
    job = Job(b"next", 0, 5000, 2)
    assert child.search(job, lambda: False, told.append) == expected(job)


def test_a_death_is_told_and_the_next_search_has_a_new_process(child: Child) -> None:
    before: list[int] = []

    def progress(_: int) -> None:
        assert child.pid is not None
        if not before:
            before.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(ChildDied):
        child.search(LONG, lambda: False, progress)
    job = Job(b"next", 0, 5000, 2)
    assert child.search(job, lambda: False, progress) == expected(job)
    assert child.pid not in before


def test_control_c_is_the_parents(child: Child) -> None:
    told: list[int] = []

    def progress(count: int) -> None:
        if not told:
            assert child.pid is not None
            os.kill(child.pid, signal.SIGINT)
        told.append(count)

    child.search(LONG, lambda: len(told) > 3, progress)
    assert len(told) > 3


def test_it_dies_with_its_parent() -> None:
    """A parent that is killed leaves no worker: the worker's end of the inherited pipe closes."""
    script = """
import sys, threading
from pyerlcoin.search.child import Child
from pyerlcoin.search.engine import Job
from pyerlcoin.search.python import PythonEngine
child = Child(PythonEngine())
child.search(Job(b"", 10**9, 10**15), lambda: False, lambda n: print(child.pid, flush=True))
"""
    read, write = os.pipe()
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    # The worker inherits its standard error from the parent: the pipe ends when both are gone.
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=write, env=env) as parent:
        os.close(write)
        assert parent.stdout is not None
        assert int(parent.stdout.readline()) > 0
        parent.kill()
        with open(read, "rb") as end:
            signal.alarm(int(30 * UNIT))
            assert end.read() == b""
            signal.alarm(0)
