"""Where a node is to be found, as it says to the port mapper in the Extra field of its registration.

OTP's epmd keeps up to 1,020 bytes there and tells them to whoever asks for the node; no BEAM looks at them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

__all__ = ["MOST_ADDRESSES", "read_extra", "write_extra"]

MOST_ADDRESSES: Final = 16
"""In one registration: 661 bytes at most. A node listens on two."""

_PREFIX: Final = b"pyerlcoin listens on "


def write_extra(addresses: Iterable[str]) -> bytes:
    """What a node says that listens on these; nothing if none of them is a literal address."""
    literal = _literal(addresses)
    return _PREFIX + " ".join(literal).encode() if literal else b""


def read_extra(extra: bytes) -> tuple[str, ...] | None:
    """The addresses that a node says; None if it says none, as every BEAM does. What is no address is left out."""
    if not extra.startswith(_PREFIX):
        return None
    return _literal(extra.removeprefix(_PREFIX).decode("ascii", "replace").split(" ")) or None


def _literal(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the usual spelling, as many as there may be."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            # A scope is a name of this machine's, and may be any text.
            if address.scope_id is not None:
                continue
            address = address.ipv4_mapped or address
        found[str(address)] = None
    return tuple(found)[:MOST_ADDRESSES]
