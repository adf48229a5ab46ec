"""Our engines beside a plain hashlib loop, an Elixir worker's loop and hashcat, taking turns in one run.

    python -m tests.bench.search [--rounds N] [--seconds N] [--write]

A shared machine's clock and neighbours change from minute to minute, so everything is timed once in each round, and
what counts are the ratios. --write puts the tables into docs/benchmarks.md. hashcat and elixir are left out where
they are not installed; nothing is installed here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter

from pyerlcoin.search.bench import CHECKSUM, SPEED, Machine, machine, measure
from pyerlcoin.search.choose import engines
from pyerlcoin.search.engine import Engine, Job
from pyerlcoin.search.pool import cores
from tests.bench import document
from tests.bench.small import hash_plainly, small_lines


@dataclass(frozen=True)
class Contender:
    """Something that is timed: a name, how many cores it gets, and what gives its hashes per second."""

    name: str
    workers: int
    run: Callable[[float], float]


def plain(seconds: float) -> float:
    """A loop without any engine of ours."""
    done, first = 0, SPEED.first
    started = perf_counter()
    while (took := perf_counter() - started) < seconds:
        hash_plainly(SPEED.secret, first + done, 20_000)
        done += 20_000
    return done / took


def ours(engine: Engine, workers: int) -> Callable[[float], float]:
    """One of our engines, through the pool, checked."""

    def run(seconds: float) -> float:
        result = measure(engine, workers, seconds)
        if not result.correct:
            raise SystemExit(f"{engine.name} found something else than hashlib: {result.checksum}, not {CHECKSUM}")
        return result.hashes_per_second

    return run


def elixir(workers: int) -> Callable[[float], float]:
    """The loop of an Elixir worker, without a server."""

    def run(seconds: float) -> float:
        script = str(Path(__file__).with_name("worker.exs"))
        command = ["elixir", script, str(float(seconds)), str(workers)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return run


def hashcat(_: float) -> float:
    """hashcat's own benchmark of plain MD5 on the processor's cores; takes as long as it takes."""
    command = ["hashcat", "--benchmark", "--hash-type", "0", "--opencl-device-types", "1", "--machine-readable"]
    lines = subprocess.run(command, check=False, capture_output=True, text=True).stdout.splitlines()
    rates = [line.rsplit(":", 1)[1] for line in lines if line.count(":") == 5 and line[0].isdigit()]
    if not rates:
        raise SystemExit("hashcat names no speed: it needs an OpenCL driver for the processor (pocl-opencl-icd)")
    return sum(map(float, rates))


def two_blocks(engine: Engine, workers: int) -> Callable[[float], float]:
    """A secret so long that its digits spill into a second block of MD5."""
    job = Job(b"s" * 50, SPEED.first, SPEED.last)
    return lambda seconds: measure(engine, workers, seconds, job).hashes_per_second


def contenders() -> list[Contender]:
    """All that can be timed here, the plain loop first."""
    everywhere = sorted({1, cores()})
    found = [Contender("plain hashlib loop", 1, plain)]
    for engine in reversed(engines()):
        if engine.unavailable() is None:
            found += [Contender(engine.name, workers, ours(engine, workers)) for workers in everywhere]
            if engine.name == "simd":
                from tests.bench.kernel import bare_kernel  # needs llvmlite

                found.append(Contender("simd, its kernel by itself", cores(), bare_kernel(SPEED, cores())))
                found.append(Contender("simd, secret of 50 bytes", cores(), two_blocks(engine, cores())))
    if shutil.which("elixir"):
        found += [Contender("Elixir worker's loop", workers, elixir(workers)) for workers in everywhere]
    if shutil.which("hashcat"):
        found.append(Contender("hashcat -b -m 0 -D 1", cores(), hashcat))
    return found


def versions() -> list[tuple[str, str]]:
    """What the others are."""
    found = []
    if shutil.which("hashcat"):
        output = subprocess.run(["hashcat", "--version"], check=False, capture_output=True, text=True).stdout
        found.append(("hashcat", output.strip().splitlines()[-1]))
    if shutil.which("elixir"):
        output = subprocess.run(["elixir", "--version"], check=False, capture_output=True, text=True).stdout
        found.append(("Elixir", ", ".join(line for line in output.splitlines() if line.strip())))
    return found


def report(
    facts: Machine, rounds: list[dict[Contender, float]], seconds: float, load: float | None, small: list[str]
) -> str:
    """The section of the document, in Markdown; `load` is the machine's before we began."""
    others = "" if load is None else f" Load average before it began, so of other programs: {load:.1f}."
    clock = f"{facts.megahertz:.0f} MHz as the system says" if facts.megahertz else "unknown clock"
    lines = [
        f"Measured on {date.today().isoformat()}: {facts.processor}, {facts.cores} cores, {clock}; {facts.system}; "
        f"{facts.python}; llvmlite {facts.llvmlite or 'absent'}"
        + "".join(f"; {name} {version}" for name, version in versions())
        + f". {len(rounds)} rounds in turn, {seconds:g} s each. A secret of 6 bytes, integers of 10 digits."
        + others,
        "",
        "| | cores | MH/s, best | MH/s, median | × plain loop |",
        "|---|---:|---:|---:|---:|",
    ]
    base = next(iter(rounds[0]))
    for contender in rounds[0]:
        rates = [one[contender] for one in rounds]
        ratio = median(one[contender] / one[base] for one in rounds)
        lines.append(
            f"| {contender.name} | {contender.workers} | {max(rates) / 1e6:.2f} | {median(rates) / 1e6:.2f} | "
            f"{ratio:.2f} |"
        )
    lines += ["", *ratios(rounds), *small]
    return "\n".join(lines)


def ratios(rounds: list[dict[Contender, float]]) -> list[str]:
    """Those that we promise something about; each is the median of the rounds' own ratios."""
    names = {(one.name, one.workers): one for one in rounds[0]}
    pairs = [
        (("simd", cores()), ("hashcat -b -m 0 -D 1", cores())),
        (("simd", cores()), ("Elixir worker's loop", cores())),
        (("simd", cores()), ("simd, its kernel by itself", cores())),
        (("simd, secret of 50 bytes", cores()), ("simd", cores())),
        (("python", 1), ("plain hashlib loop", 1)),
        (("python", 1), ("Elixir worker's loop", 1)),
    ]
    lines = []
    for one, other in pairs:
        if one in names and other in names:
            values = sorted(turn[names[one]] / turn[names[other]] for turn in rounds)
            lines.append(
                f"- {one[0]} to {other[0]}, {one[1]} core{'s' * (one[1] > 1)}: **{median(values):.2f}** "
                f"({values[0]:.2f} to {values[-1]:.2f})"
            )
    return lines


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each, in each round")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="only the rates of every round, in hashes per second")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    all_ = contenders()
    rounds = []
    for turn in range(options.rounds):
        rates = {}
        for contender in all_:
            rates[contender] = contender.run(options.seconds)
            text = f"round {turn + 1}: {contender.name}, {contender.workers} cores: {rates[contender] / 1e6:.2f} MH/s"
            print(text, file=sys.stderr)
        rounds.append(rates)
    if options.json:
        print(json.dumps([{f"{one.name}, {one.workers}": rate for one, rate in turn.items()} for turn in rounds]))
        return
    section = report(machine(), rounds, options.seconds, load, small_lines(options.rounds))
    print(section)
    if options.write:
        document.write("search", section)


if __name__ == "__main__":
    main()
