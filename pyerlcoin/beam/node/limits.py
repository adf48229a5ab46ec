"""How much of everything a node takes, from peers and from its own program."""

from __future__ import annotations

from dataclasses import dataclass

from pyerlcoin.beam import etf
from pyerlcoin.beam.dist import FRAME_LIMIT

__all__ = ["NodeLimits"]


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """Each with a default that a busy cluster does not reach, and that a hostile peer does not make dangerous."""

    frame_bytes: int = FRAME_LIMIT
    """One message, received or sent. A peer that sends a larger one is disconnected: nothing else can be done."""

    terms: etf.Limits = etf.DEFAULT
    """Depth, number and size of decoded terms."""

    unsent_bytes: int = 64 * 1024 * 1024
    """What waits for one peer that does not read: beyond it the connection is closed. From a quarter of it on, `send`,
    `cast` and `call` wait, and what the peer asks is put off, as many bytes of it at most."""

    monitors: int = 100_000
    """Monitors, and as many links, that one peer may hold. A caller holds one per call in flight."""

    handshakes: int = 128
    """Sockets that have not yet proved the cookie. Each lives for `setup_time` at most, and for less when
    more come: then the oldest is closed."""

    dials: int = 256
    """Connections that are being opened at once."""

    waiting: int = 10_000
    """Signals kept for a node that is being connected to; more are dropped as if it could not be reached."""

    mailbox: int = 100_000
    """Messages that wait for one process while a coroutine handler of its does; more are dropped."""

    mailbox_bytes: int = 64 * 1024 * 1024
    """Of those messages together, in external form; decoded, they take some times as much."""
