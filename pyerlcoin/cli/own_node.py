"""The node that a command is: its name, its cookie, its runtime."""

from __future__ import annotations

import os
import secrets
import socket
from ipaddress import ip_address
from typing import Final

from pyerlcoin.beam import Cookie, Node, NodeName, read_cookie
from pyerlcoin.beam.dist import NameForm
from pyerlcoin.beam.errors import HostUnknown
from pyerlcoin.beam.node.carrier import Carrier, local_addresses
from pyerlcoin.cli.node_options import NodeOptions
from pyerlcoin.cli.options import Runtime
from pyerlcoin.errors import WrongUsage
from pyerlcoin.roles.cluster import Cluster
from pyerlcoin.runtimes.native import NativeCluster, translated
from pyerlcoin.runtimes.pyrlang import make_pyrlang_cluster

__all__ = ["make_cluster", "new_name", "only_here", "own_cookie", "own_name", "read_carrier", "read_node"]

_EPMD_PORT: Final = 4369


def read_node(text: str) -> NodeName:
    """The node that an argument names. Raises `WrongUsage`."""
    with translated():
        return NodeName.parse(text)


def own_name(me: NodeOptions) -> NodeName | None:
    """The name that --name or --sname asks for, completed as erl does; None when neither is given."""
    if me.name is not None and me.sname is not None:
        raise WrongUsage("give --name or --sname, not both: a node has one name")
    with translated():
        if me.name is not None:
            return NodeName.complete(me.name, NameForm.LONG, socket.getfqdn())
        if me.sname is not None:
            return NodeName.complete(me.sname, NameForm.SHORT, socket.gethostname())
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
    except (OSError, UnicodeError):
        # The latter is of a name that has no IDNA form: two dots in a row, or a label of more than 63 letters.
        raise HostUnknown(host) from None
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)
        except OSError:
            # No way there; dialling says so in better words.
            return str(remote[0]), str(remote[0])
        return str(probe.getsockname()[0]), str(remote[0])


async def only_here(name: NodeName, bind: str | None) -> bool:
    """Whether a node is on loopback alone and does not look it: many systems have their own host's name there."""
    if bind is not None or name.host == "localhost" or name.host.replace(".", "").isdigit() or ":" in name.host:
        return False
    with translated():
        return all(ip_address(address).is_loopback for address in await local_addresses(name.host, bind))


def make_cluster(
    name: NodeName,
    cookie: str | None,
    *,
    bind: str | None = None,
    port: int = 0,
    hidden: bool = True,
    runtime: Runtime = Runtime.NATIVE,
    epmd_port: int | None = None,
    peer_port: int | None = None,
    carrier: Carrier | None = None,
) -> Cluster:
    """A node that was not started. Raises `WrongUsage` for a cookie or cookie file that erl would refuse."""
    secret = own_cookie(cookie)
    match runtime:
        case Runtime.NATIVE:
            return NativeCluster(
                Node(
                    name,
                    secret,
                    bind=bind,
                    port=port,
                    hidden=hidden,
                    epmd_port=epmd_port,
                    peer_port=peer_port,
                    carrier=carrier,
                )
            )
        case Runtime.PYRLANG:
            if peer_port is not None:
                raise WrongUsage("Pyrlang needs an epmd: leave out --no-epmd, or use --runtime native")
            if bind is not None or port:
                raise WrongUsage(
                    "Pyrlang listens on every address, at a port that the system chooses: leave out --bind and "
                    "--port, or use --runtime native"
                )
            if carrier is not None:
                raise WrongUsage(
                    "Pyrlang speaks no TLS: leave out --tls-cert, --tls-key and --tls-ca (and PYERLCOIN_TLS_…), "
                    "or use --runtime native"
                )
            with translated():
                return make_pyrlang_cluster(name, secret, hidden=hidden, epmd_port=epmd_port)


def read_carrier(me: NodeOptions) -> Carrier | None:
    """TLS with the files that are named; None when none is, for plain TCP. Raises `WrongUsage`."""
    files = {"--tls-cert": me.tls_cert, "--tls-key": me.tls_key, "--tls-ca": me.tls_ca}
    missing = [option for option, path in files.items() if path is None]
    if me.tls_cert is None or me.tls_key is None or me.tls_ca is None:
        if len(missing) < len(files):
            raise WrongUsage(f"TLS needs --tls-cert, --tls-key and --tls-ca: give {' and '.join(missing)} as well")
        return None
    # Only who asks for TLS waits for its import.
    from pyerlcoin.beam.node.tls import TlsCarrier

    with translated():
        return TlsCarrier(me.tls_cert, me.tls_key, me.tls_ca)


def own_cookie(cookie: str | None) -> Cookie:
    """The cookie that an option gives, else that of ~/.erlang.cookie. Raises `WrongUsage`."""
    if cookie == "":
        # Typer gives None for a variable that is set and empty: this is the option.
        raise WrongUsage("the cookie is empty: give --cookie COOKIE, or leave it out for ~/.erlang.cookie")
    with translated():
        return read_cookie() if cookie is None else Cookie(cookie)
