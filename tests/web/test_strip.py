from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pyerlcoin.coin.unit import Unit
from pyerlcoin.web.strip import Segment, State, Strip


def test_a_new_game_is_untouched() -> None:
    window = Strip(1, 1).window()
    assert {part.state for part in window.segments} == {State.UNTOUCHED}
    assert window.first == 1


def test_each_state_is_shown_where_it_is() -> None:
    strip = Strip(1, 1)
    for first, name in ((1, "Alice"), (101, "Bob"), (201, "Alice"), (301, "Carol")):
        strip.hand_out(Unit(first, first + 99), name)
    strip.finish(Unit(1, 100))
    strip.give_back(Unit(201, 300))
    window = strip.window()
    assert window.exact
    assert window.segments[1:] == (
        Segment(101, 200, State.OPEN, "Bob"),
        Segment(201, 300, State.RETURNED),
        Segment(301, 400, State.OPEN, "Carol"),
        Segment(401, window.last, State.UNTOUCHED),
    )
    assert window.segments[0].state is State.FINISHED


def test_a_late_done_finishes_what_had_come_back() -> None:
    strip = Strip(1, 1)
    strip.hand_out(Unit(1, 100), "Alice")
    strip.give_back(Unit(1, 100))
    strip.finish(Unit(1, 100))
    assert {part.state for part in strip.window().segments} == {State.FINISHED, State.UNTOUCHED}


def test_a_restart_shows_what_waits() -> None:
    strip = Strip(1, 1001, [Unit(401, 500)])
    assert Segment(401, 500, State.RETURNED) in strip.window().segments


def test_integers_of_a_thousand_digits_are_integers() -> None:
    base = 10**1000
    strip = Strip(base, base)
    for k in range(500):
        strip.hand_out(Unit(base + k * 10, base + k * 10 + 9), f"m{k}")
    window = strip.window()
    assert not window.exact
    assert window.first >= base


class Handing(RuleBasedStateMachine):
    """Units go from hand to hand, beside a list that says of each integer where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.strip = Strip(1, 1)
        self.truth: list[tuple[State, str | None]] = []
        self.open: dict[int, Unit] = {}

    @rule(size=st.integers(1, 9), name=st.sampled_from("AB"))
    def hand_out_new(self, size: int, name: str) -> None:
        unit = Unit(len(self.truth) + 1, len(self.truth) + size)
        self.truth += [(State.OPEN, name)] * size
        self._take(unit, name)

    @precondition(lambda self: any(state is State.RETURNED for state, _ in self.truth))
    @rule(data=st.data(), name=st.sampled_from("AB"))
    def hand_out_returned(self, data: st.DataObject, name: str) -> None:
        waiting = [n for n, (state, _) in enumerate(self.truth, 1) if state is State.RETURNED]
        first = last = data.draw(st.sampled_from(waiting))
        while last + 1 in waiting and data.draw(st.booleans()):
            last += 1
        self._take(Unit(first, last), name)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        unit = self.open.pop(data.draw(st.sampled_from(sorted(self.open))))
        self.strip.finish(unit)
        self._mark(unit, State.FINISHED, None)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        unit = self.open.pop(data.draw(st.sampled_from(sorted(self.open))))
        self.strip.give_back(unit)
        self._mark(unit, State.RETURNED, None)

    @invariant()
    def the_window_is_the_truth(self) -> None:
        window = self.strip.window(10**6)
        assert window.exact
        at = window.first
        for part in window.segments:
            assert part.first == at
            at = part.last + 1
            for n in range(part.first, part.last + 1):
                expected = self.truth[n - 1] if n <= len(self.truth) else (State.UNTOUCHED, None)
                assert (part.state, part.name) == expected
        assert at == window.last + 1
        below = self.truth[: window.first - 1]
        assert all(state is State.FINISHED for state, _ in below)

    @invariant()
    def a_small_picture_is_bounded_and_whole(self) -> None:
        window = self.strip.window(8)
        assert len(window.segments) <= 8
        assert window.segments[0].first == window.first
        assert window.segments[-1].last == window.last
        for left, right in zip(window.segments, window.segments[1:], strict=False):
            assert left.last + 1 == right.first

    def _take(self, unit: Unit, name: str) -> None:
        self.strip.hand_out(unit, name)
        self._mark(unit, State.OPEN, name)
        self.open[unit.first] = unit

    def _mark(self, unit: Unit, state: State, name: str | None) -> None:
        self.truth[unit.first - 1 : unit.last] = [(state, name)] * unit.size


TestHanding = Handing.TestCase


@given(st.lists(st.integers(1, 10**20), min_size=1, max_size=400))
def test_units_of_any_size_fit_in_the_cells(sizes: list[int]) -> None:
    strip = Strip(1, 1)
    at = 1
    for size in sizes:
        strip.hand_out(Unit(at, at + size - 1), "Alice")
        at += size
    segments = strip.window(160).segments
    assert len(segments) <= 160
    assert segments[0].state is State.OPEN
    assert segments[-1].state is State.UNTOUCHED
