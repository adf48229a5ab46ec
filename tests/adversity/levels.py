"""What a node of ours and a BEAM keep at a quiet moment, and whether that grows."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from pyerlcoin.beam import Node
from tests.support.beam import Beam

__all__ = ["Keeping", "Levels", "counting", "keeping"]

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Keeping:
    """One look. Memory in bytes."""

    heap: int
    """What tracemalloc counts."""
    rss: int
    objects: int
    """What the garbage collector tracks, after a collection."""
    descriptors: int
    tasks: int
    processes: int
    connections: int
    dials: int
    handshakes: int
    monitors_on_us: int
    monitors_by_us: int
    links: int
    calls: int
    messages: int
    beam_processes: int
    beam_ports: int
    beam_memory: int
    beam_process_memory: int
    beam_atoms: int


_SLACK: Final[dict[str, int]] = {
    "heap": 128 * 1024,
    "rss": 4 * 1024 * 1024,
    "objects": 400,
    "beam_memory": 2 * 1024 * 1024,
    "beam_process_memory": 1024 * 1024,
    "beam_atoms": 50,
}
"""How much more the end may have than the beginning, whatever the time between; of the rest, nothing.

A leak of one object for each call, or of one connection for each cut, is above it after an hour; after two minutes that
of each call is.
"""


@contextlib.contextmanager
def counting() -> Iterator[None]:
    """Within it, a look counts what came since, in memory and in objects, and passes over what the process held before.

    A look stops the event loop, and with that the ticks: to go through all that a process of the whole suite holds
    takes longer than a BEAM waits for one.
    """
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if not tracing:
            tracemalloc.stop()


async def keeping(node: Node, beam: Beam) -> Keeping:
    """What there is now. The BEAM must have `PyerlcoinTest.Traffic`."""
    processes, ports, memory, of_processes, atoms = json.loads(await beam.eval("PyerlcoinTest.Traffic.measure()"))
    tables = asdict(node.tables())
    gc.collect()
    return Keeping(
        heap=tracemalloc.get_traced_memory()[0],
        rss=_resident(),
        objects=len(gc.get_objects()),
        descriptors=len(os.listdir("/proc/self/fd")) - 1,  # without that of the look itself
        tasks=len(asyncio.all_tasks()),
        **tables,
        beam_processes=processes,
        beam_ports=ports,
        beam_memory=memory,
        beam_process_memory=of_processes,
        beam_atoms=atoms,
    )


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


class Levels:
    """The looks of a run, the first `warm_up` of which count for nothing."""

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self.looks: list[Keeping] = []
        self._lines: dict[tuple[str, int], int] = {}
        self._kinds: Counter[str] = Counter()

    def add(self, look: Keeping) -> None:
        """One more."""
        self.looks.append(look)
        if len(self.looks) == self.warm_up:
            self._lines, self._kinds = _lines(), _kinds()

    def grown(self) -> list[str]:
        """What is higher in the last third of the looks than in the first third, a line each.

        The lowest of each third counts: what comes and goes does not lift it, what stays does.
        """
        counted = self.looks[self.warm_up :]
        third = max(len(counted) // 3, 1)
        if len(counted) < 2:
            return ["there were too few quiet moments to compare"]
        grown = [
            f"{name} grew from {before:,} to {after:,}, allowed {_SLACK.get(name, 0):,}"
            for name, before, after in self._ends(counted[:third], counted[-third:])
            if after - before > _SLACK.get(name, 0)
        ]
        if any(line.startswith(("heap", "rss", "objects")) for line in grown):
            grown += [f"  more of {kind}: {count}" for kind, count in (_kinds() - self._kinds).most_common(10)]
            more = {line: size - self._lines.get(line, 0) for line, size in _lines().items()}
            grown += [
                f"  {more[line]:,} more bytes from {line[0]}:{line[1]}"
                for line in sorted(more, key=lambda line: -more[line])[:15]
            ]
        return grown

    def table(self) -> list[str]:
        """First, lowest, highest and last after the warm-up, a line for each thing."""
        counted = self.looks[self.warm_up :]
        lines = [f"{'':22}{'first':>14}{'lowest':>14}{'highest':>14}{'last':>14}"]
        for field in fields(Keeping):
            values = [getattr(look, field.name) for look in counted]
            shown = (values[0], min(values), max(values), values[-1])
            lines.append(f"{field.name:22}" + "".join(f"{value:>14,}" for value in shown))
        return lines

    def _ends(self, first: Sequence[Keeping], last: Sequence[Keeping]) -> list[tuple[str, int, int]]:
        return [
            (
                field.name,
                min(getattr(look, field.name) for look in first),
                min(getattr(look, field.name) for look in last),
            )
            for field in fields(Keeping)
        ]


def _lines() -> dict[tuple[str, int], int]:
    """Bytes by the line that asked for them, of the lines with most."""
    if not tracemalloc.is_tracing():
        return {}
    statistics = tracemalloc.take_snapshot().statistics("lineno")[:200]
    return {(line.traceback[0].filename, line.traceback[0].lineno): line.size for line in statistics}


def _kinds() -> Counter[str]:
    kinds: Counter[str] = Counter()
    for kind, count in Counter(map(type, gc.get_objects())).items():  # a name for each object takes ten times as long
        kinds[kind.__qualname__] += count
    return kinds
