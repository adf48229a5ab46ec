"""Games that tests play on a store: a few names, every integer a coin, one commit a turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyerlcoin.coin.answers import Outcome, Welcome, Work
from pyerlcoin.coin.facts import Fact
from pyerlcoin.coin.unit import Unit
from pyerlcoin.store.store import Store
from tests.support.clock import UNIT

__all__ = ["PATIENCE", "SECRET", "commit", "open_store", "play", "unit_of"]

SECRET = b"games"
PATIENCE = 60 * UNIT
"""Seconds after which a commit that does not end is a failed test."""


def open_store(path: Path | str, **options: Any) -> Store:
    """A store on which every integer is a coin (no zeros), ten a unit."""
    return Store.open(path, SECRET, **{"zeros": 0, "workload": 10, "now": 1000.0, **options})


def commit(store: Store, facts: Sequence[Fact]) -> None:
    """Write and keep, as a server does. Raises what the commit did, and then nothing is kept."""
    mark = store.ledger.mark()
    store.commit(facts).result(PATIENCE)
    store.ledger.keep(mark)


def unit_of(outcome: Outcome[Any]) -> Unit:
    """The unit that was handed out."""
    answer = outcome.answer.work if isinstance(outcome.answer, Welcome) else outcome.answer
    assert isinstance(answer, Work), answer
    return answer.unit


def play(store: Store, now: float = 1001.0) -> None:
    """Ann and Bob work, Cleo goes away and Bob gets a piece of hers; each thing that can happen does."""
    ledger = store.ledger
    facts: list[Fact] = []
    for holder, name in enumerate(["Ann", "Bob", "Cleo"]):
        facts += ledger.hello(holder, f"{name.lower()}@h", name, now).facts
    facts += ledger.coin(0, "ann@h", "Ann", 3, now).facts
    facts += ledger.coin(0, "ann@h", "Ann", 15, now).facts
    facts += ledger.done(0, "ann@h", "Ann", now + 1).facts
    facts += ledger.coin(1, "bob@h", "Bob", 12, now + 1).facts
    facts += ledger.down(2, now + 1)
    commit(store, facts)
    facts = [*ledger.set_workload(4, now + 20).facts]
    facts += ledger.done(1, "bob@h", "Bob", now + 20).facts
    facts += ledger.hello(3, "elsewhere@h", "Cleo", now + 20).facts
    facts += ledger.coin(3, "elsewhere@h", "Cleo", 25, now + 21).facts
    facts += ledger.coin(3, "elsewhere@h", "Nobody", 25, now + 21).facts
    commit(store, facts)
