"""Raw connections to the board's port, as a room has them: silent, half said, kept open for no purpose."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest

from pyerlcoin.web.door import SPARE
from tests.support.board import connected, end_of, served
from tests.support.clock import UNIT, eventually
from tests.support.evening import Evening
from tests.support.leaks import sockets
from tests.support.nodes import until

ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
FOLLOWS = b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
ASKED_FOR_MUCH = b"GET /api/state HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200
SHORT = 0.2
"""Seconds of patience, for tests in which it ends."""


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(20 * UNIT):
        return await reader.readline()


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: local", b"\r\n", ASKED, ASKED + b"GET / HT"])
async def test_who_asks_for_nothing_is_let_go(said: bytes) -> None:
    async with served(Evening({}), patience=SHORT) as site, connected(site, said) as reader:
        assert (await end_of(reader)).startswith(b"HTTP/1.1 200") is said.startswith(ASKED)


async def test_a_page_that_follows_stays() -> None:
    async with served(Evening({}), patience=SHORT) as site, connected(site, FOLLOWS) as page:
        assert b" 200 " in await answer_of(page)
        async with connected(site) as silent:
            await end_of(silent)
        for _ in range(3):
            async with asyncio.timeout(20 * UNIT):
                assert await page.readuntil(b"event: state\n")
        assert site.pages == 1


async def test_a_crowd_takes_no_more_than_its_room() -> None:
    async with served(Evening({}), clients=1, patience=60 * UNIT) as site, AsyncExitStack() as crowd:
        page = await crowd.enter_async_context(connected(site, FOLLOWS))
        assert b" 200 " in await answer_of(page)
        leaving = await crowd.enter_async_context(AsyncExitStack())
        for _ in range(SPARE):
            await leaving.enter_async_context(connected(site, b"GET /healthz HTTP/1.1\r\n"))

        async def asked() -> bool:
            async with connected(site, ASKED) as reader:
                return b" 200 " in await end_or_answer(reader)

        assert not await asked()
        async with asyncio.timeout(20 * UNIT):
            assert await page.readuntil(b"event: state\n")
        await leaving.aclose()
        await eventually(asked)


@pytest.mark.parametrize("said", [b"", ASKED])
async def test_who_only_keeps_a_connection_makes_room(said: bytes) -> None:
    """A room of browsers, with six connections each that they have no use for any more."""
    async with served(Evening({}), clients=1, patience=600 * UNIT) as site, AsyncExitStack() as crowd:
        page = await crowd.enter_async_context(connected(site, FOLLOWS))
        assert b" 200 " in await answer_of(page)
        first = await crowd.enter_async_context(connected(site, said))
        others = [await crowd.enter_async_context(connected(site, said)) for _ in range(SPARE - 1)]
        if said:
            for reader in (first, *others):
                assert b" 200 " in await answer_of(reader)
        for _ in range(3):
            async with connected(site, ASKED) as reader:
                assert b" 200 " in await answer_of(reader)
        await end_of(first)  # which had been idle for the longest time
        async with asyncio.timeout(20 * UNIT):
            assert await page.readuntil(b"event: state\n")
        assert site.pages == 1


@pytest.mark.parametrize("asks", [ASKED_FOR_MUCH, FOLLOWS])
async def test_who_takes_nothing_is_let_go(asks: bytes) -> None:
    """Its own buffer is full, and the system's, and ours."""
    evening = Evening({f"{n:04}{'x' * 60}": 1.0 for n in range(400)})
    async with served(evening, stuck=SHORT, interval=0.001) as site:
        host, port = site.url.removeprefix("http://").rstrip("/").split(":")
        with socket.socket() as mute:
            mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            mute.setblocking(False)
            loop = asyncio.get_running_loop()
            before = sockets()
            await loop.sock_connect(mute, (host, int(port)))
            await loop.sock_sendall(mute, asks)
            await until(lambda: sockets() == before + 1)  # the board's end
            await until(lambda: sockets() == before)
            assert site.pages == 0


async def end_or_answer(reader: asyncio.StreamReader) -> bytes:
    try:
        return await answer_of(reader)
    except ConnectionError:
        return b""
