"""How changes that the disk refused are taken back."""

from __future__ import annotations

from collections import deque
from collections.abc import MutableMapping
from functools import partial
from typing import TypeVar

from pyerlcoin.coin.records import Undo

__all__ = ["Journal"]

K = TypeVar("K")
V = TypeVar("V")


class Journal:
    """The undo of every change that is not known to be on disk, oldest first."""

    def __init__(self) -> None:
        self._undos: deque[Undo] = deque()
        self._dropped = 0

    @property
    def mark(self) -> int:
        """The place after every change so far; grows."""
        return self._dropped + len(self._undos)

    def record(self, undo: Undo) -> None:
        """A change was made, and this takes it back."""
        self._undos.append(undo)

    def put(self, mapping: MutableMapping[K, V], key: K, value: V) -> None:
        """Set `mapping[key]`. A key that is new comes last in a dict, and so leaves the order as it was when undone."""
        if key in mapping:
            self._undos.append(partial(mapping.__setitem__, key, mapping[key]))
        else:
            self._undos.append(partial(mapping.__delitem__, key))
        mapping[key] = value

    def keep(self, mark: int) -> None:
        """Changes before `mark` are there to stay."""
        if mark >= self.mark:
            self._dropped = self.mark
            self._undos.clear()
            return
        while self._dropped < mark:
            self._undos.popleft()
            self._dropped += 1

    def rollback(self) -> None:
        """Take back, latest first, every change that was not kept."""
        while self._undos:
            self._undos.pop()()
