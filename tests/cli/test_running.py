from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import CancelledError

import pytest

from pyerlcoin.cli.running import noting_ctrl_c, shown_by, stopping_by_signal, until_stopped
from pyerlcoin.errors import ExitCode
from tests.support.clock import UNIT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_in_good_order(number: signal.Signals) -> None:
    task = asyncio.create_task(until_stopped())
    await asyncio.sleep(0)
    os.kill(os.getpid(), number)
    async with asyncio.timeout(20 * UNIT):
        assert await task is ExitCode.INTERRUPTED


async def test_a_signal_is_heard_when_threads_have_filled_the_wake_up_pipe() -> None:
    task = asyncio.create_task(until_stopped())
    await asyncio.sleep(0)
    for _ in range(100_000):  # a socket's buffer takes a few hundred such bytes
        asyncio.get_running_loop().call_soon_threadsafe(int)
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(20 * UNIT):
        assert await task is ExitCode.INTERRUPTED


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_signal_is_heard_whichever_thread_gets_it(loop: str) -> None:
    module = pytest.importorskip(loop, reason="the extra pyerlcoin[uvloop] is not installed")

    def get_one() -> None:
        may.wait()
        # It has the interpreter only once the loop gave it up, to sleep: then nothing else wakes the loop.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    async def hear() -> ExitCode:
        task = asyncio.create_task(until_stopped())
        await asyncio.sleep(0)
        may.set()
        async with asyncio.timeout(20 * UNIT):
            return await task

    may = threading.Event()
    thread = threading.Thread(target=get_one, daemon=True)
    thread.start()
    with asyncio.Runner(loop_factory=module.new_event_loop) as runner:
        assert runner.run(hear()) is ExitCode.INTERRUPTED
    assert signal.set_wakeup_fd(-1) == -1, "it is as it was"
    thread.join()


async def test_a_second_signal_does_not_wait() -> None:
    stops: list[int] = []

    async def stubborn() -> None:
        async with stopping_by_signal(lambda: stops.append(1)):
            await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(20 * UNIT):
        while not stops:  # noqa: ASYNC110 - the signal comes when the loop next looks
            await asyncio.sleep(0)
        assert not task.done()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_without_a_signal_it_is_done() -> None:
    async with stopping_by_signal(lambda: None) as interruption:
        pass
    assert interruption.exit_code is ExitCode.DONE


async def test_what_is_shown_is_closed_whatever_happens() -> None:
    class Picture:
        closed = 0

        def event(self, event: object) -> None:
            pass

        def say(self, *lines: str) -> None:
            pass

        def status(self) -> None:
            pass

        def suspend(self) -> None:
            pass

        def resume(self) -> None:
            pass

        async def run(self) -> None:
            await asyncio.Event().wait()

        def close(self) -> None:
            self.closed += 1

    picture = Picture()
    with pytest.raises(RuntimeError):
        async with shown_by(picture):
            raise RuntimeError
    assert picture.closed == 1


def test_a_ctrl_c_waits_for_the_end_of_what_must_not_be_broken() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def interrupted() -> None:
        with noting_ctrl_c() as came:
            seen.append(came())
            signal.raise_signal(signal.SIGINT)
            seen.append(came())
            raise CancelledError

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == [False, True]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_breaks_it() -> None:
    seen = []

    def interrupted() -> None:
        with noting_ctrl_c() as came:
            signal.raise_signal(signal.SIGINT)
            seen.append(came())
            signal.raise_signal(signal.SIGINT)
            seen.append(came())

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == [True]


def test_without_a_ctrl_c_a_cancelled_error_is_what_it_says() -> None:
    with pytest.raises(CancelledError), noting_ctrl_c():
        raise CancelledError
    with noting_ctrl_c() as came:
        pass
    assert not came()
