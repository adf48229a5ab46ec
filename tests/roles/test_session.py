from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.roles.session import Backoff

# What a session does is tested through the miner that it serves, in test_miner.py.


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_a_delay_is_never_nothing_and_never_more_than_the_most(attempt: int, chance: float) -> None:
    backoff = Backoff(first=0.25, most=15.0)
    assert 0.125 <= backoff.delay(attempt, chance) <= 15.0


def test_delays_double_and_spread() -> None:
    backoff = Backoff(first=1.0, most=10.0)
    assert [backoff.delay(attempt, 1.0) for attempt in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert [backoff.delay(attempt, 0.0) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]
