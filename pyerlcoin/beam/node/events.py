"""What a node tells: every event once, named here. The logger is one subscriber, `on_event` another.

No event carries a cookie, a digest or a message's content.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pyerlcoin.beam.errors import BeamError

__all__ = [
    "EpmdLost",
    "EpmdOpened",
    "EpmdRegistered",
    "EpmdTakenOver",
    "Event",
    "EventHandler",
    "HandshakeRefused",
    "MailboxFull",
    "NodeDisconnected",
    "NodeUp",
    "ProcessCrashed",
    "log_event",
]


@dataclass(frozen=True, slots=True)
class NodeUp:
    """A connection is established. `dialled` is True when this node opened it."""

    node: str
    creation: int
    dialled: bool


@dataclass(frozen=True, slots=True)
class NodeDisconnected:
    """A connection ended: `reason` says why, for a person; `fault` is the peer's breach of protocol, if any."""

    node: str
    reason: str
    fault: BeamError | None = None


@dataclass(frozen=True, slots=True)
class HandshakeRefused:
    """A socket that was accepted became no connection. `address` is the peer's `host:port`."""

    address: str
    error: BeamError


@dataclass(frozen=True, slots=True)
class EpmdRegistered:
    """The node is registered at the port mapper on `epmd_port` of loopback; others find it at `port`."""

    epmd_port: int
    port: int


@dataclass(frozen=True, slots=True)
class EpmdTakenOver:
    """No port mapper listened on `epmd_port`: this node now is the port mapper of its host, on `addresses`."""

    epmd_port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EpmdOpened:
    """This node, the port mapper of its host, listens on `addresses` as well now: its nodes are looked for there."""

    epmd_port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EpmdLost:
    """The port mapper went away. The connections stay; the node registers again as soon as one listens."""

    epmd_port: int


@dataclass(frozen=True, slots=True)
class ProcessCrashed:
    """A handler raised: its process ended, and nothing else did."""

    process: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class MailboxFull:
    """A process suspended in one message has `waiting` others, and takes no more: from now on they are dropped."""

    process: str
    waiting: int


Event: TypeAlias = (
    NodeUp
    | NodeDisconnected
    | HandshakeRefused
    | EpmdRegistered
    | EpmdTakenOver
    | EpmdOpened
    | EpmdLost
    | ProcessCrashed
    | MailboxFull
)


class EventHandler(Protocol):
    """A subscriber. It is called from the node's event loop, so it must not block; what it raises is logged."""

    def __call__(self, event: Event, /) -> object: ...


logger = logging.getLogger("pyerlcoin.beam.node")


def log_event(event: Event) -> None:
    """What the standard logger says of an event: warnings for what a person should look at, the rest debug."""
    match event:
        case NodeUp(node, creation, dialled):
            logger.debug("= %s %s (creation %d)", "connected to" if dialled else "connected from", node, creation)
        case NodeDisconnected(node, _, fault) if fault is not None:
            logger.warning("! closed the connection to %s: %s", node, fault)
        case NodeDisconnected(node, reason):
            logger.debug("= the connection to %s ended: %s", node, reason)
        case HandshakeRefused(address, error):
            logger.warning("! refused a connection from %s: %s", address, error)
        case EpmdRegistered(epmd_port, port):
            logger.debug("= registered port %d at the epmd on port %d", port, epmd_port)
        case EpmdTakenOver(epmd_port, addresses):
            logger.debug("= serving as epmd on port %d of %s", epmd_port, ", ".join(addresses))
        case EpmdOpened(epmd_port, addresses):
            logger.debug("= serving as epmd on port %d of %s as well", epmd_port, ", ".join(addresses))
        case EpmdLost(epmd_port):
            logger.warning("! the epmd on port %d went away; registering again", epmd_port)
        case ProcessCrashed(process, error):
            logger.error("! process %s ended: its handler raised", process, exc_info=error)
        case MailboxFull(process, waiting):
            logger.warning("! process %s has %d messages waiting: dropping what else comes", process, waiting)
