"""The options that commands share, and what they mean together."""

from __future__ import annotations

import os
import secrets
import socket
from enum import StrEnum
from typing import Annotated, Final

import typer

from pyerlcoin.beam import Cookie, Node, NodeName, read_cookie
from pyerlcoin.beam.dist import NameForm
from pyerlcoin.beam.errors import HostUnknown
from pyerlcoin.cli.text import shown
from pyerlcoin.coin.coin import MAX_ZEROS
from pyerlcoin.coin.sizing import AUTO, LARGEST_WORKLOAD, Workload, is_workload
from pyerlcoin.errors import WrongUsage
from pyerlcoin.roles.cluster import Cluster
from pyerlcoin.runtimes.native import NativeCluster, translated
from pyerlcoin.runtimes.pyrlang import make_pyrlang_cluster

__all__ = [
    "AsJson",
    "CookieOption",
    "EngineOption",
    "LongName",
    "NodeArgument",
    "Quiet",
    "Runtime",
    "RuntimeOption",
    "Seconds",
    "ServerArgument",
    "ShortName",
    "Workers",
    "Zeros",
    "make_cluster",
    "new_name",
    "own_name",
    "read_node",
    "read_workload",
]

_EPMD_PORT: Final = 4369


class Runtime(StrEnum):
    """Whose node carries the game."""

    NATIVE = "native"
    PYRLANG = "pyrlang"


CookieOption = Annotated[
    str | None,
    typer.Option(
        "--cookie",
        envvar="PYERLCOIN_COOKIE",
        show_envvar=True,
        metavar="COOKIE",
        help="The cluster's cookie; else ~/.erlang.cookie, as erl does.",
    ),
]
LongName = Annotated[
    str | None, typer.Option("--name", metavar="NAME@HOST", help="This node's long name: a dot in the host part.")
]
ShortName = Annotated[
    str | None, typer.Option("--sname", metavar="NAME", help="This node's short name: no dot in the host part.")
]
ServerArgument = Annotated[str, typer.Argument(metavar="SERVER", help="The server's node, NAME@HOST.")]
NodeArgument = Annotated[str, typer.Argument(metavar="NODE", help="A node, NAME@HOST.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object with raw numbers.")]
Zeros = Annotated[
    int,
    typer.Option(
        "--zeros",
        min=0,
        max=MAX_ZEROS,
        help="Leading zeros of a coin's MD5. Not in the protocol: server and miners must agree.",
    ),
]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0.001, metavar="N", help="End after so many seconds.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, metavar="N", help="Cores to search on; else all.")]
EngineOption = Annotated[
    str, typer.Option("--engine", metavar="ENGINE", help="Which engine searches; auto: the fastest that can run here.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Plain log lines, also on a terminal.")]
RuntimeOption = Annotated[
    Runtime,
    typer.Option("--runtime", help="Whose node carries the game; Pyrlang comes from its repository, not the index."),
]


def read_node(text: str) -> NodeName:
    """The node that an argument names. Raises `WrongUsage`."""
    with translated():
        return NodeName.parse(text)


def own_name(name: str | None, sname: str | None) -> NodeName | None:
    """The name that --name or --sname asks for, completed as erl does; None when neither is given."""
    if name is not None and sname is not None:
        raise WrongUsage("give --name or --sname, not both: a node has one name")
    with translated():
        if name is not None:
            return NodeName.complete(name, NameForm.LONG, socket.getfqdn())
        if sname is not None:
            return NodeName.complete(sname, NameForm.SHORT, socket.gethostname())
    return None


def new_name(kind: str, server: NodeName) -> NodeName:
    """A name that nobody has, of the server's form, on the host by which the server would see us.

    On the server's own machine that is the server's own host part: there `n@localhost` and `n@127.0.0.1` both reach us.
    """
    alive = f"{kind}-{os.getpid()}-{secrets.token_hex(3)}"
    local, remote = _addresses(server.host)
    if local == remote or remote.startswith("127.") or remote == "::1":
        host = server.host
    elif server.form is NameForm.SHORT:
        host = socket.gethostname().partition(".")[0]
    else:
        host = local
    return NodeName(alive, host)


def _addresses(host: str) -> tuple[str, str]:
    """The address of this machine that leads to `host`, and the address of `host`. Sends nothing."""
    try:
        family, _, _, _, remote = socket.getaddrinfo(host, _EPMD_PORT, type=socket.SOCK_DGRAM)[0]
    except OSError:
        raise HostUnknown(host) from None
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)
        except OSError:
            # No way there; dialling says so in better words.
            return str(remote[0]), str(remote[0])
        return str(probe.getsockname()[0]), str(remote[0])


def make_cluster(
    name: NodeName,
    cookie: str | None,
    *,
    bind: str | None = None,
    port: int = 0,
    hidden: bool = True,
    runtime: Runtime = Runtime.NATIVE,
    epmd_port: int | None = None,
) -> Cluster:
    """A node that was not started. Raises `WrongUsage` for a cookie or cookie file that erl would refuse."""
    with translated():
        # A variable that is set and empty is not a cookie of no characters.
        secret = Cookie(cookie) if cookie else read_cookie()
        match runtime:
            case Runtime.NATIVE:
                return NativeCluster(Node(name, secret, bind=bind, port=port, hidden=hidden, epmd_port=epmd_port))
            case Runtime.PYRLANG:
                if bind is not None or port:
                    raise WrongUsage(
                        "Pyrlang listens on every address, at a port that the system chooses: leave out --bind and "
                        "--port, or use --runtime native"
                    )
                return make_pyrlang_cluster(name, secret, hidden=hidden, epmd_port=epmd_port)


def read_workload(text: str) -> Workload:
    """The workload that an option or argument names. Raises `WrongUsage`."""
    value: object = text
    if text.isascii() and text.isdigit() and len(text) < 100:
        value = int(text)
    if not is_workload(value):
        raise WrongUsage(f"{shown(text, 40)!r} is no workload: give a number from 1 to {LARGEST_WORKLOAD}, or {AUTO}")
    assert isinstance(value, int) or value == AUTO
    return value
