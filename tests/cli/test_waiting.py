from __future__ import annotations

from pyerlcoin.cli.waiting import Waiting
from pyerlcoin.roles import events


def test_an_attempt_counts_down_until_it_joins() -> None:
    waiting = Waiting()
    assert waiting.words(10.0) is None
    waiting.event(events.Retrying(3, 4.0, "gone\x1b"), 10.0)
    assert waiting.words(10.0) == "attempt 3 in 4 s: gone\N{REPLACEMENT CHARACTER}"
    assert waiting.words(13.5) == "attempt 3 in 1 s: gone\N{REPLACEMENT CHARACTER}"
    assert waiting.words(14.5) == "attempt 3 now: gone\N{REPLACEMENT CHARACTER}"
    waiting.event(events.Joined("Ada", "x@y", True), 15.0)
    assert waiting.words(15.0) is None


def test_a_slow_answer_is_waited_for_until_that_lane_has_it() -> None:
    waiting = Waiting()
    waiting.event(events.StillWaiting(1, "done", 5.0), 10.0)
    waiting.event(events.UnitTaken(0, 1, 2), 11.0)
    assert waiting.words(11.0) == "has not answered done yet"
    waiting.event(events.UnitTaken(1, 3, 4), 12.0)
    assert waiting.words(12.0) is None
