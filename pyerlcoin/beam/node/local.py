"""The route from a node to itself: no bytes, but the same order and the same signals."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pyerlcoin.beam.dist import GEN_CALL, alias_tag
from pyerlcoin.beam.etf.encode import encode
from pyerlcoin.beam.etf.terms import Atom, Pid, Reference, Term
from pyerlcoin.beam.node.process import NOPROC

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlcoin.beam.node.node import Node
    from pyerlcoin.beam.node.process import Process

__all__ = ["LocalRoute"]


class LocalRoute:
    """A `Route` between processes of one node.

    Signals are handled in the event loop's next turn, in order: a process that sends to itself, or to one that sends
    back, does not recurse. Terms are handed over as they are, not copied; they still must have an external form, so
    that what works here works between nodes.
    """

    up = True

    def __init__(self, node: Node) -> None:
        self.node = node.name
        self.pid_prefix = b"X" + Atom(node.name).wire
        self._owner = node
        self._monitors: dict[Reference, tuple[Process, Process]] = {}
        self._watched: dict[Process, dict[Reference, None]] = {}  # the same, by who is watched
        self._unlinking: dict[tuple[Pid, Pid], object] = {}  # unlinks that have not arrived yet
        self._signals: deque[Callable[[], None]] = deque()

    def __len__(self) -> int:
        return len(self._monitors)

    def send(self, sender: Pid, to: Pid | Atom | Reference, message: Term) -> None:
        """As `Route.send`. Nobody here has an alias."""
        encode(message)
        if isinstance(to, Reference):
            return

        def arrive() -> None:
            process = self._find(to)
            if process is not None:
                process.deliver(message, self)

        self._signal(arrive)

    def reply(self, sender: Pid, to: Pid, tag: Term, value: Term) -> None:
        """As `Route.reply`."""
        self.send(sender, to, (tag, value))

    def reply_to_alias(self, sender: Pid, to: Pid, alias: bytes, value: Term) -> None:
        """As `Route.reply_to_alias`."""
        self.reply(sender, to, alias_tag(alias), value)

    def monitor(self, process: Process, to: Pid | Atom, reference: Reference) -> None:
        """As `Route.monitor`."""

        def arrive() -> None:
            if not process.alive:
                return
            target = self._find(to)
            if target is None:
                process.monitor_fired(reference, NOPROC)
            else:
                target.watched += 1
                self._monitors[reference] = (process, target)
                self._watched.setdefault(target, {})[reference] = None

        self._signal(arrive)

    def demonitor(self, process: Process, to: Pid | Atom, reference: Reference) -> None:
        """As `Route.demonitor`."""

        def arrive() -> None:
            found = self._monitors.pop(reference, None)
            if found is not None:
                target = found[1]
                target.watched -= 1
                references = self._watched[target]
                del references[reference]
                if not references:
                    del self._watched[target]

        self._signal(arrive)

    def call(self, process: Process, to: Pid | Atom, reference: Reference, request: Term) -> None:
        """As `Route.call`."""
        message = (GEN_CALL, (process.pid, reference), request)
        encode(message)
        self.monitor(process, to, reference)
        self.send(process.pid, to, message)

    def can_wait(self, reference: Reference) -> None:
        """As `Route.can_wait`: nothing is quicker than not to wait."""

    def link(self, process: Process, to: Pid) -> None:
        """As `Route.link`."""
        self._unlinking.pop((process.pid, to), None)

        def arrive() -> None:
            if (to, process.pid) in self._unlinking:
                return  # it crossed an unlink, with which it will be undone
            # If the process has ended since, its exit signal comes behind this.
            target = self._find(to)
            if target is None:
                process.link_fired(to, NOPROC)
            else:
                target.link_made(process.pid)

        self._signal(arrive)

    def unlink(self, process: Process, to: Pid) -> None:
        """As `Route.unlink`."""
        pair, number = (process.pid, to), object()
        self._unlinking[pair] = number

        def arrive() -> None:
            if self._unlinking.get(pair) is number:
                del self._unlinking[pair]
            target = self._find(to)
            if target is not None:
                target.link_undone(process.pid)

        self._signal(arrive)

    def process_ended(self, process: Process, reason: Term) -> None:
        """As `Route.process_ended`."""
        for reference in self._watched.pop(process, ()):
            watcher, _ = self._monitors.pop(reference)
            process.watched -= 1
            self._signal(lambda w=watcher, r=reference: w.monitor_fired(r, reason))  # type: ignore[misc]
        for pid in process.linked:
            other = self._find(pid)
            if other is not None:
                self._signal(lambda o=other: o.link_fired(process.pid, reason))  # type: ignore[misc]

    def behind(self) -> bool:
        """As `Route.behind`: never."""
        return False

    async def drained(self) -> None:
        """As `Route.drained`: nothing is ever behind."""

    def _find(self, to: Pid | Atom) -> Process | None:
        registry = self._owner.registry
        return registry.by_pid(to) if isinstance(to, Pid) else registry.named(to)

    def _signal(self, arrive: Callable[[], None]) -> None:
        if not self._signals:
            self._owner.loop.call_soon(self._arrive)
        self._signals.append(arrive)

    def _arrive(self) -> None:
        # Only those that are here now: what they cause comes in the next turn, so that sockets get theirs.
        try:
            for _ in range(len(self._signals)):
                self._signals.popleft()()
        finally:
            # Also where one of them raised: no signal is added to those that nobody is to handle.
            if self._signals:
                self._owner.loop.call_soon(self._arrive)
