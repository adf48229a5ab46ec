"""`pyerlcoin search`: the coins in a range, without a server."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from time import perf_counter
from typing import Annotated, Final

import typer

from pyerlcoin.cli.options import AsJson, EngineOption, Workers, Zeros
from pyerlcoin.cli.output import json_line
from pyerlcoin.cli.running import noting_ctrl_c
from pyerlcoin.cli.text import count, counted, rate
from pyerlcoin.coin.coin import ZEROS, digest_hex
from pyerlcoin.errors import WrongUsage
from pyerlcoin.search.choose import AUTO, choose
from pyerlcoin.search.engine import Job
from pyerlcoin.search.pool import Pool, Search

__all__ = ["search"]

_FIRST: Final = 1_000_000
"""Integers of the first part of a range: a second of the slowest engine on one core."""

_SECONDS: Final = 0.5
"""Parts become twice as large until each takes this long: then a coin is not late, and a part costs nothing."""


def search(
    first: Annotated[int, typer.Argument(metavar="FROM", min=0, help="The first integer.")],
    last: Annotated[int, typer.Argument(metavar="TO", min=0, help="The last integer, included.")],
    secret: Annotated[str, typer.Option("--secret", metavar="S", help="The game's secret.")],
    zeros: Zeros = ZEROS,
    engine: EngineOption = AUTO,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """The coins from FROM to TO, offline.

    They are printed as they are found, in their order; after Ctrl-C, what was found by then is there.
    """
    if last < first:
        raise WrongUsage(f"from {first} to {last} there are no integers: write the smaller one first")
    choice = choose(engine)
    job = Job(_bytes(secret), first, last, zeros)
    coins: list[int] = []
    started = perf_counter()
    with noting_ctrl_c() as interrupted, Pool(choice.engine, workers) as pool, _progress(job) as searched:
        parts = _Parts(pool, job)
        try:
            for found in parts.run(interrupted):
                coins += found
                if not as_json:
                    _print(job, found)
                searched(parts.finished)
        except CancelledError:
            if not as_json:
                _print(job, parts.found())
                typer.echo(f"interrupted: all integers below {count(parts.next)} are searched", err=True)
            raise
    seconds = perf_counter() - started
    per_second = job.size / seconds
    if as_json:
        told = {
            "secret": secret,
            "from": first,
            "to": last,
            "zeros": zeros,
            "engine": choice.engine.name,
            "workers": pool.workers,
            "coins": coins,
            "seconds": seconds,
            "hashes_per_second": per_second,
        }
        typer.echo(json_line(told))
        return
    sums = f"{counted(len(coins), 'coin')} in {counted(job.size, 'integer')}"
    typer.echo(f"{sums}, {seconds:.3g} s at {rate(per_second)}, {choice.sentence}", err=True)


class _Parts:
    """A job in parts that are searched one after another, so that coins come in their order while it goes on.

    Two are in the pool at a time: no core waits for the next.
    """

    def __init__(self, pool: Pool, job: Job) -> None:
        self._pool = pool
        self._job = job
        self._size = _FIRST
        self._end = job.first
        self._out: deque[tuple[Search, list[int]]] = deque()

    @property
    def next(self) -> int:
        """All integers of the job below it are searched."""
        return self._out[0][0].job.first if self._out else self._end

    @property
    def finished(self) -> int:
        """How many that are."""
        return self.next - self._job.first

    def found(self) -> list[int]:
        """The coins by now of the parts that are not finished."""
        return sorted(coin for _, coins in self._out for coin in coins.copy())

    def run(self, stopped: Callable[[], bool]) -> Iterator[list[int]]:
        """The coins of each part, ascending. Raises CancelledError once `stopped`."""
        began = perf_counter()
        self._submit()
        while self._out:
            self._submit()
            search, _ = self._out[0]
            search.wait(stopped)
            coins = search.future.result()
            self._out.popleft()
            now = perf_counter()
            if now - began < _SECONDS:
                self._size *= 2
            began = now
            yield coins

    def _submit(self) -> None:
        if self._end > self._job.last:
            return
        last = min(self._end + self._size - 1, self._job.last)
        coins: list[int] = []
        part = Job(self._job.secret, self._end, last, self._job.zeros)
        self._out.append((self._pool.submit(part, coins.append), coins))
        self._end = last + 1


def _print(job: Job, coins: list[int]) -> None:
    if coins:
        typer.echo("\n".join(f"{n}  {digest_hex(job.secret, n)}" for n in coins))


@contextmanager
def _progress(job: Job) -> Iterator[Callable[[int], None]]:
    """What is told how many integers are searched; a bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda finished: None
        return
    # Only who sees it waits for its import.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.percentage:.0f}%"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    # Coins that go to the same terminal are drawn above the bar; those that go elsewhere are left alone.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task(f"{count(job.first)} to {count(job.last)}", total=job.size)
        yield lambda finished: bar.update(task, completed=finished)


def _bytes(secret: str) -> bytes:
    try:
        return secret.encode()
    except UnicodeEncodeError:
        raise WrongUsage("the secret is not UTF-8, and no Elixir server could have it") from None
