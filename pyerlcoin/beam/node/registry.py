"""The processes of a node, by pid and by registered name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyerlcoin.beam.errors import NameRegistered
from pyerlcoin.beam.etf.terms import Atom, Pid

if TYPE_CHECKING:
    from pyerlcoin.beam.node.process import Process

__all__ = ["ProcessRegistry"]


class ProcessRegistry:
    """Looked up on every message, hence by the bytes of pids and names."""

    def __init__(self) -> None:
        self._pids: dict[bytes, Process] = {}
        self._names: dict[bytes, Process] = {}

    def __len__(self) -> int:
        return len(self._pids)

    def __iter__(self) -> Iterator[Process]:
        return iter(list(self._pids.values()))

    def add(self, process: Process) -> None:
        """Raises NameRegistered when a living process has its name."""
        if process.name is not None:
            if process.name.wire in self._names:
                raise NameRegistered(process.name.name)
            self._names[process.name.wire] = process
        self._pids[process.pid.wire] = process

    def remove(self, process: Process) -> None:
        """It has ended; its name is free."""
        del self._pids[process.pid.wire]
        if process.name is not None:
            del self._names[process.name.wire]

    def by_pid(self, pid: Pid) -> Process | None:
        """The process with exactly this pid: one of an earlier life of the node is none."""
        return self._pids.get(pid.wire)

    def named(self, name: Atom) -> Process | None:
        """The process registered so."""
        return self._names.get(name.wire)

    @property
    def names(self) -> list[str]:
        """All registered names, sorted."""
        return sorted(process.name.name for process in self._names.values() if process.name is not None)
