from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import pytest

from pyerlcoin.beam.errors import CannotListen
from pyerlcoin.beam.node import epmd_addresses
from pyerlcoin.beam.node.carrier import stream
from pyerlcoin.beam.node.epmd_addresses import EVERYWHERE, EpmdAddresses
from tests.support.clock import UNIT
from tests.support.ports import LOOPBACK, free_port


class Hello(asyncio.Protocol):
    """Says so, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        writing = stream(transport)
        writing.write(b"hello")
        writing.close()


@pytest.fixture
async def listening() -> AsyncIterator[EpmdAddresses]:
    running = EpmdAddresses(Hello)
    await running.start((), free_port())
    yield running
    await running.close()


async def answers(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return False
    async with asyncio.timeout(20 * UNIT):
        assert await reader.read() == b"hello"
    writer.close()
    await writer.wait_closed()
    return True


async def test_at_first_only_loopback(listening: EpmdAddresses) -> None:
    assert listening.names == LOOPBACK
    for address in LOOPBACK:
        assert await answers(address, listening.port)
        assert listening.covers(address)
    assert not await answers("127.0.0.2", listening.port)
    assert not listening.covers("127.0.0.2")


async def test_one_more_address(listening: EpmdAddresses) -> None:
    assert listening.open(("127.0.0.1", "127.0.0.2")) == ("127.0.0.2",)
    assert await answers("127.0.0.2", listening.port)
    assert not await answers("127.0.0.3", listening.port)
    assert listening.open(("127.0.0.2",)) == ()


async def test_every_address_beside_those_that_it_has(listening: EpmdAddresses) -> None:
    listening.open(("127.0.0.2",))
    new = listening.open(EVERYWHERE)
    assert new == EVERYWHERE[: len(LOOPBACK)]
    for address in (*LOOPBACK, "127.0.0.2", "127.0.0.3"):
        assert await answers(address, listening.port)
        assert listening.covers(address)
    assert listening.open(("127.0.0.4", *EVERYWHERE)) == ()


async def test_who_listens_on_both_kinds_is_looked_for_on_both(listening: EpmdAddresses) -> None:
    assert listening.open(("::",))[0] == "0.0.0.0"
    assert await answers("127.0.0.3", listening.port)


async def test_the_port_stays_ours(listening: EpmdAddresses) -> None:
    listening.open(("127.0.0.2",))
    listening.open(EVERYWHERE)
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "0.0.0.0"):
        other = EpmdAddresses(Hello)
        with pytest.raises(CannotListen):
            await other.start((address,), listening.port)
        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with pytest.raises(OSError, match="in use"):
                bound.bind((address, listening.port))


async def test_what_somebody_else_has_is_told_and_what_there_is_stays(
    listening: EpmdAddresses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "pyerlcoin.beam.node")
    with socket.socket() as other:
        other.bind(("127.0.0.2", listening.port))
        other.listen()
        # What is no address of this machine is nobody's fault, and not told.
        assert listening.open(("192.0.2.1", "127.0.0.2", "127.0.0.3")) == ("127.0.0.3",)
        assert listening.open(EVERYWHERE[:1]) == ()
    first, second = (record.getMessage() for record in caplog.records)
    assert first == f"! cannot serve as epmd on port {listening.port} of 127.0.0.2: address already in use"
    assert "of 0.0.0.0" in second
    for address in (*LOOPBACK, "127.0.0.3"):
        assert await answers(address, listening.port)
    assert listening.open(EVERYWHERE)[0] == "0.0.0.0"


async def test_addresses_are_capped_and_all_of_them_at_once_are_not(
    listening: EpmdAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epmd_addresses, "MOST_ADDRESSES", len(LOOPBACK) + 1)
    assert listening.open(f"127.0.0.{number}" for number in range(2, 200)) == ("127.0.0.2",)
    assert listening.open(EVERYWHERE)[0] == "0.0.0.0"


async def test_closed_as_soon_as_it_is_open() -> None:
    listening = EpmdAddresses(Hello)
    await listening.start(("127.0.0.2",), 0)
    listening.open(EVERYWHERE)
    await listening.close()
    for address in (*LOOPBACK, "127.0.0.2", "127.0.0.3"):
        assert not await answers(address, listening.port)


def test_on_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def grow() -> None:
        listening = EpmdAddresses(Hello)
        await listening.start((), 0)
        try:
            listening.open(("127.0.0.2",))
            assert await answers("127.0.0.2", listening.port)
            listening.open(EVERYWHERE)
            for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
                assert await answers(address, listening.port)
        finally:
            await listening.close()
        assert not await answers("127.0.0.3", listening.port)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(grow())
