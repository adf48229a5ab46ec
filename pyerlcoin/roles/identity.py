"""How to tell a server of ours from others, without harm to them.

A GenServer written from the contract alone crashes on a request that it does not know, and may forget every score.
So whatever is ours alone (`:progress`, `{:workload, :auto}`) is asked only of a node that answers here.
"""

from __future__ import annotations

from typing import Final

from pyerlcoin.beam.etf.terms import NIL, OK, Atom, Pid, Term
from pyerlcoin.errors import RefusedByPeer
from pyerlcoin.roles.cluster import Address, Caller, NoServer, Reply
from pyerlcoin.roles.messages import error_term

__all__ = ["IDENTITY_NAME", "Identity", "is_ours", "require_ours"]

IDENTITY_NAME: Final = "pyerlcoin"
"""The registered name beside the server's own."""

_WHO: Final = Atom("who")


class Identity:
    """A `cluster.Service` that answers `:who` with `{:ok, "pyerlcoin"}`, and nothing else."""

    def handle_call(self, request: Term, caller: Pid, reply: Reply) -> None:
        if request == _WHO:
            reply((OK, IDENTITY_NAME.encode()))
        else:
            reply(error_term("it knows :who"))

    def handle_cast(self, request: Term) -> None:
        """Nothing."""

    def handle_info(self, message: Term) -> None:
        """Nothing."""

    def handle_down(self, pid: Pid, reason: Term) -> None:
        """Nothing: it watches nobody."""

    def state(self) -> Term:
        return NIL


async def is_ours(caller: Caller, node: str) -> bool:
    """Whether the server on `node` is ours, so that it may be asked what is ours alone."""
    try:
        await caller.call(Address(IDENTITY_NAME, node), _WHO, timeout=10.0)
    except NoServer:
        return False
    return True


async def require_ours(caller: Caller, node: str, wish: str) -> None:
    """Raises `RefusedByPeer` when the server on `node` is not ours, so that `wish` would crash it."""
    if not await is_ours(caller, node):
        raise RefusedByPeer(
            f"the server on {node} is not pyerlcoin's, and {wish} could crash it: "
            "use leaderboard, worth, or a workload that is a number"
        )
