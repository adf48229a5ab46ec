"""One publisher, many readers of any speed: the newest of each kind wins.

A reader holds at most one pending message of each kind. What it has not fetched when the next comes is replaced, so a
browser that sleeps costs the server a pointer, and finds the present when it wakes, not a queue of the past.
"""

from __future__ import annotations

import asyncio
from typing import Final

__all__ = ["CLIENTS", "Feed", "Reader", "TooManyReaders"]

CLIENTS: Final = 256
"""The most open pages: a room of people with two devices each."""


class TooManyReaders(Exception):
    """As many readers as allowed are there."""


class Feed:
    """Hands each published message to every reader. Must be used from one event loop."""

    def __init__(self, limit: int = CLIENTS) -> None:
        self._limit = limit
        self._readers: set[Reader] = set()
        self._newest: dict[str, bytes] = {}
        self._closed = False
        self.stale = True
        """Whether what was published last is too old to begin with: publishing rests while nobody reads."""

    def __len__(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    def publish(self, kind: str, message: bytes) -> None:
        """Never waits. `message` takes the place of the one of its `kind` that a reader has not fetched."""
        self._newest[kind] = message
        for reader in self._readers:
            reader._offer(kind, message)

    def subscribe(self) -> Reader:
        """A reader that starts with the newest of each kind. Raises `TooManyReaders`."""
        if len(self._readers) >= self._limit:
            raise TooManyReaders
        reader = Reader(self, self._newest, self._closed)
        self._readers.add(reader)
        return reader

    def close(self) -> None:
        """Every reader comes to its end, at once and for good."""
        self._closed = True
        for reader in self._readers:
            reader._end()

    def _leave(self, reader: Reader) -> None:
        self._readers.discard(reader)


class Reader:
    """One reader; an async iterator of batches, and a context manager that leaves the feed."""

    def __init__(self, feed: Feed, newest: dict[str, bytes], closed: bool) -> None:
        self._feed = feed
        self._pending = dict(newest)
        self._ended = closed
        self._ready = asyncio.Event()
        if self._pending or closed:
            self._ready.set()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._feed._leave(self)

    async def fetch(self) -> bytes | None:
        """What is new since the last fetch, one message of each kind at most; waits for it. None at the end."""
        await self._ready.wait()
        if self._ended:
            return None
        self._ready.clear()
        batch = b"".join(self._pending.values())
        self._pending.clear()
        return batch

    def _offer(self, kind: str, message: bytes) -> None:
        self._pending[kind] = message
        self._ready.set()

    def _end(self) -> None:
        self._ended = True
        self._ready.set()
