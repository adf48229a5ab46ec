"""The rules of the game as naively as they can be said: every integer by itself, every rule a loop, no index."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

__all__ = ["Model", "Piece"]


@dataclass
class Piece:
    """Integers that wait, and whose they were."""

    first: int
    last: int
    name: str | None
    node: str | None
    pid: str | None
    until: float | None


@dataclass
class Model:
    """Answers are ("ok", …) or ("error", reason)."""

    coins_there_are: set[int]
    grace: float
    lease: float
    frontier: int = 1
    workload: int = 3
    nodes: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    held: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    signs: dict[tuple[str, str], float] = field(default_factory=dict)
    waiting: list[Piece] = field(default_factory=list)
    finished: set[int] = field(default_factory=set)
    handed: dict[str, set[int]] = field(default_factory=dict)
    wallet: dict[int, tuple[str, int]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    """What is held against a name."""

    def copy(self) -> Model:
        return deepcopy(self)

    def tick(self, now: float) -> None:
        for (pid, name), (first, last) in list(self.held.items()):
            if self.signs[pid, name] + self.lease <= now:
                del self.held[pid, name]
                self.waiting.append(Piece(first, last, name, self.nodes_of_pid(pid), pid, None))
        for piece in self.waiting:
            if piece.until is not None and piece.until <= now:
                piece.until = None

    @staticmethod
    def nodes_of_pid(pid: str) -> str:
        return pid[0] + "@h"

    def hello(self, pid: str, name: str, now: float) -> tuple[object, ...]:
        self.tick(now)
        node = self.nodes_of_pid(pid)
        if name in self.nodes:
            works = any(holder_name == name for _, holder_name in self.held)
            if name in self.owners or (works and self.nodes[name] != node):
                return self.rejects(pid, name, "name taken")
        self.nodes[name] = node
        self.owners[name] = pid
        if (pid, name) in self.held:
            self.signs[pid, name] = now
            return "ok", *self.held[pid, name]
        return self.hand_out(pid, name, now, free=True)

    def done(self, pid: str, name: str, now: float) -> tuple[object, ...]:
        self.tick(now)
        if (error := self.not_here(pid, name)) is not None:
            return error
        if (pid, name) in self.held:
            first, last = self.held.pop((pid, name))
            self.finished |= set(range(first, last + 1))
        else:
            for piece in self.waiting:
                if (piece.pid, piece.name) == (pid, name):
                    self.waiting.remove(piece)
                    self.finished |= set(range(piece.first, piece.last + 1))
                    break
        return self.hand_out(pid, name, now, free=False)

    def coin(self, pid: str, name: str, n: int, now: float) -> tuple[object, ...]:
        self.tick(now)
        if (error := self.not_here(pid, name)) is not None:
            return error
        if (pid, name) in self.held:
            self.signs[pid, name] = now
        if n not in self.coins_there_are:
            return self.rejects(pid, name, "verification failed")
        handed = n in self.handed.get(name, ())
        if n in self.wallet:
            finder, count = self.wallet[n]
            if finder == name:
                return "ok", count
            if handed:
                return "error", "coin of another miner"
            return self.rejects(pid, name, "coin of another miner")
        if not handed:
            return self.rejects(pid, name, "range of another miner")
        count = 1 + sum(finder == name for finder, _ in self.wallet.values())
        self.wallet[n] = (name, count)
        self.order.append(n)
        return "ok", count

    def rejects(self, pid: str, name: str, reason: str) -> tuple[object, ...]:
        if self.nodes[name] == self.nodes_of_pid(pid):
            self.rejected[name] = self.rejected.get(name, 0) + 1
        return "error", reason

    def not_here(self, pid: str, name: str) -> tuple[object, ...] | None:
        if name not in self.nodes:
            return "error", "unknown miner"
        if self.nodes[name] != self.nodes_of_pid(pid):
            return "error", "name of another node"
        return None

    def hand_out(self, pid: str, name: str, now: float, *, free: bool) -> tuple[object, ...]:
        node = self.nodes_of_pid(pid)
        own = [
            piece
            for piece in sorted(self.waiting, key=lambda piece: (piece.pid != pid, piece.first))
            if piece.name == name and (free if piece.until is None else piece.node == node)
        ]
        if own:
            self.waiting.remove(own[0])
            first, last = own[0].first, own[0].last
        elif any(piece.until is None for piece in self.waiting):
            first, last = self.cut()
        else:
            first, last = self.frontier, self.frontier + self.workload - 1
            self.frontier = last + 1
        self.held[pid, name] = (first, last)
        self.signs[pid, name] = now
        self.handed.setdefault(name, set()).update(range(first, last + 1))
        return "ok", first, last

    def cut(self) -> tuple[int, int]:
        anybodys = {n for piece in self.waiting if piece.until is None for n in range(piece.first, piece.last + 1)}
        first = last = min(anybodys)
        while last + 1 in anybodys and last + 1 < first + self.workload:
            last += 1
        rest: list[Piece] = []
        for piece in self.waiting:
            if piece.last < first or last < piece.first:
                rest.append(piece)
            elif piece.last > last:
                rest.append(Piece(last + 1, piece.last, None, None, None, None))
        self.waiting = rest
        return first, last

    def down(self, pid: str, now: float) -> None:
        self.tick(now)
        for holder, name in list(self.held):
            if holder == pid:
                first, last = self.held.pop((holder, name))
                until = now + self.grace if self.grace else None
                self.waiting.append(Piece(first, last, name, self.nodes_of_pid(pid), pid, until))
        for name, owner in list(self.owners.items()):
            if owner == pid:
                del self.owners[name]

    def restart(self, now: float) -> None:
        for (_pid, name), (first, last) in self.held.items():
            self.waiting.append(Piece(first, last, name, self.nodes_of_pid(_pid), None, None))
        self.held.clear()
        self.owners.clear()
        self.rejected.clear()
        for piece in self.waiting:
            piece.pid = None
            piece.until = None if piece.name is None else now + self.grace

    def leaderboard(self) -> list[tuple[str, int]]:
        def key(name: str) -> tuple[int, int]:
            mine = [at for at, n in enumerate(self.order, 1) if self.wallet[n][0] == name]
            return -len(mine), max(mine, default=0)

        return [(name, -key(name)[0]) for name in sorted(self.nodes, key=key)]
