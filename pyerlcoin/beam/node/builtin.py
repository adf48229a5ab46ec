"""The two processes that every BEAM expects on a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyerlcoin.beam.etf.terms import ERROR, Atom, Pid, Term
from pyerlcoin.beam.node.gen_server import GenServer

if TYPE_CHECKING:
    from pyerlcoin.beam.node.sender import Sender

__all__ = ["NetKernel", "Rex"]

_IS_AUTH: Final = Atom("is_auth")
_YES: Final = Atom("yes")
_BADRPC: Final = Atom("badrpc")
_NOTSUP: Final = Atom("notsup")
_NO_RPC: Final = (_BADRPC, _NOTSUP)
_REX: Final = Atom("rex")
_FEATURES_REPLY: Final = Atom("features_reply")
_NONEXISTING_NAME: Final = Atom("nonexisting_name")


class NetKernel(GenServer):
    """`net_kernel`: answers `net_adm:ping/1`. On any other answer the pinging node would disconnect."""

    def handle_call(self, request: Term, sender: Sender) -> Term:
        """`{is_auth, Node}` gets `yes`, whoever asks: the handshake has proved the cookie."""
        if isinstance(request, tuple) and len(request) == 2 and request[0] == _IS_AUTH:
            return _YES
        return (ERROR, _NOTSUP)


class Rex(GenServer):
    """`rex`: says that there is no `rpc` here, to everybody who waits for it to say something."""

    def handle_call(self, request: Term, sender: Sender) -> Term:
        """`{badrpc, notsup}`."""
        return _NO_RPC

    def handle_info(self, message: Term) -> None:
        """What comes without `$gen_call`, and is answered likewise: see `rpc.erl`, and `ei_rpc` of `ei`."""
        match message:
            case (Pid() as caller, (Atom("call"), _, _, _, _)):
                self._answer(caller, (_REX, _NO_RPC))
            case (Pid() as caller, (Atom("sbcast"), Atom() as name, told)):
                self._answer(caller, (_REX, Atom(self.process.node.name), self._tell(name, told)))
            case (Pid() as caller, Atom("features_request")):
                self._answer(caller, (_FEATURES_REPLY, Atom(self.process.node.name), []))

    def _answer(self, caller: Pid, answer: Term) -> None:
        # A caller may say that it is whoever it likes, and nobody is dialled for that.
        route = self.process.node.route_if_up(caller.node)
        if route is not None:
            route.send(self.process.pid, caller, answer)

    def _tell(self, name: Atom, message: Term) -> Term:
        node = self.process.node
        if node.registry.named(name) is None:
            return (_NONEXISTING_NAME, name)
        self.process.send_nowait(name, message)
        return Atom(node.name)
