from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pyerlcoin.beam.dist import Alive2Request, EpmdRequest, NodeName, PortPlease2Request
from pyerlcoin.beam.errors import CannotListen, EpmdUnreachable, NameInUse, NodeNotFound
from pyerlcoin.beam.node import epmd_client, epmd_server
from pyerlcoin.beam.node.epmd_client import find_port, names, register
from pyerlcoin.beam.node.epmd_server import EpmdServer
from tests.support.clock import UNIT
from tests.support.nodes import until
from tests.support.ports import LOOPBACK, free_port


@pytest.fixture
async def server() -> AsyncIterator[EpmdServer]:
    running = EpmdServer(0)
    await running.start(("127.0.0.1",))
    yield running
    await running.stop()


def nothing() -> None:
    """For a registration that is not lost."""


async def ask(port: int, request: bytes, host: str = "127.0.0.1") -> bytes:
    """All that comes until the port mapper closes."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        async with asyncio.timeout(20 * UNIT):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def framed(request: EpmdRequest | bytes) -> bytes:
    return len(request).to_bytes(2) + request if isinstance(request, bytes) else request.encode()


async def test_a_registration_lives_as_long_as_its_socket(server: EpmdServer) -> None:
    node = NodeName.parse("a@127.0.0.1")
    registration = await register(node, 5000, hidden=True, epmd_port=server.port, on_lost=nothing)
    assert await find_port(node, "127.0.0.1", server.port) == 5000
    assert await names("127.0.0.1", "127.0.0.1", server.port) == {"a": 5000}
    assert server.names == ("a",)
    with pytest.raises(NameInUse):
        await register(node, 5001, hidden=False, epmd_port=server.port, on_lost=nothing)
    await registration.close()
    with pytest.raises(NodeNotFound):
        await find_port(node, "127.0.0.1", server.port)
    again = await register(node, 5001, hidden=False, epmd_port=server.port, on_lost=nothing)
    assert again.creation != registration.creation
    await again.close()


async def test_a_lost_port_mapper_is_noticed(server: EpmdServer) -> None:
    lost = asyncio.Event()
    node = NodeName.parse("a@127.0.0.1")
    await register(node, 5000, hidden=True, epmd_port=server.port, on_lost=lost.set)
    await server.stop()
    async with asyncio.timeout(20 * UNIT):
        await lost.wait()
    with pytest.raises(EpmdUnreachable):
        await find_port(node, "127.0.0.1", server.port)


@pytest.mark.parametrize("request_", [b"k", b"d", b"ssomebody", b"", b"?", b"x"], ids=str)
async def test_kill_dump_stop_and_nonsense_are_closed_without_a_word(server: EpmdServer, request_: bytes) -> None:
    registration = await register(
        NodeName.parse("somebody@127.0.0.1"), 5000, hidden=True, epmd_port=server.port, on_lost=nothing
    )
    assert await ask(server.port, framed(request_)) == b""
    assert server.names == ("somebody",)
    await registration.close()


async def test_only_this_machine_may_register(server: EpmdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert epmd_server._is_loopback("127.0.0.9")
    assert epmd_server._is_loopback("::1")
    assert epmd_server._is_loopback("::ffff:127.0.0.1")
    assert not epmd_server._is_loopback("192.168.0.13")
    assert not epmd_server._is_loopback("fe80::1%eth0")
    monkeypatch.setattr(epmd_server, "_is_loopback", lambda address: False)
    assert await ask(server.port, framed(Alive2Request("a", 5000))) == b""
    assert await ask(server.port, framed(PortPlease2Request("a"))) == b"w\1"
    assert server.names == ()


async def test_who_says_nothing_is_closed_and_who_registered_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough to register in on a machine that does other things, too.
    monkeypatch.setattr(epmd_server, "_QUESTION_TIME", 0.5 * UNIT)
    server = EpmdServer(0)
    await server.start(("127.0.0.1",))
    node = NodeName.parse("a@127.0.0.1")
    registration = await register(node, 5000, hidden=True, epmd_port=server.port, on_lost=nothing)
    assert await ask(server.port, b"\0") == b""
    assert server.names == ("a",)
    await registration.close()
    await server.stop()


async def test_sockets_are_capped(server: EpmdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epmd_server, "_MOST_SOCKETS", 1)
    node = NodeName.parse("a@127.0.0.1")
    registration = await register(node, 5000, hidden=True, epmd_port=server.port, on_lost=nothing)
    assert await ask(server.port, framed(PortPlease2Request("a"))) == b""
    await registration.close()


async def test_it_listens_on_loopback_first_and_wherever_else_it_can(server: EpmdServer) -> None:
    other = EpmdServer(0)
    await other.start(("127.0.0.3", "192.0.2.1", "127.0.0.1"))
    assert other.addresses == (*LOOPBACK, "127.0.0.3")
    assert await ask(other.port, framed(PortPlease2Request("a")), "127.0.0.3") == b"w\1"
    await other.stop()
    everywhere = EpmdServer(0)
    await everywhere.start(("0.0.0.0",))
    assert everywhere.addresses == ("0.0.0.0", *LOOPBACK[1:])
    assert everywhere.answers_on("127.0.0.3")
    await everywhere.stop()
    with pytest.raises(CannotListen):
        await EpmdServer(server.port).start(("127.0.0.1",))


async def registered(port: int, name: str, extra: bytes = b"", host: str = "127.0.0.1") -> asyncio.StreamWriter:
    """A registration by hand, open until its socket is closed."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(Alive2Request(name, 5000, extra=extra).encode())
    async with asyncio.timeout(20 * UNIT):
        assert (await reader.readexactly(2)) == b"v\0"
    return writer


async def knows(port: int, name: str, host: str) -> bool:
    """Whether who asks at that address is told of the node."""
    try:
        return (await ask(port, framed(PortPlease2Request(name)), host))[:2] == b"w\0"
    except ConnectionRefusedError:
        return False


async def test_who_says_where_it_listens_is_found_there_and_nowhere_else() -> None:
    opened: list[tuple[str, ...]] = []
    server = EpmdServer(0, opened.append)
    await server.start(("127.0.0.1",))
    node = NodeName.parse("a@127.0.0.2")
    held = await register(
        node, 5000, hidden=True, epmd_port=server.port, on_lost=nothing, addresses=("127.0.0.2", "127.0.0.1")
    )
    # As soon as it is registered: nobody waits for it to become true.
    assert await find_port(node, "127.0.0.2", server.port) == 5000
    assert not await knows(server.port, "a", "127.0.0.3")
    assert server.addresses == (*LOOPBACK, "127.0.0.2")
    assert opened == [("127.0.0.2",)]
    await held.close()
    await until(lambda: server.addresses == LOOPBACK)
    assert not await knows(server.port, "a", "127.0.0.2")
    again = await register(
        node, 5000, hidden=True, epmd_port=server.port, on_lost=nothing, addresses=("127.0.0.2", "127.0.0.1")
    )
    assert opened == [("127.0.0.2",)] * 2
    assert await find_port(node, "127.0.0.2", server.port) == 5000
    await again.close()
    await server.stop()


async def test_who_stays_is_found_when_one_that_did_not_say_leaves(server: EpmdServer) -> None:
    beam = await registered(server.port, "beam")
    stays = await registered(server.port, "stays", b"pyerlcoin listens on 127.0.0.2 127.0.0.1")
    assert await knows(server.port, "stays", "127.0.0.3")
    beam.close()
    await until(lambda: server.addresses == (*LOOPBACK, "127.0.0.2"))
    for host in (*LOOPBACK, "127.0.0.2"):
        assert await knows(server.port, "stays", host)
    assert not await knows(server.port, "stays", "127.0.0.3")
    assert server.names == ("stays",)
    stays.close()
    await until(lambda: server.addresses == LOOPBACK)


async def test_who_does_not_say_is_found_on_every_address_and_all_sessions_stay(server: EpmdServer) -> None:
    before = await registered(server.port, "before", b"pyerlcoin listens on 127.0.0.1")
    assert server.addresses == LOOPBACK
    beam = await registered(server.port, "beam")
    assert server.addresses[len(LOOPBACK) :] == ("0.0.0.0", "::")[: len(LOOPBACK)]
    for host in (*LOOPBACK, "127.0.0.2", "127.0.0.3"):
        assert await knows(server.port, "beam", host)
    assert set(server.names) == {"before", "beam"}
    for held in (before, beam):
        held.close()


async def test_who_does_not_say_and_one_more_that_says(server: EpmdServer) -> None:
    held = [await registered(server.port, "beam"), await registered(server.port, "a", b"pyerlcoin listens on ::")]
    assert await knows(server.port, "a", "127.0.0.2")
    for each in held:
        each.close()


@pytest.mark.parametrize(
    "extra", [b"\xff" * 600, b"pyerlcoin listens on ", b"pyerlcoin listens on nowhere \0 fe80::1%\0"]
)
async def test_nonsense_about_where_it_listens_says_nothing(server: EpmdServer, extra: bytes) -> None:
    held = await registered(server.port, "a", extra)
    assert await knows(server.port, "a", "127.0.0.3")
    held.close()


async def test_addresses_of_nobody_s_are_ignored(server: EpmdServer) -> None:
    held = await registered(server.port, "a", b"pyerlcoin listens on 192.0.2.1 255.255.255.255 2001:db8::1")
    assert server.addresses[: len(LOOPBACK)] == LOOPBACK
    assert not await knows(server.port, "a", "127.0.0.3")
    held.close()


async def test_nobody_else_makes_it_listen(server: EpmdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    held = await registered(server.port, "a", b"pyerlcoin listens on 127.0.0.1")
    # A name that is taken, a question, and another machine.
    await ask(server.port, framed(Alive2Request("a", 5000)))
    await ask(server.port, framed(PortPlease2Request("a")))
    monkeypatch.setattr(epmd_server, "_is_loopback", lambda address: False)
    await ask(server.port, framed(Alive2Request("b", 5000)))
    assert server.addresses == LOOPBACK
    held.close()


@pytest.mark.skipif(len(LOOPBACK) < 2, reason="no IPv6")  # reason: a machine without IPv6
async def test_a_node_may_register_over_ipv6() -> None:
    server = EpmdServer(free_port())
    await server.start(("127.0.0.1",))
    held = await registered(server.port, "a", host="::1")
    assert server.names == ("a",)
    held.close()
    await server.stop()


@pytest.mark.parametrize("answer", [b"", b"nonsense"])
async def test_what_is_no_port_mapper(answer: bytes) -> None:
    class Other(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(answer)
            transport.close()

    server = await asyncio.get_running_loop().create_server(Other, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EpmdUnreachable, match=r"no epmd|reset"):
            await find_port(NodeName.parse("a@127.0.0.1"), "127.0.0.1", port)


async def test_a_mute_port_mapper_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epmd_client, "EPMD_TIMEOUT", 0.01)
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EpmdUnreachable, match="no answer in time"):
            await find_port(NodeName.parse("a@127.0.0.1"), "127.0.0.1", port)
