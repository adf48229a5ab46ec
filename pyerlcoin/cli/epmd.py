"""`pyerlcoin epmd`: the embedded port mapper, by itself."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Final

import typer

from pyerlcoin.beam.dist import EPMD_PORT
from pyerlcoin.beam.errors import HostUnknown
from pyerlcoin.beam.node.carrier import resolve
from pyerlcoin.beam.node.epmd_server import EpmdServer
from pyerlcoin.cli.running import until_stopped
from pyerlcoin.errors import WrongUsage
from pyerlcoin.runtimes.native import translated

__all__ = ["epmd"]

_LOOPBACK: Final = "127.0.0.1"


def epmd(
    bind: Annotated[
        list[str] | None,
        typer.Option(
            "--bind",
            metavar="ADDR",
            help="An address to answer on besides loopback and where registered nodes are; may be repeated.",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, envvar="ERL_EPMD_PORT", show_envvar=True, help="Else 4369."),
    ] = None,
) -> int:
    """Run the port mapper by which nodes are found.

    It runs for as long as no other one does, and answers where the nodes are that register: a node of ours says that,
    and for a BEAM it is every address.
    """
    return asyncio.run(_serve(port or EPMD_PORT, bind or []))


async def _serve(port: int, addresses: list[str]) -> int:
    addresses = [await _resolved(address) for address in addresses]
    server = EpmdServer(port, lambda new: typer.echo(f"epmd on port {port} of {', '.join(new)} as well"))
    with translated():
        await server.start([_LOOPBACK, *addresses])
    missing = [address for address in addresses if not server.answers_on(address)]
    try:
        if missing:
            raise WrongUsage(f"cannot listen on {missing[0]} port {port}: is it an address of this machine?")
        typer.echo(f"epmd on port {port} of {', '.join(server.addresses)}, process {os.getpid()}")
        return await until_stopped()
    finally:
        await server.stop()


async def _resolved(address: str) -> str:
    """An address, also for a name of this machine."""
    try:
        return await resolve(address)
    except HostUnknown:
        raise WrongUsage(f"{address!r} is not known here: give --bind an address of this machine") from None
