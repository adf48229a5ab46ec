from __future__ import annotations

import asyncio

import pytest

from pyerlcoin.web.feed import Feed, TooManyReaders


async def test_a_reader_starts_with_the_newest_of_each_kind() -> None:
    feed = Feed()
    feed.publish("state", b"s1")
    feed.publish("history", b"h1")
    feed.publish("state", b"s2")
    with feed.subscribe() as reader:
        assert await reader.fetch() == b"s2h1"


async def test_what_a_slow_reader_missed_is_replaced_not_queued() -> None:
    feed = Feed()
    with feed.subscribe() as slow, feed.subscribe() as quick:
        for number in range(1000):
            feed.publish("state", b"%d" % number)
            assert await quick.fetch() == b"%d" % number
        assert await slow.fetch() == b"999"


async def test_a_reader_waits_for_what_is_new() -> None:
    feed = Feed()
    with feed.subscribe() as reader:
        waiting = asyncio.create_task(reader.fetch())
        await asyncio.sleep(0)
        assert not waiting.done()
        feed.publish("state", b"new")
        assert await waiting == b"new"


async def test_one_reader_too_many_is_turned_away_until_another_leaves() -> None:
    feed = Feed(limit=2)
    with feed.subscribe():
        with feed.subscribe(), pytest.raises(TooManyReaders):
            feed.subscribe()
        with feed.subscribe():
            assert len(feed) == 2
    assert len(feed) == 0


async def test_closing_ends_every_reader_and_every_one_to_come() -> None:
    feed = Feed()
    with feed.subscribe() as waiting, feed.subscribe() as behind:
        pending = asyncio.create_task(waiting.fetch())
        await asyncio.sleep(0)
        feed.publish("state", b"last")
        feed.close()
        assert await behind.fetch() is None
        await pending
        assert await waiting.fetch() is None
    with feed.subscribe() as late:
        assert await late.fetch() is None


async def test_what_was_fetched_is_not_fetched_again() -> None:
    feed = Feed()
    with feed.subscribe() as reader:
        feed.publish("state", b"s1")
        feed.publish("history", b"h1")
        assert await reader.fetch() == b"s1h1"
        feed.publish("state", b"s2")
        assert await reader.fetch() == b"s2"
