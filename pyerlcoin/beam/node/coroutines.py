"""Running a coroutine handler without a task of its own, until it really waits.

Most coroutine handlers end without having waited, and a task for each costs a quarter of all calls per second. So one
task is kept in reserve. A coroutine takes its first step right where the message arrived, as that task: what asks who
runs (timeouts, task groups, and anyio, which holds on to the answer) gets a true task. If the coroutine waits, the task
goes on with it, and another is made; if not, the next coroutine gets the same one.

Each coroutine has the context variables of the node's start, and what it sets is its own, as in a task of its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Coroutine, Generator
from typing import Any

__all__ = ["Coroutines"]


class Coroutines:
    """Of one event loop. Made where the context is that the handlers are to have."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._context = contextvars.copy_context()
        self._reserve: _Reserve | None = self._another()

    def step(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """The first step: what the coroutine returned, or, if it waits for something, the `asyncio.Task` of the rest.

        Raises whatever the coroutine raises.
        """
        loop, reserve = self._loop, self._reserve
        if reserve is None or reserve.task.done() or asyncio.current_task(loop) is not None:
            # In somebody's task, two would run at once; and after `close` there is none in reserve.
            return loop.create_task(coroutine, context=self._context.copy())
        task = reserve.task
        # The documented way to say who runs ("Extending asyncio").
        asyncio.tasks._enter_task(loop, task)
        try:
            waits_for = reserve.context.run(coroutine.send, None)
        except BaseException as ended:
            if not reserve.untouched(self._context):
                self._replace(reserve)
                task.cancel()
            if isinstance(ended, StopIteration):
                return ended.value
            raise
        finally:
            asyncio.tasks._leave_task(loop, task)
        self._replace(reserve)
        reserve.adopt(coroutine, waits_for)
        return task

    def close(self) -> asyncio.Task[object] | None:
        """The task in reserve, if there is one: cancelled, and about to end."""
        reserve, self._reserve = self._reserve, None
        if reserve is None:
            return None
        reserve.task.cancel()
        return reserve.task

    def _replace(self, reserve: _Reserve) -> None:
        if self._reserve is reserve:  # not after `close`
            self._reserve = self._another()

    def _another(self) -> _Reserve:
        return _Reserve(self._loop, self._context.copy())


class _Reserve(Coroutine[Any, Any, object]):
    """What `task` runs: nothing, until it adopts a coroutine that has taken its first step.

    No generator, as that could not be cancelled before its own first step.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, context: contextvars.Context) -> None:
        self.context = context
        self._idle: asyncio.Future[None] = loop.create_future()
        self._coroutine: Coroutine[Any, Any, object] | None = None
        self._waits_for: object = None
        self._begun = False
        self.task: asyncio.Task[object] = loop.create_task(self, context=context)

    def untouched(self, context: contextvars.Context) -> bool:
        """Whether a coroutine that did not wait left its task as it was: not cancelled, and in the same context."""
        # By identity: values may be equal and not the same, or not let themselves be compared.
        mine = self.context
        same = len(mine) == len(context) and all(mine.get(name, mine) is value for name, value in context.items())
        return same and not (self._idle.done() or self.task.cancelling() or getattr(self.task, "_must_cancel", False))

    def adopt(self, coroutine: Coroutine[Any, Any, object], waits_for: object) -> None:
        """Go on with a coroutine, once that has come for which it waits."""
        self._coroutine, self._waits_for = coroutine, waits_for
        if not self._idle.done():
            self._idle.set_result(None)

    def send(self, value: object) -> object:
        if self._coroutine is None:
            return next(self._idle.__await__())
        if self._begun:
            return self._coroutine.send(value)
        self._begun = True
        return self._waits_for

    def throw(self, *error: Any) -> object:
        if self._coroutine is None:
            raise error[0]
        if not self._begun:
            # Cancelled before the task knew what it waits for: cancel that, as the task would have done.
            self._begun = True
            if sys.version_info >= (3, 13) and not self.task.cancelling():
                return self._waits_for  # and taken back, which counts from there on
            if isinstance(self._waits_for, asyncio.Future):
                self._waits_for.cancel()
        return self._coroutine.throw(*error)

    def close(self) -> None:
        if self._coroutine is not None:
            self._coroutine.close()

    def __await__(self) -> Generator[Any, None, object]:
        # Abstract in `collections.abc.Coroutine`, which asyncio asks a coroutine to be. A task calls `send` and
        # `throw`, never this, and nobody else is given this object.
        raise TypeError("it is run by a task, and cannot be awaited")
