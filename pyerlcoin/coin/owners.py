"""Which process said hello for which name."""

from __future__ import annotations

from collections.abc import Collection, Hashable

__all__ = ["Owners"]


class Owners:
    """The process of each name, as long as it lives. `add` and `remove` take each other back."""

    def __init__(self) -> None:
        self._holders: dict[str, Hashable] = {}
        self._names: dict[Hashable, dict[str, None]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._holders

    def names(self, holder: Hashable) -> Collection[str]:
        """The names for which `holder` said hello, oldest first."""
        return self._names.get(holder, {})

    def add(self, name: str, holder: Hashable) -> None:
        """`holder` said hello for `name`, which no process that lives has."""
        self._holders[name] = holder
        self._names.setdefault(holder, {})[name] = None

    def remove(self, name: str) -> Hashable:
        """The process of `name`, which it is not any more."""
        holder = self._holders.pop(name)
        names = self._names[holder]
        del names[name]
        if not names:
            del self._names[holder]
        return holder
