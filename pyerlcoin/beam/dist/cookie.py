"""The magic cookie: reading it as OTP's `auth` does, and the digest that proves it.

Only rules here, no files: the caller reads the bytes and the mode. The cookie itself never travels, only
`MD5(cookie || decimal(challenge))` (OTP, Distribution Protocol, "gen_digest").
"""

from __future__ import annotations

import hashlib
import hmac
import stat

from pyerlcoin.beam.errors import InvalidCookie

__all__ = ["Cookie", "check_mode", "digest"]

# A cookie is an atom to erl, and an atom has at most 255 characters.
_MAX_LENGTH = 255


class Cookie:
    """A cookie. Its text is in `secret` only: neither repr, str nor a traceback shows it."""

    __slots__ = ("secret",)

    secret: bytes

    def __init__(self, text: str) -> None:
        """Take the cookie as `-setcookie` does: nothing is trimmed.

        Raises:
            InvalidCookie: empty, over 255 characters, or a character outside Latin-1.
        """
        try:
            secret = text.encode("latin-1")
        except UnicodeEncodeError:
            # `from None`: the cause would carry the cookie.
            raise InvalidCookie("the cookie has a character outside Latin-1: use plain ASCII") from None
        if not secret:
            raise InvalidCookie("the cookie is empty: give one, the same on every node")
        if len(secret) > _MAX_LENGTH:
            raise InvalidCookie(f"the cookie has {len(secret)} characters, and {_MAX_LENGTH} is the most")
        self.secret = secret

    @classmethod
    def from_file(cls, content: bytes, path: str) -> Cookie:
        """Read the bytes of a cookie file. `path` is for the sentence of an error.

        As `auth` does: printable ASCII is taken verbatim, trailing spaces too, up to the first other byte;
        from there only newlines, carriage returns and spaces may follow.

        Raises:
            InvalidCookie: empty, too long, or with other bytes.
        """
        end = next((at for at, byte in enumerate(content) if not 0x20 <= byte <= 0x7E), len(content))
        if content[end:].strip(b"\n\r "):
            raise InvalidCookie(f"{path} has bad characters in it: it is to hold one line of plain ASCII")
        if not end:
            raise InvalidCookie(f"{path} is empty: write a cookie into it, the same on every node")
        return cls(content[:end].decode("ascii"))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Cookie):
            return hmac.compare_digest(self.secret, other.secret)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.secret)

    def __repr__(self) -> str:
        return "Cookie(…)"


def check_mode(st_mode: int, path: str) -> None:
    """Raise InvalidCookie unless `st_mode` is a regular file that only its owner can use (`auth`'s rule)."""
    if not stat.S_ISREG(st_mode):
        raise InvalidCookie(f"{path} is not a regular file")
    if st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidCookie(f"{path} is open to others than its owner: run chmod 400 {path}")


def digest(cookie: Cookie, challenge: int) -> bytes:
    """The 16 bytes that answer `challenge`, an unsigned 32-bit number.

    The challenge is printed unsigned: half of all handshakes fail with a signed one.
    """
    return hashlib.md5(cookie.secret + b"%d" % challenge, usedforsecurity=False).digest()
