"""`pyerlcoin bench`: how fast the engines of this machine search, and whether they search right."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from pyerlcoin.cli.options import AsJson
from pyerlcoin.cli.output import json_line
from pyerlcoin.cli.running import noting_ctrl_c
from pyerlcoin.cli.text import rate
from pyerlcoin.errors import WrongSearch, WrongUsage
from pyerlcoin.search.bench import Machine, Result, bench_engines, machine
from pyerlcoin.search.choose import AUTO, choose, engines

__all__ = ["bench"]

SECONDS: Final = 2.0
"""For each engine on so many cores: long enough for a clock that has to speed up first, short enough to wait for."""


def bench(
    engine: Annotated[
        list[str] | None,
        typer.Option("--engine", metavar="ENGINE", help="Only this one; may be given again. Else each that can run."),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option("--seconds", min=0.01, max=3600, metavar="N", help="For each engine, on one core and on all."),
    ] = SECONDS,
    as_json: AsJson = False,
) -> None:
    """How fast each engine searches here, and whether right.

    Each is timed on one core and on all, and its coins are held against those that hashlib finds.
    """
    names = _names(engine or [])
    missing = {} if names is not None else _unavailable()
    facts = machine()
    with noting_ctrl_c() as interrupted, _progress(names, facts.cores) as tell:
        results = bench_engines(seconds, names, tell, interrupted)
    if as_json:
        _print_json(facts, results, missing)
    else:
        _print_table(facts, results, missing)
    wrong = next((result for result in results if not result.correct), None)
    if wrong is not None:
        raise WrongSearch(
            f"the engine {wrong.engine} on {_cores(wrong.workers)} finds something else than hashlib: "
            "mine without it (--engine), and tell its authors what machine this is"
        )


def _names(asked: list[str]) -> list[str] | None:
    for name in asked:
        if name == AUTO:
            raise WrongUsage(f"{AUTO} chooses among the engines and is none: name one, or leave --engine out")
        choose(name)
    return asked or None


def _unavailable() -> dict[str, str]:
    reasons = ((engine.name, engine.unavailable()) for engine in engines())
    return {name: reason for name, reason in reasons if reason is not None}


@contextmanager
def _progress(names: list[str] | None, cores: int) -> Iterator[Callable[[Result], None]]:
    """What hears each result; on a terminal it moves a bar on standard error, where no reader of the table looks."""
    console = Console(stderr=True)
    runnable = [one.name for one in engines() if one.unavailable() is None and (names is None or one.name in names)]
    steps = [f"{name} on {_cores(workers)}" for name in runnable for workers in sorted({1, cores})]
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(steps[0], total=len(steps))
        ahead = iter(steps[1:])

        def tell(result: Result) -> None:
            bar.update(task, advance=1, description=next(ahead, "done"))

        yield tell


def _print_table(facts: Machine, results: list[Result], missing: dict[str, str]) -> None:
    clock = f", {facts.megahertz:.0f} MHz as the system says" if facts.megahertz else ""
    typer.echo(f"{facts.processor}, {_cores(facts.cores)}{clock}")
    llvmlite = f", llvmlite {facts.llvmlite}" if facts.llvmlite else ""
    typer.echo(f"{facts.system}, {facts.python}, pyerlcoin {version('pyerlcoin')}{llvmlite}")
    typer.echo()
    typer.echo(f"{'engine':<8}{'cores':>6}{'per core':>14}{'total':>14}   finds what hashlib finds")
    for result in results:
        per_core = rate(result.hashes_per_second / result.workers)
        right = "yes" if result.correct else "NO"
        typer.echo(f"{result.engine:<8}{result.workers:>6}{per_core:>14}{rate(result.hashes_per_second):>14}   {right}")
    for name, reason in missing.items():
        typer.echo(f"{name} cannot run here: {reason}")


def _print_json(facts: Machine, results: list[Result], missing: dict[str, str]) -> None:
    told = {
        "machine": {**dataclasses.asdict(facts), "pyerlcoin": version("pyerlcoin")},
        "engines": [
            {
                **dataclasses.asdict(result),
                "hashes_per_second_per_core": result.hashes_per_second / result.workers,
                "correct": result.correct,
            }
            for result in results
        ],
        "unavailable": [{"engine": name, "reason": reason} for name, reason in missing.items()],
    }
    typer.echo(json_line(told))


def _cores(number: int) -> str:
    return f"{number} {'core' if number == 1 else 'cores'}"
