from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pyerlcoin.errors import WrongUsage
from pyerlcoin.web.schedule import Phase, Schedule, parse_moment

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 1, 31, 20, 0, 0, tzinfo=ZONE)


def test_without_a_schedule_the_board_is_open_for_ever() -> None:
    assert Schedule().phase(1e12) is Phase.OPEN


@pytest.mark.parametrize(
    ("now", "phase"),
    [(9.9, Phase.OPEN), (10.0, Phase.FROZEN), (19.9, Phase.FROZEN), (20.0, Phase.FINAL), (1e9, Phase.FINAL)],
)
def test_each_phase_begins_at_its_moment(now: float, phase: Phase) -> None:
    assert Schedule(freeze_at=10.0, ends_at=20.0).phase(now) is phase


def test_a_board_may_end_without_freezing() -> None:
    schedule = Schedule(ends_at=20.0)
    assert [schedule.phase(19.0), schedule.phase(20.0)] == [Phase.OPEN, Phase.FINAL]


@pytest.mark.parametrize(("freeze_at", "ends_at"), [(10.0, None), (10.0, 10.0), (20.0, 10.0)])
def test_a_freeze_needs_a_later_end(freeze_at: float, ends_at: float | None) -> None:
    with pytest.raises(WrongUsage):
        Schedule(freeze_at, ends_at)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("21:30", datetime(2026, 1, 31, 21, 30, tzinfo=ZONE)),
        ("9:05:30", datetime(2026, 1, 31, 9, 5, 30, tzinfo=ZONE)),
        ("19:59", datetime(2026, 1, 31, 19, 59, tzinfo=ZONE)),
        ("00:15", datetime(2026, 2, 1, 0, 15, tzinfo=ZONE)),
        ("07:59", datetime(2026, 2, 1, 7, 59, tzinfo=ZONE)),
        ("+90", NOW + timedelta(seconds=90)),
        ("+45m", NOW + timedelta(minutes=45)),
        ("+2h", NOW + timedelta(hours=2)),
        ("2026-03-01T18:00", datetime(2026, 3, 1, 18, tzinfo=ZONE)),
        ("2026-03-01T18:00Z", datetime(2026, 3, 1, 18, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_a_person_means_it(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment.timestamp()


def test_after_midnight_an_evening_hour_was_yesterday() -> None:
    late = datetime(2026, 2, 1, 0, 10, tzinfo=ZONE)
    assert parse_moment("23:50", late) == datetime(2026, 1, 31, 23, 50, tzinfo=ZONE).timestamp()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot be told its zone")
@pytest.mark.parametrize(
    ("now", "text", "moment"),
    [
        ("2026-03-28T20:00", "2026-03-29T21:30", "2026-03-29T21:30+02:00"),
        ("2026-03-28T23:00", "09:00", "2026-03-29T09:00+02:00"),
        ("2026-03-29T03:30", "01:30", "2026-03-29T01:30+01:00"),
        ("2026-03-28T20:00", "+12h", "2026-03-29T09:00+02:00"),
        ("2026-10-24T23:00", "09:00", "2026-10-25T09:00+01:00"),
        ("2026-10-24T23:00", "22:00", "2026-10-24T22:00+02:00"),
    ],
)
def test_beyond_a_change_of_the_clocks_the_hour_is_the_new_one(
    monkeypatch: pytest.MonkeyPatch, now: str, text: str, moment: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        told = parse_moment(text, datetime.fromisoformat(now))
    time.tzset()
    assert told == datetime.fromisoformat(moment).timestamp()


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_it_says_in_words_which_day_was_meant() -> None:
    end = at("2026-11-27T11:00")
    schedule = Schedule(freeze_at=at("2026-11-26T23:45:30"), ends_at=end)
    ends = "ends on Friday 2026-11-27 at 11:00"
    freeze = "Thursday 2026-11-26 at 23:45:30"
    assert schedule.words(at("2026-11-26T22:37")) == f"the board freezes on {freeze} and {ends}"
    assert schedule.words(at("2026-11-27T10:00")) == f"the board is frozen since {freeze} and {ends}"
    assert Schedule(ends_at=end).words(at("2026-11-27T10:00")) == f"the board {ends}"
    final = Schedule(ends_at=end).words(end) or ""
    assert final.startswith("the board ended on Friday 2026-11-27 at 11:00 and is final; ")
    assert Schedule().words(end) is None


@pytest.mark.parametrize("text", ["", "24:00", "21:60", "soon", "+", "+5d", "21.30", "-5m", "+9999999"])
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(WrongUsage, match="21:30"):
        parse_moment(text, NOW)


def test_nor_is_a_year_that_no_clock_has() -> None:
    with pytest.raises(WrongUsage, match="is no moment"):
        parse_moment("0001-01-01T00:00", NOW.replace(tzinfo=None))
