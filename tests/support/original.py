"""The original server as its miners meet it: written from what it does, faults included.

It starts its integers at 0, answers a taken name `already registered` for ever, answers done without looking at the
name, counts a coin as often as it is told, and crashes on a valid coin from an unknown name: then a fresh table
of miners starts beside the dispenser, which goes on.
"""

from __future__ import annotations

from pyerlcoin.beam.etf import ERROR, OK, Atom, Pid, Term
from pyerlcoin.coin.coin import is_coin
from pyerlcoin.roles.cluster import Address, Reply
from pyerlcoin.roles.messages import SERVER_NAME
from tests.support.memory_cluster import MemoryCluster, MemoryHost

__all__ = ["OriginalServer"]


class OriginalServer:
    """A `cluster.Service`. `start` puts it on a node; `restart` ends its process and starts it again."""

    def __init__(self, cluster: MemoryCluster, secret: bytes, *, zeros: int, workload: int = 1) -> None:
        self.cluster = cluster
        self.secret = secret
        self.zeros = zeros
        self.workload = workload
        self.next = 0
        self.miners: dict[bytes, int] = {}
        self.told: list[int] = []
        """Every coin it counted, in order."""
        self.crashes = 0
        self.host: MemoryHost | None = None

    async def start(self) -> None:
        self.host = await self.cluster.host(SERVER_NAME, self)

    def stop(self, reason: str = "shutdown") -> None:
        self.cluster.network.crash(Address(SERVER_NAME, self.cluster.node), Atom(reason))

    async def restart(self) -> None:
        self.stop("badmatch")
        self.miners = {}
        await self.start()

    def handle_call(self, request: Term, caller: Pid, reply: Reply) -> None:
        match request:
            case tuple((Atom("hello"), bytes(name))) if name in self.miners:
                reply((ERROR, f"'{name.decode()}' is already registered".encode()))
            case tuple((Atom("hello"), bytes(name))):
                self.miners[name] = 0
                reply((OK, self.secret, self._take()))
            case tuple((Atom("coin"), bytes(name), int(n))):
                if not is_coin(self.secret, n, self.zeros):
                    reply((ERROR, b"verification failed"))
                elif name in self.miners:
                    self.miners[name] += 1
                    self.told.append(n)
                    reply((OK, self.miners[name]))
                else:
                    self.crashes += 1
                    self.stop("badmatch")
            case tuple((Atom("done"), _)):
                reply((OK, self._take()))
            case _:
                self.stop("function_clause")

    def _take(self) -> Term:
        first, self.next = self.next, self.next + self.workload
        return first if self.workload == 1 else (first, self.next - 1)

    def handle_cast(self, request: Term) -> None:
        match request:
            case tuple((Atom("workload"), int(n))) if n > 0:
                self.workload = n
            case _:
                self.stop("function_clause")

    def handle_info(self, message: Term) -> None:
        pass

    def handle_down(self, pid: Pid, reason: Term) -> None:
        raise AssertionError("the original watches nobody")

    def state(self) -> Term:
        return Atom("nil")
