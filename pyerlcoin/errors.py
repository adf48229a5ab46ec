"""The game wing's exceptions, as one tree, and what each means for an exit code.

::

    GameError
    ├── WrongUsage          2   an option or an argument that cannot be meant
    ├── CannotReach         3   the node, its host or its server is not to be reached
    ├── RefusedByPeer       4   reached, and refused: cookie, name, version
    ├── GaveUp              5   --max-retries attempts went by
    ├── LedgerUnusable      6   the ledger cannot be opened, or is not this game's
    ├── WrongSearch         7   an engine finds something else than hashlib
    └── SearchFailed        8   a search broke off: its processes were ended, or the engine failed

`str()` of each is one sentence for a person, which says what to do. Exit code 0 is done, 130 interrupted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

__all__ = [
    "CannotReach",
    "ExitCode",
    "GameError",
    "GaveUp",
    "LedgerUnusable",
    "RefusedByPeer",
    "SearchFailed",
    "WrongSearch",
    "WrongUsage",
]


class ExitCode(IntEnum):
    """What the process ends with, and what it says."""

    DONE = 0
    WRONG_USAGE = 2
    CANNOT_REACH = 3
    REFUSED = 4
    GAVE_UP = 5
    LEDGER_UNUSABLE = 6
    WRONG_SEARCH = 7
    SEARCH_FAILED = 8
    INTERRUPTED = 130


class GameError(Exception):
    """The root. Its text is one sentence for a person."""

    exit_code: ClassVar[ExitCode]


class WrongUsage(GameError):
    """An option or an argument that cannot be meant."""

    exit_code = ExitCode.WRONG_USAGE


class CannotReach(GameError):
    """The node, its host or its server is not to be reached."""

    exit_code = ExitCode.CANNOT_REACH


class RefusedByPeer(GameError):
    """Reached, and refused: cookie, name or version."""

    exit_code = ExitCode.REFUSED


class GaveUp(GameError):
    """As many attempts as `--max-retries` allows went by."""

    exit_code = ExitCode.GAVE_UP


class LedgerUnusable(GameError):
    """The ledger cannot be opened or written, or belongs to another game."""

    exit_code = ExitCode.LEDGER_UNUSABLE


class WrongSearch(GameError):
    """An engine finds something else than hashlib: with it, coins are lost or told that are none."""

    exit_code = ExitCode.WRONG_SEARCH


class SearchFailed(GameError):
    """A search broke off: something ends its processes, or the engine failed."""

    exit_code = ExitCode.SEARCH_FAILED
