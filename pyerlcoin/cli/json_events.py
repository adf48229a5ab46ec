"""One JSON object per event, for programs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Annotated, Any, Final

import typer

from pyerlcoin.cli.lines import EVERY, Output

__all__ = ["TOGETHER", "JsonEventLines", "JsonEvents"]

JsonEvents = Annotated[
    bool, typer.Option("--json-events", help="Print one JSON object per event, and every ten seconds the status.")
]

TOGETHER: Final = 0.02
"""Seconds that a line may wait for others to be written with."""

_ENCODE: Final = json.JSONEncoder(default=asdict).encode
_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class JsonEventLines:
    """A `running.Show` that prints nothing but JSON objects, one a line.

    Each has `event`, the name of the event's class in snake case, and `at`, seconds since the epoch; the rest are the
    event's own fields under their own names, as they are told in `roles.events` and `coin.facts`: times are numbers of
    seconds, integers stay integers at any size, a unit is `{"first", "last"}`. `status` gives the fields of the event
    of that name. Text is escaped to ASCII, so a peer's words cannot move a cursor.

    While it runs, the lines of TOGETHER seconds are written at once: coins come by the thousand, and each write would
    let the threads that search take the interpreter's lock. Before and after, each line is there as it is told.

    When nobody reads its output any more, `closed` is called, once.
    """

    def __init__(
        self,
        status: Callable[[], Mapping[str, object]],
        closed: Callable[[], None],
        clock: Callable[[], float],
        *,
        every: float = EVERY,
    ) -> None:
        self._status = status
        self._clock = clock
        self._output = Output(closed)
        self._every = every
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: list[str] = []

    def event(self, event: object) -> None:
        name, read = _CLASSES[type(event)]
        self.tell(name, read(event))

    def tell(self, name: str, values: Mapping[str, object]) -> None:
        """An event that has no class."""
        line = _ENCODE({"event": name, "at": self._clock(), **values})
        if self._loop is None:
            self._output.write(line)
            return
        if not self._lines:
            self._loop.call_later(TOGETHER, self._write)
        self._lines.append(line)

    def _write(self) -> None:
        if self._lines:
            self._output.write("\n".join(self._lines))
            self._lines.clear()

    def say(self, *lines: str) -> None:
        """Sentences are for people."""

    def status(self) -> None:
        self.tell("status", self._status())

    def suspend(self) -> None:
        pass

    def resume(self) -> None:
        pass

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(self._every)
                self.status()
        finally:
            self._loop = None
            self._write()

    def close(self) -> None:
        pass


class _Classes(dict[type, tuple[str, Callable[[object], dict[str, object]]]]):
    """Of each class of events its name, and what reads the fields of one: `asdict` would copy each value."""

    def __missing__(self, kind: Any) -> tuple[str, Callable[[object], dict[str, object]]]:
        readers = [(field.name, attrgetter(field.name)) for field in fields(kind)]
        name = _WORD.sub("_", kind.__name__).lower()
        self[kind] = name, lambda event: {field: read(event) for field, read in readers}
        return self[kind]


_CLASSES: Final = _Classes()
