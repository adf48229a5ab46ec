"""Where the log goes when no picture is shown: standard error, each line with its time as those of the game have it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final, TextIO

from pyerlcoin.cli.few import Few

__all__ = ["MOST", "LogHandler"]

MOST: Final = 5
"""Lines of one kind in a second. A stranger who speaks no Erlang to the node's port can cause thousands."""


class LogHandler(logging.StreamHandler[TextIO]):
    """Of what comes in thousands only MOST lines a second; one line says how many more there were."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(stream)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        self._few = Few(MOST, clock)

    def emit(self, record: logging.LogRecord) -> None:
        if self._few.is_over():
            self._say_rest()
        # Before its arguments are put in: the same sentence about another address is no other kind.
        if self._few.take((record.name, record.msg if isinstance(record.msg, str) else None)):
            super().emit(record)

    def close(self) -> None:
        self._say_rest()
        super().close()

    def _say_rest(self) -> None:
        rest = self._few.rest()
        if rest is not None:
            super().emit(logging.LogRecord(__name__, logging.WARNING, "", 0, rest, None, None))
