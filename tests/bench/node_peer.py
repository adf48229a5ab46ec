"""A node of ours that is called, and that calls when it is told to.

    python -m tests.bench.node_peer NAME COOKIE LOOP      (LOOP: asyncio or uvloop; prints "up" once it is)

`bench` answers `{:done, name}` with `{:ok, n}`. `caller` answers `{:run, node, calls, in_flight}` with `{:ok, rate}`,
the calls per second of that many calls of `bench` there.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter

from pyerlcoin.beam import Atom, GenServer, Node, Sender, Term

OK, DONE = Atom("ok"), Atom("done")


class Bench(GenServer):
    """As a handler is written by somebody who thinks of nothing but the game."""

    def __init__(self) -> None:
        self.n = 0

    def handle_call(self, request: Term, sender: Sender) -> Term:
        match request:
            case (Atom("done"), bytes()):
                self.n += 1
                return (OK, self.n)
        return (Atom("error"), request)


class Caller(GenServer):
    """Calls with processes' own `Process.call`, as a user does."""

    async def handle_call(self, request: Term, sender: Sender) -> Term:
        match request:
            case (Atom("run"), Atom(node), int(calls), int(in_flight)):
                return (OK, await self._run(("bench", node), calls, in_flight))
        return (Atom("error"), request)

    async def _run(self, to: tuple[str, str], calls: int, in_flight: int) -> float:
        async def one_after_the_other() -> None:
            for _ in range(calls // in_flight):
                match await self.process.node.call(to, (DONE, b"Alice"), 60.0):
                    case (Atom("ok"), int()):
                        pass
                    case other:
                        raise AssertionError(other)

        started = perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(in_flight):
                tasks.create_task(one_after_the_other())
        return calls // in_flight * in_flight / (perf_counter() - started)


async def serve(name: str, cookie: str) -> None:
    """Until the end of the input."""
    async with Node(name, cookie) as node:
        node.spawn(Bench(), "bench")
        node.spawn(Caller(), "caller")
        print("up", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """See the module's text."""
    name, cookie, loop = sys.argv[1:]
    if loop == "uvloop":
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(name, cookie))
    else:
        asyncio.run(serve(name, cookie))


if __name__ == "__main__":
    main()
