"""The tables, as named migrations: each is applied once, in order, all of it or nothing.

Facts are rows that are added and never changed; `seq` numbers them through all tables in the order in which they
happened. More tables follow from the facts, so that neither a start nor a coin has to read them all: `open_unit`
(what is handed out or waits), `reach` (what was ever handed to whom, merged), and `place` and `latest_coin` (see
`places.py`). `audit` compares them.
Integers of the game are in columns without a type: see `integers.py`.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from pyerlcoin.store.db import atomic

__all__ = ["APPLICATION_ID", "MIGRATIONS", "applied", "is_blank", "migrate", "unknown"]

APPLICATION_ID: Final = 0x7079_6563
"""`pyec`: what says in the file's header that it is a ledger."""

_FIRST: Final = """
PRAGMA application_id = 1887004003;

CREATE TABLE game (
    one INTEGER PRIMARY KEY CHECK (one = 1), secret BLOB NOT NULL, zeros INTEGER NOT NULL, first NOT NULL,
    workload NOT NULL, at REAL NOT NULL);
CREATE TABLE written (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
INSERT INTO written VALUES (1, 0);
CREATE TABLE node (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE started (seq INTEGER PRIMARY KEY, at REAL NOT NULL, accept TEXT NOT NULL);
CREATE TABLE miner (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, at REAL NOT NULL, name TEXT NOT NULL UNIQUE,
    node INTEGER NOT NULL REFERENCES node);
CREATE TABLE presence (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, miner INTEGER NOT NULL REFERENCES miner,
    node INTEGER NOT NULL REFERENCES node, what TEXT NOT NULL CHECK (what IN ('resumed', 'left')));
CREATE INDEX presence_of_miner ON presence (miner, what, seq);
CREATE TABLE handed_out (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, first NOT NULL, last NOT NULL,
    miner INTEGER NOT NULL REFERENCES miner, node INTEGER NOT NULL REFERENCES node,
    origin TEXT NOT NULL CHECK (origin IN ('new', 'own', 'returned')));
CREATE INDEX handed_out_new ON handed_out (seq) WHERE origin = 'new';
CREATE TABLE finished (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, first NOT NULL, last NOT NULL,
    miner INTEGER NOT NULL REFERENCES miner, node INTEGER NOT NULL REFERENCES node, seconds REAL NOT NULL);
CREATE TABLE returned (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, first NOT NULL, last NOT NULL,
    miner INTEGER NOT NULL REFERENCES miner, node INTEGER NOT NULL REFERENCES node,
    reason TEXT NOT NULL CHECK (reason IN ('down', 'lease')));
CREATE TABLE coin (
    worth INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at REAL NOT NULL, n NOT NULL UNIQUE,
    miner INTEGER NOT NULL REFERENCES miner, count INTEGER NOT NULL, UNIQUE (miner, count));
CREATE TABLE workload (seq INTEGER PRIMARY KEY, at REAL NOT NULL, workload NOT NULL);

-- Anybody can be refused at any speed, so refusals are counted, and only the latest of a kind is kept in full.
-- Miner 0 is none that is known.
CREATE TABLE rejected (
    miner INTEGER NOT NULL, node INTEGER NOT NULL REFERENCES node, reason TEXT NOT NULL, count INTEGER NOT NULL,
    first_at REAL NOT NULL, last_at REAL NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (miner, node, reason)) WITHOUT ROWID;

CREATE TABLE open_unit (
    first PRIMARY KEY NOT NULL, last NOT NULL, miner INTEGER REFERENCES miner, node INTEGER REFERENCES node,
    held INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE reach (
    miner INTEGER NOT NULL REFERENCES miner, first NOT NULL, last NOT NULL,
    PRIMARY KEY (miner, first)) WITHOUT ROWID;
"""

_PLACES: Final = """
ALTER TABLE coin RENAME TO coin_before;
CREATE TABLE coin (
    worth INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at REAL NOT NULL, n NOT NULL,
    miner INTEGER NOT NULL REFERENCES miner, count INTEGER NOT NULL);
INSERT INTO coin SELECT worth, seq, at, n, miner, count FROM coin_before ORDER BY worth;
DROP TABLE coin_before;
CREATE TABLE place (n PRIMARY KEY NOT NULL, worth INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE latest_coin (miner INTEGER PRIMARY KEY REFERENCES miner, worth INTEGER NOT NULL);
CREATE TABLE placed (one INTEGER PRIMARY KEY CHECK (one = 1), worth INTEGER NOT NULL);
INSERT INTO placed VALUES (1, 0);
"""

MIGRATIONS: Final = (
    ("the game, its facts, and what follows from them", _FIRST),
    ("coins are placed many at once", _PLACES),
)
"""Names and statements, oldest first. One that was released is never changed."""


def applied(connection: sqlite3.Connection) -> list[str]:
    """The names of the migrations that the file has had; none for a file without any table."""
    if not connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'migration'").fetchone()[0]:
        return []
    return [name for (name,) in connection.execute("SELECT name FROM migration ORDER BY id")]


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether the file holds nothing and is nobody's: one without any table and any program's marks."""
    marks = (connection.execute(f"PRAGMA {mark}").fetchone()[0] for mark in ("application_id", "user_version"))
    return not any(marks) and not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def unknown(connection: sqlite3.Connection) -> list[str]:
    """Those of them that this program does not know: a newer one wrote the file."""
    known = {name for name, _ in MIGRATIONS}
    return [name for name in applied(connection) if name not in known]


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is missing. To be called within `atomic`."""
    connection.execute("CREATE TABLE IF NOT EXISTS migration (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
    had = set(applied(connection))
    for name, statements in MIGRATIONS:
        if name in had:
            continue
        with atomic(connection):
            # Not `executescript`, which ends the transaction.
            for statement in statements.split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO migration (name) VALUES (?)", (name,))
