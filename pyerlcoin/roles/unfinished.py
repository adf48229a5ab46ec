"""The units of a run that may be handed out once more, and what is known of them."""

from __future__ import annotations

from typing import Final

from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles.work import Work

__all__ = ["MOST", "Unfinished"]

MOST: Final = 32
"""Works that are remembered. Each loss of a server may leave one for each lane, of which nobody says that it is
finished; whoever forgets one searches it again at worst."""


class Unfinished:
    """Works under one secret, each until a server is known to have finished its unit.

    What was in hand when a server was lost may come again, to whichever lane, whole or in pieces. To remember every
    coin of a run would take memory without end; what is finished does not come again.
    """

    def __init__(self) -> None:
        self._works: dict[Unit, Work] = {}
        self._counted: set[int] = set()

    def __len__(self) -> int:
        """How many works are remembered."""
        return len(self._works)

    def __contains__(self, work: Work) -> bool:
        """Whether `work` is remembered."""
        return self._works.get(work.unit) is work

    def begin(self, work: Work) -> None:
        """`work` is in hand."""
        self._works.pop(work.unit, None)
        self._works[work.unit] = work
        if len(self._works) > MOST:
            ended = next((unit for unit, work in self._works.items() if work.searched), None)
            if ended is not None:
                self.finished(ended)

    def finished(self, unit: Unit) -> None:
        """`unit` does not come again."""
        work = self._works.pop(unit, None)
        if work is not None:
            self._counted -= work.hits

    def searched(self, unit: Unit) -> Work | None:
        """What has that unit, if it was searched whole."""
        work = self._works.get(unit)
        return work if work is not None and work.whole else None

    def count(self, n: int) -> bool:
        """Whether the coin `n`, which a server took, is one more for this run. It is not when it is told again."""
        if n in self._counted:
            return False
        self._counted.add(n)
        return True

    def tell_again(self) -> None:
        """The server may be another one, and know none of the coins."""
        for work in self._works.values():
            work.accepted.clear()

    def clear(self) -> None:
        """The secret is another one."""
        self._works.clear()
        self._counted.clear()
