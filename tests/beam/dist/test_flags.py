from __future__ import annotations

import pytest

from pyerlcoin.beam.dist import MANDATORY, OFFERED, PUBLISHED, REQUIRED, DistributionFlags, missing, negotiate
from pyerlcoin.beam.dist.control import known_operations
from pyerlcoin.beam.etf import Record, decode
from tests.beam.etf.golden import RECORD
from tests.support.golden import OTP25_FLAGS

_F = DistributionFlags

# Which operations a node may use towards one that offers the flag.
_PROMISED = {
    _F.DFLAG_DIST_MONITOR: {19, 20, 21},
    _F.DFLAG_DIST_MONITOR_NAME: {19, 20, 21},
    _F.DFLAG_SEND_SENDER: {22, 23},
    _F.DFLAG_EXIT_PAYLOAD: {24, 25, 26, 27, 28},
    _F.DFLAG_UNLINK_ID: {35, 36},
    _F.DFLAG_SPAWN: {29, 30, 31, 32},
    _F.DFLAG_ALIAS: {33, 34},
    _F.DFLAG_ALTACT_SIG: {37},
}
# What needs another framing, another term, or a name for whoever asks.
_NOT_IMPLEMENTED = (
    _F.DFLAG_ATOM_CACHE
    | _F.DFLAG_HIDDEN_ATOM_CACHE
    | _F.DFLAG_DIST_HDR_ATOM_CACHE
    | _F.DFLAG_FRAGMENTS
    | _F.DFLAG_NAME_ME
    | _F.DFLAG_LOCAL_EXT
    | _F.DFLAG_SPAWN
)


def test_the_numbers_are_those_of_the_wire() -> None:
    assert MANDATORY[25] == 0x1070F94
    assert all(MANDATORY[release] == 0x403070F94 for release in (26, 27, 28, 29))
    assert OFFERED == 0x6C07070FBC
    assert PUBLISHED == 1
    assert not OFFERED & PUBLISHED


@pytest.mark.parametrize("flag", _PROMISED)
def test_whatever_is_offered_is_handled(flag: DistributionFlags) -> None:
    assert not OFFERED & flag or known_operations() >= _PROMISED[flag]


def test_records_are_offered_and_read() -> None:
    assert OFFERED & _F.DFLAG_NATIVE_RECORDS
    assert isinstance(decode(bytes.fromhex(RECORD))[0], Record)


def test_nothing_is_offered_that_is_not_implemented() -> None:
    assert not OFFERED & _NOT_IMPLEMENTED


@pytest.mark.parametrize("release", MANDATORY)
def test_every_release_is_content_with_our_offer(release: int) -> None:
    assert missing(OFFERED, MANDATORY[release]) == ()


def test_otp_25_has_what_we_require() -> None:
    assert missing(OTP25_FLAGS) == ()


def test_the_missing_are_named() -> None:
    assert missing(OFFERED & ~_F.DFLAG_MANDATORY_25_DIGEST & ~_F.DFLAG_UTF8_ATOMS & ~_F.DFLAG_V4_NC) == (
        "UTF8_ATOMS",
        "V4_NC",
    )


def test_the_digest_stands_for_all_of_otp_25() -> None:
    short = _F.DFLAG_MANDATORY_25_DIGEST | _F.DFLAG_UNLINK_ID | _F.DFLAG_V4_NC
    assert missing(short) == ()
    assert negotiate(OFFERED, short) & REQUIRED == REQUIRED
    assert missing(_F.DFLAG_MANDATORY_25_DIGEST) == ("UNLINK_ID", "V4_NC")


def test_a_connection_speaks_what_both_offered() -> None:
    spoken = negotiate(OFFERED, OTP25_FLAGS)
    assert spoken & _F.DFLAG_ALIAS
    assert not spoken & _F.DFLAG_ALTACT_SIG
    assert not spoken & _F.DFLAG_FRAGMENTS


def test_unknown_flags_of_newer_nodes_are_kept() -> None:
    assert _F(1 << 45) == 1 << 45
    assert negotiate(OFFERED, OFFERED | 1 << 45) == OFFERED
