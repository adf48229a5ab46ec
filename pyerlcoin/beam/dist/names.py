"""Node names: `alive@host`, long or short.

The rules are `net_kernel`'s (OTP, Distributed Erlang, "Nodes"): the alive part is letters, digits, `_` and `-`;
the whole is at most 255 characters, because it travels as an atom; a name whose host part has a dot is a long
one, and long and short names never connect. The host text is compared as written: `n@localhost` is not
`n@127.0.0.1`.

A host part with a colon is an IPv6 address and counts as long: no short host name has one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from pyerlcoin.beam.errors import InvalidNodeName, NameFormMismatch

__all__ = ["NameForm", "NodeName"]

_ALIVE = re.compile(r"[A-Za-z0-9_-]+")
# Wider than the DNS: underscores occur in container names. No brackets, spaces, or control characters.
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_MAX_LENGTH = 255


class NameForm(Enum):
    """How `erl` was told its name: `-name` (long, a dot in the host part) or `-sname` (short, none)."""

    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class NodeName:
    """A valid node name. Make one with `parse` or `complete`; both raise InvalidNodeName."""

    alive: str
    host: str

    @classmethod
    def parse(cls, text: str, form: NameForm | None = None) -> NodeName:
        """Read `alive@host`. With `form`, the host part must be of that form.

        Raises:
            InvalidNodeName: not a node name, or of the other form.
        """
        alive, at, host = text.partition("@")
        if not at or not alive or not host:
            raise InvalidNodeName(text, "write it as name@host")
        if len(text) > _MAX_LENGTH:
            raise InvalidNodeName(text, f"it has {len(text)} characters, and {_MAX_LENGTH} is the most")
        if not _ALIVE.fullmatch(alive):
            raise InvalidNodeName(text, "before the @ stand letters, digits, '_' and '-' only")
        if not _HOST.fullmatch(host):
            raise InvalidNodeName(text, "after the @ stands one host name or IP address")
        name = cls(alive, host)
        if form is NameForm.LONG and name.form is not form:
            raise InvalidNodeName(text, "a long name needs a dot in its host part: use an IP address, or --sname")
        if form is NameForm.SHORT and name.form is not form:
            raise InvalidNodeName(text, "a short name has no dot in its host part: use --name")
        return name

    @classmethod
    def complete(cls, text: str, form: NameForm, host: str) -> NodeName:
        """Read `alive@host`, or a bare `alive` that gets `host` as erl would complete it.

        `host` is this machine's name: for a short name only its part before the first dot is used.

        Raises:
            InvalidNodeName: as `parse`.
        """
        if "@" not in text:
            text = f"{text}@{host.partition('.')[0] if form is NameForm.SHORT else host}"
        return cls.parse(text, form)

    @classmethod
    def dynamic(cls, host: str, number: int) -> NodeName:
        """A name for a node of that host which asks for one (DFLAG_NAME_ME).

        `number` is random, of 64 bits: with them no two nodes get the same name.

        Raises:
            InvalidNodeName: as `parse`, for this host.
        """
        return cls.parse(f"{number:016X}@{host}")

    @property
    def full(self) -> str:
        """`alive@host`."""
        return f"{self.alive}@{self.host}"

    @property
    def form(self) -> NameForm:
        """LONG if the host part has a dot (or is an IPv6 address), else SHORT."""
        return NameForm.LONG if "." in self.host or ":" in self.host else NameForm.SHORT

    def require_same_form(self, other: NodeName) -> None:
        """Raise NameFormMismatch if one name is long and the other short. `self` is the local node."""
        if self.form is not other.form:
            raise NameFormMismatch(self.full, other.full)

    def __str__(self) -> str:
        return self.full
