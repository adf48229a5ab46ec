"""The roles' cluster on Pyrlang and Term, for those who have the two installed from their own repositories.

Nothing outside this folder imports `pyrlang` or `term`, and nothing in it does before `make_pyrlang_cluster` is called.
"""

from __future__ import annotations

import logging
import os

from pyerlcoin.beam import Cookie, NodeName
from pyerlcoin.errors import WrongUsage
from pyerlcoin.roles.cluster import Cluster
from pyerlcoin.runtimes.pyrlang.finding import HOW, find_pyrlang

__all__ = ["make_pyrlang_cluster"]


def make_pyrlang_cluster(
    name: NodeName, cookie: Cookie, *, hidden: bool = True, epmd_port: int | None = None
) -> Cluster:
    """A node that was not started. One process holds one of them at a time, as Pyrlang does.

    Raises `WrongUsage` when Pyrlang or Term are not here, or are the index's projects of those names; and for a
    cookie that Pyrlang cannot use.
    """
    find_pyrlang()
    if not cookie.secret.isascii():
        # Pyrlang would fail in the middle of a handshake, with the cookie in its error.
        raise WrongUsage("Pyrlang takes a cookie of plain ASCII only: choose another, the same on every node")
    # It logs an error for each exception that it makes, also for those that are expected; Term, that its Rust half was
    # not built. Set before the import, where PYRLANG_LOG_LEVEL is read and wins.
    logging.getLogger("pyrlang").setLevel(logging.CRITICAL)
    logging.getLogger("term").setLevel(logging.ERROR)
    try:
        from pyerlcoin.runtimes.pyrlang.cluster import PyrlangCluster
    except ImportError as error:
        raise WrongUsage(f"the Pyrlang or Term installed here cannot be used ({error}): {HOW}") from error
    # This one takes INFO at its import, whatever the others do.
    logging.getLogger("pyrlang.dist_proto.client").setLevel(logging.NOTSET)
    return PyrlangCluster(name, cookie, hidden=hidden, epmd_port=_epmd_port() if epmd_port is None else epmd_port)


def _epmd_port() -> int:
    text = os.environ.get("ERL_EPMD_PORT", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else 4369
