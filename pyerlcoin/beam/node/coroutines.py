"""Running a coroutine handler without a task, until it really waits.

Most coroutine handlers end without having waited, and a task for each costs a quarter of all calls per second. So a
coroutine takes its first step right where the message arrived, and only one that waits becomes a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, cast

__all__ = ["step"]


class _TaskToBe:
    """Stands in for the task during the first step, for timeouts and task groups that ask who runs.

    They keep it, and cancel it later: by then it passes that on to the task.
    """

    __slots__ = ("_cancelling", "_loop", "_message", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._cancelling = 0
        self._message: object = None
        self.task: asyncio.Task[Any] | None = None

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def get_name(self) -> str:
        return "handler"

    def done(self) -> bool:
        return self.task is not None and self.task.done()

    def cancel(self, msg: object = None) -> bool:
        if self.task is not None:
            return self.task.cancel(msg)
        self._cancelling += 1
        self._message = msg
        return True

    def cancelling(self) -> int:
        return self.task.cancelling() if self.task is not None else self._cancelling

    def uncancel(self) -> int:
        if self.task is not None:
            return self.task.uncancel()
        self._cancelling = max(0, self._cancelling - 1)
        return self._cancelling

    def become(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        for _ in range(self._cancelling):
            task.cancel(self._message)


def step(coroutine: Coroutine[Any, Any, object], loop: asyncio.AbstractEventLoop) -> object:
    """The first step: what the coroutine returned, or, if it waits for something, the `asyncio.Task` of the rest.

    Raises whatever the coroutine raises.
    """
    if asyncio.current_task(loop) is not None:
        # Inside somebody's task, who would be taken for the handler's: so it gets its own from the start.
        return loop.create_task(coroutine)
    stand_in = _TaskToBe(loop)
    # The documented way for other task implementations ("Extending asyncio"); they need not be a Task.
    asyncio.tasks._enter_task(loop, cast(asyncio.Task[Any], stand_in))
    try:
        waits_for = coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    finally:
        asyncio.tasks._leave_task(loop, cast(asyncio.Task[Any], stand_in))
    task = loop.create_task(_Rest(coroutine, waits_for))
    stand_in.become(task)
    return task


class _Rest(Coroutine[Any, Any, object]):
    """What is left of a coroutine that has taken its first step, as one that a task can run.

    No generator, as that could not be cancelled before its own first step.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, object], waits_for: object) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for
        self._begun = False

    def send(self, value: object) -> object:
        if self._begun:
            return self._coroutine.send(value)
        self._begun = True
        return self._waits_for

    def throw(self, *error: Any) -> object:
        if not self._begun:
            # Cancelled before the task knew what it waits for: cancel that, as the task would have done.
            self._begun = True
            if isinstance(self._waits_for, asyncio.Future):
                self._waits_for.cancel()
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, object]:
        # Abstract in `collections.abc.Coroutine`, which asyncio asks a coroutine to be. A task calls `send` and
        # `throw`, never this, and nobody else is given this object.
        raise TypeError("it is run by a task, and cannot be awaited")
