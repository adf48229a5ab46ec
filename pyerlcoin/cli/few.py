"""A few of what may come in thousands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from time import monotonic

__all__ = ["Few"]


class Few:
    """At most `most` of each kind in a second: what is rare is said whatever else comes. The rest is counted."""

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._clock = clock
        self._second = 0.0
        self._kinds: Counter[object] = Counter()

    def is_over(self) -> bool:
        """Whether a second is over since the first one: then the `rest` is to be said."""
        return self._clock() - self._second >= 1.0

    def take(self, kind: object) -> bool:
        """Whether one more of this kind may be said."""
        if not self._kinds:
            self._second = self._clock()
        self._kinds[kind] += 1
        return self._kinds[kind] <= self._most

    def rest(self) -> str | None:
        """A line about those that were not said, if there were any. From now on all are counted anew."""
        rest = sum(count - self._most for count in self._kinds.values() if count > self._most)
        self._kinds.clear()
        return f"… and {rest:,} more like these in a second" if rest else None
