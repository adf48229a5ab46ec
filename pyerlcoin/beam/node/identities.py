"""Pids and references that no one has had before."""

from __future__ import annotations

import secrets

from pyerlcoin.beam.etf.terms import Pid, Reference

__all__ = ["Identities"]

_ID_BITS = 15
_SERIAL_BITS = 13  # ids and serials of this size are printed and parsed by every tool, and are plenty
_COUNTER_END = 3  # the last byte of the first word
_REFERENCE_COUNTER_BITS = 18  # "word0 <= 18 bits keeps old readers happy"

_RANDOM_EACH = 8
_RANDOM_BYTES = 256 * _RANDOM_EACH


class Identities:
    """Mints the pids and references of one life of a node (one creation)."""

    def __init__(self, node: str, creation: int) -> None:
        self.node = node
        self.creation = creation
        self._pids = 0
        self._references = secrets.randbits(_REFERENCE_COUNTER_BITS) | 1
        self._random, self._random_at = b"", _RANDOM_BYTES
        # A reference's bytes up to the words that change: minting one is on the path of every call.
        self._prefix = Reference.make(node, creation, (0, 0, 0)).wire[:-12]

    def pid(self) -> Pid:
        """A new pid. After 2**28 of them the numbers start again: whoever has a living process with it asks again."""
        self._pids += 1
        number = self._pids & ((1 << (_ID_BITS + _SERIAL_BITS)) - 1)
        return Pid.make(self.node, number & ((1 << _ID_BITS) - 1), number >> _ID_BITS, self.creation)

    def call_reference(self) -> Reference:
        """A new reference for a call: a counter, and 64 random bits, so that nobody forges the reply blindly.

        Its counter is odd, which tells a late reply from a message that has one of the others in front.
        """
        self._references = (self._references + 2) & ((1 << _REFERENCE_COUNTER_BITS) - 1)
        if self._random_at == _RANDOM_BYTES:
            # Many at once: asking the system takes longer than all the rest.
            self._random, self._random_at = secrets.token_bytes(_RANDOM_BYTES), 0
        at = self._random_at
        self._random_at = end = at + _RANDOM_EACH
        return Reference(b"".join((self._prefix, self._references.to_bytes(4), self._random[at:end])))

    def reference(self) -> Reference:
        """A new reference for anything else: as that of a call, but even."""
        wire = bytearray(self.call_reference().wire)
        wire[len(self._prefix) + _COUNTER_END] &= ~1
        return Reference(bytes(wire))

    def is_of_a_call(self, reference: Reference) -> bool:
        """Whether this life of the node minted it for a call."""
        wire = reference.wire
        return wire.startswith(self._prefix) and wire[len(self._prefix) + _COUNTER_END] & 1 == 1
