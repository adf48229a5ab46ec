"""What leads from a process of this node to those of one node: a connection, or the node itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyerlcoin.beam.etf.terms import Pid, Reference, Term

if TYPE_CHECKING:
    from pyerlcoin.beam.etf.terms import Atom
    from pyerlcoin.beam.node.process import Process

__all__ = ["Route"]


class Route(Protocol):
    """Sends, monitors and links in one direction. Nothing here waits or raises but `UnencodableTerm`.

    On a route that went down everything is dropped, as on the BEAM; its monitors and links have fired by then.
    """

    @property
    def node(self) -> str:
        """The node it leads to."""

    @property
    def up(self) -> bool:
        """Whether it still leads there."""

    @property
    def pid_prefix(self) -> bytes:
        """How the wire form of that node's pids starts."""

    def send(self, sender: Pid, to: Pid | Atom | Reference, message: Term) -> None:
        """A message to a pid, a registered name or an alias there."""

    def reply(self, sender: Pid, to: Pid, tag: Term, value: Term) -> None:
        """The reply to a call whose `From` was `{to, tag}`."""

    def reply_to_alias(self, sender: Pid, to: Pid, alias: bytes, value: Term) -> None:
        """As `reply` with the tag `[alias | Ref]`, whose Ref has the wire `alias`."""

    def monitor(self, process: Process, to: Pid | Atom, reference: Reference) -> None:
        """`process.monitor_fired(reference, reason)` will be called once, unless `demonitor` is."""

    def demonitor(self, process: Process, to: Pid | Atom, reference: Reference) -> None:
        """Undo `monitor`, at once here and within some 50 ms at the peer. Harmless when it has fired."""

    def call(self, process: Process, to: Pid | Atom, reference: Reference, request: Term) -> None:
        """As `monitor`, and then `send` of `{'$gen_call', {Pid, reference}, request}`; neither if that raises."""

    def can_wait(self, reference: Reference) -> None:
        """The reply to that call is wanted together with others: it may be read a little later for them."""

    def link(self, process: Process, to: Pid) -> None:
        """`process.link_fired(to, reason)` will be called once, unless `unlink` is."""

    def unlink(self, process: Process, to: Pid) -> None:
        """Undo `link`. Harmless when it has fired."""

    def process_ended(self, process: Process, reason: Term) -> None:
        """Tell everyone there who monitors that process, or is linked to it, and forget it."""

    def behind(self) -> bool:
        """Whether `drained` has something to wait for, or to do."""

    async def drained(self) -> None:
        """Return once that node has taken most of what was sent before."""
