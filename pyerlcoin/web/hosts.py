"""Which Host header a request may carry: the answer to DNS rebinding.

A page of some other site can make its own name point here and would then read the board as if it were its own. It
needs a *name* for that: nobody's DNS decides where a bare address leads. So every address is welcome, and of names
only those that are known to be ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Final

__all__ = ["host_allowed", "is_loopback"]

_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]/@\s]+)(?::\d{1,5})?")


def host_allowed(header: str | None, names: Iterable[str]) -> bool:
    """Whether `header`, with or without a port, is an address, localhost, or one of `names` (lower case)."""
    match = _HOST.fullmatch(header or "")
    if match is None:
        return False
    host = match["host"].lower()
    if _is_address(host.strip("[]"), bracketed=host.startswith("[")):
        return True
    host = host.removesuffix(".")
    return host == "localhost" or host.endswith(".localhost") or host in names


def _is_address(text: str, *, bracketed: bool) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return isinstance(address, IPv6Address) == bracketed


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
