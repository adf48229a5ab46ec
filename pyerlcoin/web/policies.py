"""What every answer of the board tells a browser about what it may do with it."""

from __future__ import annotations

from typing import Final

__all__ = ["POLICIES"]

POLICIES: Final = {
    # Nothing inline, nothing from elsewhere, nothing framed, no markup made from strings.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""Headers. The file that remains of the evening has its own policy, by the hashes of what is in it."""
