"""The capability flags that two nodes exchange, 64 bits each way (OTP, Distribution Protocol, "Distribution Flags").

A connection speaks what both sides offered: `ours & theirs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import KEEP, IntFlag
from types import MappingProxyType

__all__ = ["MANDATORY", "OFFERED", "PUBLISHED", "REQUIRED", "DistributionFlags", "missing", "negotiate"]


class DistributionFlags(IntFlag, boundary=KEEP):
    """`dist.hrl`'s DFLAG_ names. Bits that have no name are kept: newer nodes offer what we do not know."""

    DFLAG_PUBLISHED = 0x1
    DFLAG_ATOM_CACHE = 0x2
    DFLAG_EXTENDED_REFERENCES = 0x4
    DFLAG_DIST_MONITOR = 0x8
    DFLAG_FUN_TAGS = 0x10
    DFLAG_DIST_MONITOR_NAME = 0x20
    DFLAG_HIDDEN_ATOM_CACHE = 0x40
    DFLAG_NEW_FUN_TAGS = 0x80
    DFLAG_EXTENDED_PIDS_PORTS = 0x100
    DFLAG_EXPORT_PTR_TAG = 0x200
    DFLAG_BIT_BINARIES = 0x400
    DFLAG_NEW_FLOATS = 0x800
    DFLAG_UNICODE_IO = 0x1000
    DFLAG_DIST_HDR_ATOM_CACHE = 0x2000
    DFLAG_SMALL_ATOM_TAGS = 0x4000
    DFLAG_UTF8_ATOMS = 0x10000
    DFLAG_MAP_TAG = 0x20000
    DFLAG_BIG_CREATION = 0x40000
    DFLAG_SEND_SENDER = 0x80000
    DFLAG_BIG_SEQTRACE_LABELS = 0x100000
    DFLAG_EXIT_PAYLOAD = 0x400000
    DFLAG_FRAGMENTS = 0x800000
    DFLAG_HANDSHAKE_23 = 0x1000000
    DFLAG_UNLINK_ID = 0x2000000
    # OTP's page prints it as bit 36; dist.hrl has bit 26, and nodes send bit 26.
    DFLAG_MANDATORY_25_DIGEST = 0x4000000
    DFLAG_SPAWN = 1 << 32
    DFLAG_NAME_ME = 1 << 33
    DFLAG_V4_NC = 1 << 34
    DFLAG_ALIAS = 1 << 35
    DFLAG_LOCAL_EXT = 1 << 36
    DFLAG_ALTACT_SIG = 1 << 37
    DFLAG_NATIVE_RECORDS = 1 << 38


_F = DistributionFlags

_MANDATORY_25 = (
    _F.DFLAG_EXTENDED_REFERENCES
    | _F.DFLAG_FUN_TAGS
    | _F.DFLAG_NEW_FUN_TAGS
    | _F.DFLAG_EXTENDED_PIDS_PORTS
    | _F.DFLAG_EXPORT_PTR_TAG
    | _F.DFLAG_BIT_BINARIES
    | _F.DFLAG_NEW_FLOATS
    | _F.DFLAG_UTF8_ATOMS
    | _F.DFLAG_MAP_TAG
    | _F.DFLAG_BIG_CREATION
    | _F.DFLAG_HANDSHAKE_23
)
_MANDATORY_26 = _MANDATORY_25 | _F.DFLAG_V4_NC | _F.DFLAG_UNLINK_ID

#: What a node of each OTP release refuses to connect without.
MANDATORY: Mapping[int, DistributionFlags] = MappingProxyType(
    {25: _MANDATORY_25, 26: _MANDATORY_26, 27: _MANDATORY_26, 28: _MANDATORY_26, 29: _MANDATORY_26}
)

#: What we refuse to connect without. OTP 25 offers all of it, though it does not demand V4_NC and UNLINK_ID: we
#: have no encoding for a peer that lacks the first, and never send the old UNLINK.
REQUIRED: DistributionFlags = _MANDATORY_26

#: What we offer as a hidden node: the mandatory set, and what `control` and `link` implement. Left out on purpose:
#: the atom cache and FRAGMENTS (only pass-through frames are spoken), SPAWN (a remote `spawn` then fails at its
#: caller), EXIT_PAYLOAD and SEND_SENDER (fewer variants of one thing), and NAME_ME, which is no capability
#: but a request for a name, and is answered whoever makes it.
OFFERED: DistributionFlags = (
    _MANDATORY_26
    | _F.DFLAG_MANDATORY_25_DIGEST
    | _F.DFLAG_DIST_MONITOR
    | _F.DFLAG_DIST_MONITOR_NAME
    | _F.DFLAG_ALIAS
    | _F.DFLAG_ALTACT_SIG
    | _F.DFLAG_NATIVE_RECORDS
)

#: Add this to OFFERED to be a visible node.
PUBLISHED: DistributionFlags = _F.DFLAG_PUBLISHED


def _expand(flags: int) -> DistributionFlags:
    """MANDATORY_25_DIGEST stands for every flag that OTP 25 demands."""
    expanded = DistributionFlags(flags)
    return expanded | _MANDATORY_25 if expanded & _F.DFLAG_MANDATORY_25_DIGEST else expanded


def missing(flags: int, required: DistributionFlags = REQUIRED) -> tuple[str, ...]:
    """The names, without DFLAG_, of what `flags` lacks of `required`, lowest bit first. Empty: nothing."""
    lacking = required & ~_expand(flags)
    return tuple(name.removeprefix("DFLAG_") for name, flag in DistributionFlags.__members__.items() if flag & lacking)


def negotiate(ours: int, theirs: int) -> DistributionFlags:
    """What a connection speaks: the flags that both sides offered, spelt out. NAME_ME is a request, and never left."""
    return _expand(ours) & _expand(theirs) & ~DistributionFlags.DFLAG_NAME_ME
