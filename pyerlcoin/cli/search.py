"""`pyerlcoin search`: the coins in a range, without a server."""

from __future__ import annotations

from time import perf_counter
from typing import Annotated

import typer

from pyerlcoin.cli.options import AsJson, EngineOption, Workers, Zeros
from pyerlcoin.cli.output import json_line
from pyerlcoin.cli.running import noting_ctrl_c
from pyerlcoin.cli.text import counted, rate
from pyerlcoin.coin.coin import ZEROS, digest_hex
from pyerlcoin.errors import WrongUsage
from pyerlcoin.search.choose import AUTO, choose
from pyerlcoin.search.engine import Job
from pyerlcoin.search.pool import Pool

__all__ = ["search"]


def search(
    first: Annotated[int, typer.Argument(metavar="FROM", min=0, help="The first integer.")],
    last: Annotated[int, typer.Argument(metavar="TO", min=0, help="The last integer, included.")],
    secret: Annotated[str, typer.Option("--secret", metavar="S", help="The game's secret.")],
    zeros: Zeros = ZEROS,
    engine: EngineOption = AUTO,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """The coins from FROM to TO, offline."""
    if last < first:
        raise WrongUsage(f"from {first} to {last} there are no integers: write the smaller one first")
    choice = choose(engine)
    started = perf_counter()
    with noting_ctrl_c() as interrupted, Pool(choice.engine, workers) as pool:
        job = Job(_bytes(secret), first, last, zeros)
        found = pool.submit(job)
        found.wait(interrupted)
    coins = found.future.result()
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
    for n in coins:
        typer.echo(f"{n}  {digest_hex(job.secret, n)}")
    told_in = f"{seconds:.3g} s at {rate(per_second)}"
    typer.echo(
        f"{counted(len(coins), 'coin')} in {counted(job.size, 'integer')}, {told_in}, {choice.sentence}", err=True
    )


def _bytes(secret: str) -> bytes:
    try:
        return secret.encode()
    except UnicodeEncodeError:
        raise WrongUsage("the secret is not UTF-8, and no Elixir server could have it") from None
