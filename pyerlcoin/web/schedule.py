"""When the board freezes, and when the game is over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pyerlcoin.errors import WrongUsage

__all__ = ["Phase", "Schedule", "day_and_time", "parse_moment"]


class Phase(StrEnum):
    """What a board shows: the game as it `open`ly goes, as it stood when it was `frozen`, or as it stood at the end."""

    OPEN = "open"
    FROZEN = "frozen"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Two moments, in seconds since the epoch; either may be missing.

    From `freeze_at` to `ends_at` nobody learns from the board who leads; from `ends_at` on it shows the end for good.
    It rules the board alone: the ledger goes on counting, and `:leaderboard` goes on answering.
    Raises `WrongUsage` for a freeze without an end, which would have no reveal, or one that comes after it.
    """

    freeze_at: float | None = None
    ends_at: float | None = None

    def __post_init__(self) -> None:
        if self.freeze_at is None:
            return
        if self.ends_at is None:
            raise WrongUsage("a board that freezes has to be revealed: give --ends-at beside --freeze-at")
        if self.freeze_at >= self.ends_at:
            raise WrongUsage("--freeze-at has to come before --ends-at")

    def phase(self, now: float) -> Phase:
        """What to show at `now`."""
        if self.ends_at is not None and now >= self.ends_at:
            return Phase.FINAL
        if self.freeze_at is not None and now >= self.freeze_at:
            return Phase.FROZEN
        return Phase.OPEN

    def boundary(self, phase: Phase) -> float | None:
        """The moment at which `phase` began; None for `open`."""
        return {Phase.OPEN: None, Phase.FROZEN: self.freeze_at, Phase.FINAL: self.ends_at}[phase]

    def words(self, now: float) -> str | None:
        """What it comes to at `now`, for whoever gave two times of day; None when there is no moment."""
        if self.ends_at is None:
            return None
        end = day_and_time(self.ends_at)
        match self.phase(now):
            case Phase.FINAL:
                return f"the board ended on {end} and is final; for a time to come add its day, as in 2026-01-31T21:30"
            case Phase.FROZEN:
                assert self.freeze_at is not None
                return f"the board is frozen since {day_and_time(self.freeze_at)} and ends on {end}"
            case Phase.OPEN:
                freeze = "" if self.freeze_at is None else f"freezes on {day_and_time(self.freeze_at)} and "
                return f"the board {freeze}ends on {end}"


def day_and_time(moment: float) -> str:
    """`Friday 2026-01-30 at 21:30`, in the zone of this machine."""
    return f"{datetime.fromtimestamp(moment):%A %Y-%m-%d at %H:%M:%S}".removesuffix(":00")


_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_AHEAD: Final = re.compile(r"\+(\d{1,6})([smh]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}

_LONG_PAST: Final = timedelta(hours=12)


def parse_moment(text: str, now: datetime) -> float:
    """Seconds since the epoch, of `21:30`, `21:30:15`, `+90`, `+45m`, `+2h` or an ISO 8601 date and time.

    A time of day is the nearest one that is not more than 12 hours gone: at 23:50, `00:15` is in 25 minutes, and a
    server that is started again at 21:40 still knows that 21:30 was today. A text without a time zone means that of
    `now`, which is this machine's when `now` carries none: then a change of the clocks between the two is known of.
    Raises `WrongUsage` for anything else.
    """
    if match := _AHEAD.fullmatch(text):
        return now.timestamp() + int(match[1]) * _SECONDS[match[2]]
    if match := _CLOCK.fullmatch(text):
        moment = now.replace(hour=int(match[1]), minute=int(match[2]), second=int(match[3] or 0), microsecond=0)
        if now - moment > _LONG_PAST:
            moment += timedelta(days=1)
        elif moment - now > _LONG_PAST:
            moment -= timedelta(days=1)
        return moment.timestamp()
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)).timestamp()
    except (ValueError, OverflowError, OSError):  # the latter two for a year that the system's clock has not
        raise WrongUsage(f"{text!r} is no moment: write 21:30, +45m or 2026-01-31T21:30") from None
