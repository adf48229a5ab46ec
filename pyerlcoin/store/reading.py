"""Rows back into facts: a ledger read as it stood at one moment, while a server may be writing it."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pyerlcoin.coin.facts import (
    CoinAccepted,
    Fact,
    Finished,
    HandedOut,
    Left,
    Reason,
    Registered,
    Resumed,
    Returned,
    WorkloadChanged,
)
from pyerlcoin.coin.past import Open, Past, PastMiner
from pyerlcoin.coin.sizing import AUTO, Workload
from pyerlcoin.coin.unit import Unit
from pyerlcoin.errors import LedgerUnusable
from pyerlcoin.store import schema
from pyerlcoin.store.db import connect, in_words, is_at_rest
from pyerlcoin.store.integers import from_column

__all__ = ["Game", "Reading", "Refused", "Started", "check", "game_of", "past_of"]

_Kind = TypeVar("_Kind", Registered, Finished, CoinAccepted)


@dataclass(frozen=True, slots=True)
class Game:
    """What a ledger belongs to, and how it began. `workload` is the first one."""

    secret: bytes
    zeros: int
    first: int
    workload: Workload
    at: float

    def __repr__(self) -> str:
        return f"Game(zeros={self.zeros}, first={self.first})"


@dataclass(frozen=True, slots=True)
class Started:
    """A server began to use the ledger; no process held anything then. It took coins as `accept` says."""

    at: float
    accept: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Refusals of one kind, counted; `message` is the latest. `name` is None for those of no known miner."""

    name: str | None
    node: str
    reason: Reason
    count: int
    first_at: float
    last_at: float
    message: str


class Reading:
    """A ledger file, read only, at the moment of its opening; a context manager.

    Raises `LedgerUnusable` when it is none, or a newer program's. So does any method, when the file turns out to be
    damaged, and the end of the context when a server wrote to what was at rest at the opening. A ledger at rest is only
    read: nothing is made beside it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        if not _is_file(path):
            raise LedgerUnusable(f"there is no ledger {path}: look at the path that the server printed when it started")
        # Who only reads would leave SQLite's files beside what is at rest, or find no right to make them. The stamp is
        # taken first, so that a server which starts in between is seen.
        stamp = _stamp(path)
        self._stamp = stamp if is_at_rest(path) else None
        try:
            self.connection = connect(path, write=False, at_rest=self._stamp is not None)
            try:
                check(path, self.connection)
                self.connection.execute("BEGIN")
                self.game = game_of(self.connection)
            except BaseException:
                self.connection.close()
                raise
        except sqlite3.Error as error:
            raise self._in_words(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._stamp not in (None, _stamp(self.path)) and (error is None or isinstance(error, Exception)):
            raise LedgerUnusable(f"the ledger {self.path} was written while it was read: do it again") from error
        if isinstance(error, sqlite3.Error):
            raise self._in_words(error) from error

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self.connection.close()

    def past(self) -> Past:
        """The state of the game."""
        return past_of(self.connection, self.game)

    def held(self) -> set[int]:
        """The first integers of the open units that processes hold, as far as the ledger knows."""
        return {from_column(first) for (first,) in self.connection.execute("SELECT first FROM open_unit WHERE held")}

    def history(self) -> Iterator[tuple[int, Fact | Started]]:
        """Everything that happened and is not counted only, in its order, each with its number."""
        return merge(*(self._rows(query, make) for query, make in _HISTORY.values()), key=itemgetter(0))

    def facts(self) -> Iterator[Fact]:
        """The facts of the history. Those of `Rejected` are only counted: see `refused`."""
        return (fact for _, fact in self.history() if not isinstance(fact, Started))

    def each(self, kind: type[_Kind]) -> Iterator[_Kind]:
        """The facts of one kind, in their order, which nobody has to have in memory together."""
        return (fact for _, fact in self._rows(*_HISTORY[kind]) if isinstance(fact, kind))

    def refused(self) -> list[Refused]:
        """Who was refused what, and how often; the latest first."""
        query = (
            "SELECT miner.name, node.name, reason, count, first_at, last_at, message FROM rejected"
            " LEFT JOIN miner ON miner.id = rejected.miner JOIN node ON node.id = rejected.node ORDER BY last_at DESC"
        )
        return [Refused(row[0], row[1], Reason(row[2]), *row[3:]) for row in self.connection.execute(query)]

    def _in_words(self, error: sqlite3.Error) -> LedgerUnusable:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        no_room_beside = self._stamp is None and os.access(self.path, os.R_OK)
        if no_room_beside and code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            return LedgerUnusable(
                f"the ledger {self.path} cannot be read there, as its server did not end in good order: "
                "copy it together with its -wal to a folder of yours"
            )
        return in_words(self.path, error)

    def _rows(
        self, query: str, make: Callable[[tuple[Any, ...]], Fact | Started]
    ) -> Iterator[tuple[int, Fact | Started]]:
        for row in self.connection.execute(query):
            yield row[0], make(row)


def _stamp(path: Path | str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _is_file(path: Path | str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise LedgerUnusable(
            f"the ledger {path} cannot be opened ({error.strerror}): look at its name, and at this user's rights there"
        ) from error


def check(path: Path | str, connection: sqlite3.Connection) -> None:
    """Raises `LedgerUnusable` unless `connection` is of a ledger that this program can read."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        raise LedgerUnusable(f"{path} is not a ledger of this program: name another file with --ledger")
    if newer := schema.unknown(connection):
        raise LedgerUnusable(f"the ledger {path} was written by a newer pyerlcoin ({newer[0]}): use that one")


def game_of(connection: sqlite3.Connection) -> Game:
    """What the ledger belongs to."""
    secret, zeros, first, workload, at = connection.execute(
        "SELECT secret, zeros, first, workload, at FROM game"
    ).fetchone()
    return Game(secret, zeros, from_column(first), _workload(workload), at)


def past_of(connection: sqlite3.Connection, game: Game) -> Past:
    """The state of the game, without reading all that happened."""
    last = connection.execute("SELECT last FROM handed_out WHERE origin = 'new' ORDER BY seq DESC LIMIT 1").fetchone()
    workload = connection.execute("SELECT workload FROM workload ORDER BY seq DESC LIMIT 1").fetchone()
    return Past(
        game.first,
        game.first if last is None else from_column(last[0]) + 1,
        game.workload if workload is None else _workload(workload[0]),
        tuple(PastMiner(*row) for row in connection.execute(_MINERS)),
        tuple(
            Open(Unit(from_column(first), from_column(last)), name, node)
            for first, last, name, node in connection.execute(_OPEN)
        ),
    )


def _workload(value: Any) -> Workload:
    return AUTO if value == AUTO else from_column(value)


def _unit(first: Any, last: Any) -> Unit:
    return Unit(from_column(first), from_column(last))


_MINERS = """
    WITH latest (miner, worth) AS (
        SELECT miner, max(worth) FROM (
            SELECT miner, worth FROM latest_coin
            UNION ALL SELECT miner, worth FROM coin WHERE worth > (SELECT worth FROM placed))
        GROUP BY miner)
    SELECT miner.name, node.name, coalesce(coin.count, 0), coalesce(coin.worth, 0), coin.at
    FROM miner
    JOIN node ON node.id = coalesce(
        (SELECT node FROM presence WHERE miner = miner.id AND what = 'resumed' ORDER BY seq DESC LIMIT 1), miner.node)
    LEFT JOIN latest ON latest.miner = miner.id
    LEFT JOIN coin ON coin.worth = latest.worth
    ORDER BY miner.id
"""

_OPEN = """
    SELECT open_unit.first, open_unit.last, miner.name, node.name
    FROM open_unit LEFT JOIN miner ON miner.id = open_unit.miner LEFT JOIN node ON node.id = open_unit.node
    ORDER BY open_unit.first
"""

_WHO = "JOIN miner ON miner.id = t.miner JOIN node ON node.id = t.node ORDER BY t.seq"

_HISTORY: dict[type[Fact | Started], tuple[str, Callable[[tuple[Any, ...]], Fact | Started]]] = {
    Started: ("SELECT seq, at, accept FROM started ORDER BY seq", lambda row: Started(row[1], row[2])),
    Registered: (
        "SELECT t.seq, t.at, t.name, node.name FROM miner t JOIN node ON node.id = t.node ORDER BY t.seq",
        lambda row: Registered(row[1], row[2], row[3]),
    ),
    Resumed: (
        f"SELECT t.seq, t.at, miner.name, node.name, t.what FROM presence t {_WHO}",  # noqa: S608  # constants
        lambda row: Resumed(*row[1:4]) if row[4] == "resumed" else Left(*row[1:4]),
    ),
    HandedOut: (
        f"SELECT t.seq, t.at, t.first, t.last, miner.name, node.name, t.origin FROM handed_out t {_WHO}",  # noqa: S608
        lambda row: HandedOut(row[1], _unit(row[2], row[3]), row[4], row[5], row[6]),
    ),
    Finished: (
        f"SELECT t.seq, t.at, t.first, t.last, miner.name, node.name, t.seconds FROM finished t {_WHO}",  # noqa: S608
        lambda row: Finished(row[1], _unit(row[2], row[3]), row[4], row[5], row[6]),
    ),
    Returned: (
        f"SELECT t.seq, t.at, t.first, t.last, miner.name, node.name, t.reason FROM returned t {_WHO}",  # noqa: S608
        lambda row: Returned(row[1], _unit(row[2], row[3]), row[4], row[5], row[6]),
    ),
    CoinAccepted: (
        "SELECT t.seq, t.at, t.n, m.name, t.count, t.worth FROM coin t JOIN miner m ON m.id = t.miner ORDER BY t.worth",
        lambda row: CoinAccepted(row[1], from_column(row[2]), row[3], row[4], row[5]),
    ),
    WorkloadChanged: (
        "SELECT seq, at, workload FROM workload ORDER BY seq",
        lambda row: WorkloadChanged(row[1], _workload(row[2])),
    ),
}
"""How each kind of fact is read. `Left` comes with `Resumed`."""
