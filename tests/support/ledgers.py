"""A ledger for tests: one zero, so that coins are frequent, and what its answers say."""

from __future__ import annotations

from typing import Any

from pyerlcoin.coin.answers import Answer, Outcome, Refusal, Welcome, Work
from pyerlcoin.coin.coin import is_coin
from pyerlcoin.coin.facts import Reason, Rejected
from pyerlcoin.coin.ledger import Ledger

__all__ = ["COINS", "NO_COIN", "SECRET", "A", "B", "make", "refused", "unit"]

SECRET = b"Serun+u"
COINS = [n for n in range(1, 400) if is_coin(SECRET, n, 1)]
NO_COIN = next(n for n in range(1, 400) if n not in COINS)
A, B = "a@h", "b@h"


def make(workload: Any = 10, **options: Any) -> Ledger:
    """A new game."""
    return Ledger(SECRET, **{"zeros": 1, "workload": workload, **options})


def unit(outcome: Outcome[Any]) -> tuple[int, int]:
    """First and last of the unit that was handed out."""
    answer = outcome.answer.work if isinstance(outcome.answer, Welcome) else outcome.answer
    assert isinstance(answer, Work), answer
    return answer.unit.first, answer.unit.last


def refused(outcome: Outcome[Any]) -> tuple[Reason, str]:
    """Why, and the words; the fact says the same."""
    answer: Answer = outcome.answer
    assert isinstance(answer, Refusal), answer
    rejected = outcome.facts[-1]
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.message) == (answer.reason, answer.message)
    return answer.reason, answer.message
