"""What an error of TLS means, and whom a certificate vouches for: the one place that reads what OpenSSL says."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from typing import Final

from pyerlcoin.beam.errors import TlsRefused

__all__ = ["CLOSED_AFTER_TLS", "NOT_FOR_ITS_HOST", "tls_refused", "vouches_for"]

NOT_FOR_ITS_HOST: Final = (
    "its certificate is not for the host part of its name: make one that has it among its subject alternative names"
)

_IS_OURS_VALID: Final = "is it valid, for this host, and of an authority known there?"

CLOSED_AFTER_TLS: Final = (
    f"it closed the connection as soon as it had seen this node's certificate (its log may say why): {_IS_OURS_VALID}"
)

_CLOSED: Final = (
    "it closed the connection before it said a word, as one does that does not accept this node's certificate, "
    "or does not speak TLS: its log may say which"
)

_NAME_MISMATCHES: Final = frozenset([62, 64])  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH

_MEANINGS: Final = (
    # Part of OpenSSL's reason, and its meaning; the first that fits counts. An ALERT is what the other side says.
    (
        ("ALERT_UNKNOWN_CA", "ALERT_BAD_CERT", "ALERT_CERT", "ALERT_UNSUPPORTED_CERT", "CERTIFICATE_REQUIRED"),
        f"it does not accept this node's certificate: {_IS_OURS_VALID}",
    ),
    (
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE",),
        "it shows no certificate, and none is accepted without: give that node one of its own",
    ),
    (
        ("ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW"),
        "it speaks another version of TLS: both sides need 1.2 or 1.3",
    ),
    (
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF", "PACKET_LENGTH", "RECORD_LAYER", "UNEXPECTED_MESS"),
        "it does not speak TLS: start both nodes with TLS, or both without",
    ),
)


def tls_refused(node: str, error: OSError) -> TlsRefused:
    """The error for a person. `error` is what came out of a TLS handshake with `node`, or of the first bytes after.

    With TLS 1.3 a client hears only then that its certificate is refused.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NAME_MISMATCHES:
            return TlsRefused(node, NOT_FOR_ITS_HOST)
        return TlsRefused(
            node,
            f"its certificate is not accepted here ({error.verify_message.rstrip('.')}): "
            "is it signed by an authority that is trusted here, and still valid?",
        )
    if not isinstance(error, ssl.SSLError):
        return TlsRefused(node, _CLOSED)
    reason: str = getattr(error, "reason", None) or ""
    for parts, meaning in _MEANINGS:
        if any(part in reason for part in parts):
            return TlsRefused(node, meaning)
    return TlsRefused(node, f"the TLS handshake failed ({reason.replace('_', ' ').lower() or 'no reason given'})")


def vouches_for(certificate: Mapping[str, object] | None, host: str) -> bool:
    """Whether `host`, the host part of a node name, is among the subject alternative names (RFC 6125, RFC 9110 4.3.5).

    `certificate` is what `SSLSocket.getpeercert` gives. An address fits an address only, a name the same name, or one
    whose first label is `*`.
    """
    alternatives = (certificate or {}).get("subjectAltName", ())
    assert isinstance(alternatives, tuple)
    address = _address(host)
    for kind, value in alternatives:
        if address is not None:
            if kind == "IP Address" and _address(value.strip()) == address:
                return True
        elif kind == "DNS" and _fits(value.lower(), host.lower()):
            return True
    return False


def _fits(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        first, dot, rest = host.partition(".")
        return bool(first) and bool(dot) and rest == pattern[2:]
    return pattern == host


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
