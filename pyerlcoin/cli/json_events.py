"""One JSON object per event, for programs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from pyerlcoin.cli.lines import EVERY, Output

__all__ = ["JsonEventLines", "JsonEvents"]

JsonEvents = Annotated[
    bool, typer.Option("--json-events", help="Print one JSON object per event, and every ten seconds the status.")
]

_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class JsonEventLines:
    """A `running.Show` that prints nothing but JSON objects, one a line.

    Each has `event`, the name of the event's class in snake case, and `at`, seconds since the epoch; the rest are the
    event's own fields under their own names, as they are told in `roles.events` and `coin.facts`: times are numbers of
    seconds, integers stay integers at any size, a unit is `{"first", "last"}`. `status` gives the fields of the event
    of that name. Text is escaped to ASCII, so a peer's words cannot move a cursor.

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

    def event(self, event: Any) -> None:
        name = _WORD.sub("_", type(event).__name__).lower()
        self.tell(name, asdict(event))

    def tell(self, name: str, fields: Mapping[str, object]) -> None:
        """An event that has no class."""
        self._output.write(json.dumps({"event": name, "at": self._clock(), **fields}))

    def say(self, *lines: str) -> None:
        """Sentences are for people."""

    def status(self) -> None:
        self.tell("status", self._status())

    def suspend(self) -> None:
        pass

    def resume(self) -> None:
        pass

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            self.status()

    def close(self) -> None:
        pass
