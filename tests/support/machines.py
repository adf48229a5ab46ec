"""Feeding machines without I/O: whole, and byte by byte; and what a peer may do to them."""

from __future__ import annotations

from typing import Protocol

import pytest

__all__ = ["CHUNKINGS", "Machine", "chunks", "feed"]

CHUNKINGS = pytest.mark.parametrize("chunk", [1_000_000, 1, 3], ids=["whole", "byte by byte", "three bytes"])


class Machine(Protocol):
    """What takes bytes."""

    def receive_data(self, data: bytes) -> None:
        """Take them."""


def chunks(data: bytes, chunk: int) -> list[bytes]:
    """The data in pieces of at most that size."""
    return [data[at : at + chunk] for at in range(0, len(data), chunk)]


def feed(machine: Machine, data: bytes, chunk: int) -> None:
    """Give the machine the data in such pieces."""
    for piece in chunks(data, chunk):
        machine.receive_data(piece)
