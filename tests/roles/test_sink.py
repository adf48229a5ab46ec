from __future__ import annotations

from pyerlcoin.roles.sink import InMemory


def test_memory_keeps_at_once() -> None:
    kept: list[str | None] = []
    InMemory().commit([], kept.append)
    assert kept == [None]
