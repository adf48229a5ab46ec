from __future__ import annotations

import asyncio
import contextvars
import decimal
import weakref
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from pyerlcoin.beam.node.coroutines import Coroutines

_VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.fixture
async def coroutines() -> AsyncIterator[Coroutines]:
    made = Coroutines(asyncio.get_running_loop())
    yield made
    reserve = made.close()
    assert reserve is not None
    await asyncio.wait({reserve})
    assert made.close() is None


@pytest.fixture(params=["fresh", "parked"])
async def ready(request: pytest.FixtureRequest, coroutines: Coroutines) -> Coroutines:
    """Before the task in reserve has begun to wait, and when it does."""
    for _ in range(2 if request.param == "parked" else 0):
        await asyncio.sleep(0)
    return coroutines


async def outside(coroutines: Coroutines, coroutine: Coroutine[Any, Any, object]) -> object:
    """`step` as a reader calls it: from the loop, in no task."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()

    def run() -> None:
        try:
            done.set_result(coroutines.step(coroutine))
        except (KeyError, asyncio.CancelledError) as error:
            done.set_exception(error)

    loop.call_soon(run)
    return await done


async def test_one_that_never_waits_is_no_task(ready: Coroutines) -> None:
    async def handler() -> int:
        return 7

    assert await outside(ready, handler()) == 7


async def test_one_that_raises_at_once(ready: Coroutines) -> None:
    async def handler() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await outside(ready, handler())


async def test_one_that_waits_becomes_a_task(ready: Coroutines) -> None:
    gate = asyncio.Event()

    async def handler() -> int:
        await gate.wait()
        await asyncio.sleep(0)
        return 7

    task = await outside(ready, handler())
    assert isinstance(task, asyncio.Task)
    gate.set()
    assert await task == 7


async def test_an_error_of_what_it_waits_for_reaches_it(ready: Coroutines) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def handler() -> str:
        try:
            await future
        except KeyError:
            return "caught"
        raise AssertionError

    task = await outside(ready, handler())
    assert isinstance(task, asyncio.Task)
    future.set_exception(KeyError())
    assert await task == "caught"


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_cancelling_reaches_it_and_what_it_waits_for(ready: Coroutines, turns: int) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    cancelled = []

    async def handler() -> None:
        try:
            await future
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    task = await outside(ready, handler())
    assert isinstance(task, asyncio.Task)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled
    assert future.cancelled()


async def test_timeouts_and_task_groups_work_from_the_first_line(ready: Coroutines) -> None:
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
        task = await outside(ready, handler)
        assert isinstance(task, asyncio.Task)
        assert await task == outcome
        assert task.cancelling() == 0


async def test_one_that_cancels_itself_before_it_waits(ready: Coroutines) -> None:
    async def handler() -> None:
        task = asyncio.current_task()
        assert task is not None
        assert (task.get_loop(), task.done()) == (asyncio.get_running_loop(), False)
        task.cancel()
        task.cancel()
        assert task.cancelling() == 2
        assert task.uncancel() == 1
        await asyncio.Event().wait()

    task = await outside(ready, handler())
    assert isinstance(task, asyncio.Task)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_inside_a_task_it_gets_its_own_at_once(ready: Coroutines) -> None:
    async def handler() -> asyncio.Task[object] | None:
        return asyncio.current_task()

    task = ready.step(handler())
    assert isinstance(task, asyncio.Task)
    assert await task is task


async def test_those_that_never_wait_share_a_task(ready: Coroutines) -> None:
    async def handler() -> asyncio.Task[object] | None:
        return asyncio.current_task()

    async def waits() -> asyncio.Task[object] | None:
        await asyncio.sleep(0)
        return asyncio.current_task()

    tasks = {await outside(ready, handler()) for _ in range(10)}
    assert len(tasks) == 1
    waiting = await outside(ready, waits())
    assert tasks == {waiting}
    assert isinstance(waiting, asyncio.Task)
    assert await waiting is waiting
    assert await outside(ready, handler()) not in tasks


async def test_it_is_one_task_before_and_after_a_wait(ready: Coroutines) -> None:
    """anyio keeps a weak reference to it, and looks whether it is still the one."""

    async def handler() -> bool:
        before = weakref.ref(asyncio.current_task() or handler)
        await asyncio.sleep(0)
        return before() is asyncio.current_task()

    task = await outside(ready, handler())
    assert isinstance(task, asyncio.Task)
    assert await task


@pytest.mark.parametrize("waits", [True, False])
async def test_context_variables_are_those_of_each_one(ready: Coroutines, waits: bool) -> None:
    async def sets(*, undo: bool) -> str:
        before = _VARIABLE.get()
        token = _VARIABLE.set("set")
        decimal.setcontext(decimal.Context(prec=3))
        if waits:
            await asyncio.sleep(0)
        assert _VARIABLE.get() == "set"
        if undo:
            _VARIABLE.reset(token)
        return before

    async def result(coroutine: Coroutine[Any, Any, object]) -> object:
        outcome = await outside(ready, coroutine)
        return await outcome if isinstance(outcome, asyncio.Task) else outcome

    for undo in True, False, True:
        assert await result(sets(undo=undo)) == "unset"
    assert _VARIABLE.get() == "unset"
    assert decimal.getcontext().prec == 28


async def test_variables_whose_values_cannot_be_compared() -> None:
    class Array:
        def __eq__(self, other: object) -> bool:
            raise ValueError("the truth value of an array is ambiguous")

        __hash__ = None  # type: ignore[assignment]  # as an array of numpy

    variable: contextvars.ContextVar[object] = contextvars.ContextVar("array")
    variable.set(first := Array())
    coroutines = Coroutines(asyncio.get_running_loop())

    async def sets() -> bool:
        before = variable.get()
        variable.set(Array())
        return before is first

    for _ in range(3):
        assert await outside(coroutines, sets()) is True
    reserve = coroutines.close()
    assert reserve is not None
    await asyncio.wait({reserve})


@pytest.mark.parametrize("undone", [True, False])
@pytest.mark.parametrize("soon", [True, False])
async def test_one_that_cancels_itself_and_never_waits_takes_nobody_along(
    ready: Coroutines, soon: bool, undone: bool
) -> None:
    async def cancels() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if undone:
            task.uncancel()
        return "done"

    async def waits() -> str:
        await asyncio.sleep(0)
        return "not cancelled"

    assert await outside(ready, cancels()) == "done"
    for _ in range(0 if soon else 2):
        await asyncio.sleep(0)
    task = await outside(ready, waits())
    assert isinstance(task, asyncio.Task)
    assert await task == "not cancelled"


async def test_after_the_close_each_gets_its_own(coroutines: Coroutines) -> None:
    other = Coroutines(asyncio.get_running_loop())
    reserve = other.close()
    assert reserve is not None

    async def handler() -> int:
        return 7

    task = await outside(other, handler())
    assert isinstance(task, asyncio.Task)
    assert await task == 7
    await asyncio.wait({reserve})
    assert reserve.cancelled()
