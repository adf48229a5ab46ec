from __future__ import annotations

import asyncio

import pytest

from pyerlcoin.beam.node.coroutines import step


async def outside(coroutine: object) -> object:
    """`step` as a reader calls it: from the loop, in no task."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()

    def run() -> None:
        try:
            done.set_result(step(coroutine, loop))  # type: ignore[arg-type]
        except KeyError as error:
            done.set_exception(error)

    loop.call_soon(run)
    return await done


async def test_one_that_never_waits_is_no_task() -> None:
    async def handler() -> int:
        return 7

    assert await outside(handler()) == 7


async def test_one_that_raises_at_once() -> None:
    async def handler() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await outside(handler())


async def test_one_that_waits_becomes_a_task() -> None:
    gate = asyncio.Event()

    async def handler() -> int:
        await gate.wait()
        await asyncio.sleep(0)
        return 7

    task = await outside(handler())
    assert isinstance(task, asyncio.Task)
    gate.set()
    assert await task == 7


async def test_an_error_of_what_it_waits_for_reaches_it() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def handler() -> str:
        try:
            await future
        except KeyError:
            return "caught"
        raise AssertionError

    task = await outside(handler())
    assert isinstance(task, asyncio.Task)
    future.set_exception(KeyError())
    assert await task == "caught"


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_cancelling_reaches_it_and_what_it_waits_for(turns: int) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    cancelled = []

    async def handler() -> None:
        try:
            await future
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    task = await outside(handler())
    assert isinstance(task, asyncio.Task)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled
    assert future.cancelled()


async def test_timeouts_and_task_groups_work_from_the_first_line() -> None:
    never = asyncio.Event()

    async def timed() -> str:
        try:
            async with asyncio.timeout(0.001):
                await never.wait()
        except TimeoutError:
            return "timed out"
        raise AssertionError

    async def failing() -> None:
        raise KeyError

    async def grouped() -> str:
        outcome = "nothing"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(failing())
                await never.wait()
        except* KeyError:
            outcome = "group failed"
        return outcome

    for handler, outcome in (timed(), "timed out"), (grouped(), "group failed"):
        task = await outside(handler)
        assert isinstance(task, asyncio.Task)
        assert await task == outcome
        assert task.cancelling() == 0


async def test_one_that_cancels_itself_before_it_waits() -> None:
    async def handler() -> None:
        task = asyncio.current_task()
        assert task is not None
        assert (task.get_loop(), task.done()) == (asyncio.get_running_loop(), False)
        task.cancel()
        task.cancel()
        assert task.cancelling() == 2
        assert task.uncancel() == 1
        await asyncio.Event().wait()

    task = await outside(handler())
    assert isinstance(task, asyncio.Task)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_inside_a_task_it_gets_its_own_at_once() -> None:
    async def handler() -> asyncio.Task[object] | None:
        return asyncio.current_task()

    task = step(handler(), asyncio.get_running_loop())
    assert isinstance(task, asyncio.Task)
    assert await task is task
