"""The two processes that every BEAM expects on a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyerlcoin.beam.etf.terms import ERROR, Atom, Term
from pyerlcoin.beam.node.gen_server import GenServer

if TYPE_CHECKING:
    from pyerlcoin.beam.node.sender import Sender

__all__ = ["NetKernel", "Rex"]

_IS_AUTH: Final = Atom("is_auth")
_YES: Final = Atom("yes")
_BADRPC: Final = Atom("badrpc")
_NOTSUP: Final = Atom("notsup")


class NetKernel(GenServer):
    """`net_kernel`: answers `net_adm:ping/1`. On any other answer the pinging node would disconnect."""

    def handle_call(self, request: Term, sender: Sender) -> Term:
        """`{is_auth, Node}` gets `yes`, whoever asks: the handshake has proved the cookie."""
        if isinstance(request, tuple) and len(request) == 2 and request[0] == _IS_AUTH:
            return _YES
        return (ERROR, _NOTSUP)


class Rex(GenServer):
    """`rex`: says that there is no `rpc` here. `features_request` and other messages are dropped."""

    def handle_call(self, request: Term, sender: Sender) -> Term:
        """`{badrpc, notsup}`."""
        return (_BADRPC, _NOTSUP)
