"""Where a coin is found by its integer, and a miner's latest one: indexes that follow behind.

Miners tell coins from many places of the integers at once, so that an index kept with each coin changes a page of the
file for each: measured, that was seven times the cost of the coin itself. So coins are only appended, and placed many
at once, in the order of their integers. Those that are not placed yet are few: who writes them remembers them, and who
reads a ledger, or starts on it, finds them behind the number in `placed`.
"""

from __future__ import annotations

import sqlite3
from typing import Final

__all__ = ["PLACE_EVERY", "place"]

PLACE_EVERY: Final = 4096
"""Coins that may wait. To place so many takes some ten milliseconds of the disk's thread, and to remember them 1 MB."""


def place(connection: sqlite3.Connection) -> int:
    """Place every coin that is not. How many are in the ledger, all of them placed. To be called within `atomic`."""
    (before,) = connection.execute("SELECT worth FROM placed").fetchone()
    # The ledger tells no coin twice. Should one be there all the same, it is for the audit to say, not for us to stop.
    connection.execute(
        "INSERT OR IGNORE INTO place SELECT n, worth FROM coin WHERE worth > ? ORDER BY n, worth", (before,)
    )
    connection.execute(
        "INSERT INTO latest_coin SELECT miner, max(worth) FROM coin WHERE worth > ? GROUP BY miner"
        " ON CONFLICT DO UPDATE SET worth = excluded.worth",
        (before,),
    )
    (now,) = connection.execute("SELECT coalesce(max(worth), 0) FROM coin").fetchone()
    connection.execute("UPDATE placed SET worth = ?", (now,))
    return int(now)
