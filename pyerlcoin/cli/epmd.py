"""`pyerlcoin epmd`: the embedded port mapper, by itself."""

from __future__ import annotations

import asyncio
import os
from ipaddress import ip_address
from typing import Annotated, Final

import typer

from pyerlcoin.beam.dist import EPMD_PORT
from pyerlcoin.beam.node.epmd_server import EpmdServer
from pyerlcoin.cli.running import until_stopped
from pyerlcoin.cli.text import shown
from pyerlcoin.errors import WrongUsage
from pyerlcoin.runtimes.native import translated

__all__ = ["epmd"]

_LOOPBACK: Final = "127.0.0.1"


def epmd(
    bind: Annotated[
        list[str] | None,
        typer.Option("--bind", metavar="ADDR", help="An address to answer on besides loopback; may be repeated."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, envvar="ERL_EPMD_PORT", show_envvar=True, help="Else 4369."),
    ] = None,
) -> int:
    """Run the port mapper by which the nodes of a machine are found, for as long as no other one does."""
    for address in bind or []:
        _require_address(address)
    return asyncio.run(_serve(port or EPMD_PORT, bind or []))


def _require_address(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise WrongUsage(f"{shown(text)!r} is no address: give --bind one as 192.168.0.13, not a name") from None


async def _serve(port: int, addresses: list[str]) -> int:
    server = EpmdServer(port)
    with translated():
        await server.start([_LOOPBACK, *addresses])
    missing = [address for address in addresses if address not in server.addresses]
    try:
        if missing:
            raise WrongUsage(f"cannot listen on {missing[0]} port {port}: is it an address of this machine?")
        typer.echo(f"epmd on port {port} of {', '.join(server.addresses)}, process {os.getpid()}")
        return await until_stopped()
    finally:
        await server.stop()
