"""MONITOR_P and DEMONITOR_P as they arrive: by their bytes.

Every GenServer.call brings one of each, and most are forgotten undecoded. The two are byte for byte the same after
the operation, so those bytes are the key of a table of monitors. A peer may write the same monitor in two ways
(older tags for an atom or a pid); the link then gives the key of the usual one, so that one monitor is one key.
"""

from __future__ import annotations

from typing import Final

from pyerlcoin.beam.dist.control_messages import DemonitorP, MonitorP
from pyerlcoin.beam.dist.reply import alias_tag
from pyerlcoin.beam.etf import Atom, ImproperList, Pid, Reference, Term, decode

__all__ = ["CallReceived", "DemonitorReceived", "MonitorReceived", "monitor_key"]


def monitor_key(message: MonitorP | DemonitorP) -> bytes:
    """The canonical bytes of `from_pid`, `target` and `ref`."""
    return message.from_pid.wire + message.target.wire + message.ref.wire


class _ByKey:
    """`key` is equal for a monitor and its demonitor, and for nothing else. `target` is a pid or name of ours."""

    __slots__ = ("key", "target")

    def __init__(self, key: bytes, target: Pid | Atom) -> None:
        self.key: Final = key
        self.target: Final = target

    @property
    def from_pid(self) -> Pid:
        """Who watches. Decoded when asked for; never raises, as the link made sure of the bytes."""
        pid, _ = decode(self.key, 0)
        assert isinstance(pid, Pid)
        return pid

    @property
    def ref(self) -> Reference:
        """The monitor's reference. Decoded when asked for; never raises."""
        ref, _ = decode(self.key, len(self.from_pid.wire) + len(self.target.wire))
        assert isinstance(ref, Reference)
        return ref

    def __eq__(self, other: object) -> bool:
        if type(other) is type(self):
            return self.key == other.key
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.from_pid!r}, {self.target!r}, {self.ref!r})"


class MonitorReceived(_ByKey):
    """A process of the peer watches `target`. Answer MONITOR_P_EXIT when it ends, or at once if it is not there."""

    __slots__ = ()


class DemonitorReceived(_ByKey):
    """It watches no longer."""

    __slots__ = ()


class CallReceived:
    """A GenServer.call, all its messages in one: a DEMONITOR_P perhaps, a MONITOR_P and a REG_SEND.

    As if there came `DemonitorReceived(ended, …)` unless that is None, `MonitorReceived(key, target)`, and a RegSend
    of `{'$gen_call', {caller, tag}, request}` to `target`, from `caller`.
    """

    __slots__ = ("alias", "caller", "ended", "key", "request", "target")

    def __init__(self, ended: bytes | None, key: bytes, target: Atom, caller: Pid, alias: bytes, request: Term) -> None:
        self.ended: Final = ended
        self.key: Final = key
        self.target: Final = target
        self.caller: Final = caller
        self.alias: Final = alias
        self.request: Final = request

    @property
    def tag(self) -> ImproperList:
        """The caller's, `[alias | Ref]`, of which `alias` is the wire of Ref. Made when asked for."""
        return alias_tag(self.alias)
