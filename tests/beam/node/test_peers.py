from __future__ import annotations

import asyncio
import gc

import pytest

from pyerlcoin.beam import Cookie, GenServer, Node, NodeLimits, NodeName, Sender, Term
from pyerlcoin.beam.dist import OFFERED, DistributionFlags, Initiator, Status
from pyerlcoin.beam.errors import (
    AlreadyConnected,
    CallTimeout,
    CookieMismatch,
    EpmdUnreachable,
    HostUnknown,
    HungUp,
    InvalidNodeName,
    LimitExceeded,
    MalformedMessage,
    NameFormMismatch,
    NodeNotFound,
    NotAllowed,
    PortUnreachable,
    SetupTimeout,
    TooMuchAtOnce,
    WrongPeer,
)
from pyerlcoin.beam.node import epmd_client
from pyerlcoin.beam.node.events import HandshakeRefused, NodeDisconnected, NodeUp
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog, RawPeer, settle, until
from tests.support.ports import free_port, fresh_cookie, fresh_name, fresh_node


class Echo(GenServer):
    def handle_call(self, request: Term, sender: Sender) -> Term:
        return request


async def test_connect_and_disconnect_are_told() -> None:
    async with Cluster() as cluster:
        a_events, b_events = EventLog(), EventLog()
        a, b = await cluster.start(on_event=a_events), await cluster.start(on_event=b_events)
        await a.connect(b.name)
        await a.connect(b.name)
        assert a.nodes() == [b.name]
        assert await a_events.wait(NodeUp) == NodeUp(b.name, b.identities.creation, dialled=True)
        assert await b_events.wait(NodeUp) == NodeUp(a.name, a.identities.creation, dialled=False)
        a.disconnect(b.name)
        assert (await a_events.wait(NodeDisconnected)).reason == "it was closed here"
        assert (await b_events.wait(NodeDisconnected)).reason == "the node closed it"
        assert (a.nodes(), b.nodes()) == ([], [])
        assert len(a_events.of(NodeUp)) == 1


async def test_both_dial_at_once() -> None:
    async with Cluster() as cluster:
        a_events, b_events = EventLog(), EventLog()
        a, b = await cluster.start(on_event=a_events), await cluster.start(on_event=b_events)
        for _ in range(20):
            await asyncio.gather(a.connect(b.name), b.connect(a.name), a.ping(b.name), b.ping(a.name))
            assert (a.nodes(), b.nodes()) == ([b.name], [a.name])
            downs = len(b_events.of(NodeDisconnected))
            a.disconnect(b.name)
            await b_events.wait(NodeDisconnected, downs + 1)
        assert len(a_events.of(NodeUp)) == len(b_events.of(NodeUp)) == 20
        assert (a.tables().dials, b.tables().dials, a.tables().handshakes, b.tables().handshakes) == (0, 0, 0, 0)


async def test_the_greater_name_keeps_its_own_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(f"m{fresh_name()}@127.0.0.1")
        gate = asyncio.Event()

        async def find_port(*_: object) -> int:
            await gate.wait()
            return 1

        monkeypatch.setattr(epmd_client, "find_port", find_port)
        lesser, greater = f"a{fresh_name()}@127.0.0.1", f"z{fresh_name()}@127.0.0.1"
        ours_goes_on = asyncio.create_task(node.connect(lesser))
        ours_gives_way = asyncio.create_task(node.connect(greater))
        await asyncio.sleep(0)
        with pytest.raises(AlreadyConnected):
            await cluster.raw(node, lesser)
        await cluster.raw(node, greater)
        await ours_gives_way
        assert node.nodes() == [greater]
        gate.set()
        with pytest.raises(PortUnreachable):
            await ours_goes_on


async def test_giving_way_to_a_peer_that_then_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(f"m{fresh_name()}@127.0.0.1")

        async def find_port(*_: object) -> int:
            await asyncio.Event().wait()
            raise AssertionError

        monkeypatch.setattr(epmd_client, "find_port", find_port)
        greater = f"z{fresh_name()}@127.0.0.1"
        ours = asyncio.create_task(node.connect(greater))
        await asyncio.sleep(0)
        with pytest.raises(CookieMismatch):
            await cluster.raw(node, greater, cookie="another")
        with pytest.raises(CookieMismatch):
            await ours
        assert node.tables().dials == 0


async def knock(cluster: Cluster, node: Node, name: str) -> tuple[RawPeer, Initiator]:
    """A peer that has said its name and got the status, and does not go on."""
    peer = await cluster.socket(node)
    machine = Initiator(
        ours=NodeName.parse(name),
        peer=node.node_name,
        cookie=Cookie(cluster.cookie),
        challenge=1,
        creation=7,
        flags=OFFERED,
    )
    peer.write(machine.data_to_send())
    machine.receive_data(await peer.reader.read(4096))
    return peer, machine


async def test_who_shakes_hands_with_us_already_is_not_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(setup_time=600 * UNIT)
        name = fresh_node("raw")
        peer, machine = await knock(cluster, node, name)

        async def find_port(*_: object) -> int:
            raise AssertionError("no attempt of ours")

        monkeypatch.setattr(epmd_client, "find_port", find_port)
        ours = asyncio.create_task(node.connect(name))
        await asyncio.sleep(0)
        assert node.tables().dials == 1
        while not machine.events():
            peer.write(machine.data_to_send())
            machine.receive_data(await peer.reader.read(4096))
        await ours
        assert node.nodes() == [name]


@pytest.mark.parametrize("how", ["hangs up", "says no more"])
async def test_who_begins_to_shake_hands_and_does_not_go_on_is_dialled(how: str) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(setup_time=(600 if how == "hangs up" else 2) * UNIT)
        there = await cluster.start()
        peer, _ = await knock(cluster, node, there.name)
        ours = asyncio.create_task(node.connect(there.name))
        await asyncio.sleep(0)
        if how == "hangs up":
            await peer.close()
        await ours
        assert node.nodes() == [there.name]
        assert there.nodes() == [node.name]


@pytest.mark.parametrize("letter", ["a", "z"])
async def test_who_begins_anew_while_we_wait_for_the_first_is_let_in(letter: str) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(f"m{fresh_name()}@127.0.0.1", setup_time=600 * UNIT)
        name = f"{letter}{fresh_name()}@127.0.0.1"
        await knock(cluster, node, name)
        ours = asyncio.create_task(node.connect(name))
        await asyncio.sleep(0)
        await cluster.raw(node, name)
        async with asyncio.timeout(20 * UNIT):
            await ours
        assert node.nodes() == [name]


async def test_only_the_dial_that_gave_way_fails_with_what_it_gave_way_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(f"m{fresh_name()}@127.0.0.1")
        greater = f"z{fresh_name()}@127.0.0.1"
        begun, gate = asyncio.Event(), asyncio.Event()

        async def find_port(*_: object) -> int:
            begun.set()
            await gate.wait()
            return 1

        monkeypatch.setattr(epmd_client, "find_port", find_port)
        first = asyncio.create_task(node.connect(greater))
        await begun.wait()
        peer, _ = await knock(cluster, node, greater)
        node._peers._dials[greater].fail(SetupTimeout(greater, 1.0))
        with pytest.raises(SetupTimeout):
            await first
        second = asyncio.create_task(node.connect(greater))
        await asyncio.sleep(0)
        await peer.close()
        gate.set()
        with pytest.raises(PortUnreachable):  # its own reason
            await second


async def test_a_dial_that_fails_after_its_caller_left_complains_to_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        gate = asyncio.Event()

        async def find_port(*_: object) -> int:
            await gate.wait()
            return 1

        monkeypatch.setattr(epmd_client, "find_port", find_port)
        with pytest.raises(CallTimeout):
            await node.call(("x", "nobody@127.0.0.1"), 1, timeout=0.01)
        gate.set()
        await until(lambda: node.tables().dials == 0)
        gc.collect()
    assert not caplog.records


async def test_a_peer_restarted_under_its_name_replaces_its_old_connection() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events)
        node.spawn(Echo(), "echo")
        name = fresh_node("raw")
        first = await cluster.raw(node, name)
        await cluster.raw(node, name)
        assert await first.closed() == b""
        assert node.nodes() == [name]
        downs = events.of(NodeDisconnected)
        assert [down.reason for down in downs] == ["the node connected anew"]
        assert [type(event) for event in events.events[-3:]] == [NodeUp, NodeDisconnected, NodeUp]
        await first.close()


async def test_a_failed_proof_leaves_the_old_connection_alone() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        name = fresh_node("raw")
        await cluster.raw(node, name)
        with pytest.raises(CookieMismatch):
            await cluster.raw(node, name, cookie="another")
        assert node.nodes() == [name]


async def test_a_node_restarted_under_its_name() -> None:
    async with Cluster() as cluster:
        a, b = await cluster.start(), await cluster.start()
        old = b.spawn(Echo(), "echo").pid
        assert await a.call(old, 1) == 1
        await b.stop()
        again = await cluster.start(b.name)
        again.spawn(Echo(), "echo")
        assert again.identities.creation != b.identities.creation
        assert await a.call(("echo", b.name), 2) == 2


async def test_a_wrong_cookie_both_ways() -> None:
    async with Cluster() as cluster:
        a_events, b_events = EventLog(), EventLog()
        a = await cluster.start(on_event=a_events)
        b = await cluster.start(on_event=b_events, cookie=fresh_cookie())
        for here, there, there_events in (a, b, b_events), (b, a, a_events):
            with pytest.raises(CookieMismatch):
                await here.connect(there.name)
            refused = await there_events.wait(HandshakeRefused)
            assert isinstance(refused.error, CookieMismatch)
            assert refused.address.startswith("127.0.0.1:")
            assert there.nodes() == []


async def test_why_no_connection_comes_about(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        with pytest.raises(NodeNotFound):
            await node.connect("nobody@127.0.0.1")
        with pytest.raises(InvalidNodeName):
            await node.connect("nobody")
        with pytest.raises(NameFormMismatch):
            await node.connect("nobody@localhost")
        with pytest.raises(HostUnknown):
            await node.connect("nobody@no.such.host.invalid")
        monkeypatch.setattr(node, "epmd_port", free_port())
        with pytest.raises(EpmdUnreachable, match="connection refused"):
            await node.connect("nobody@127.0.0.1")


async def test_a_registered_node_whose_port_is_shut() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        gone = NodeName.parse(fresh_node())
        registration = await epmd_client.register(
            gone, free_port(), hidden=True, epmd_port=cluster.epmd_port, on_lost=lambda: None
        )
        with pytest.raises(PortUnreachable):
            await node.connect(gone.full)
        await registration.close()


async def test_a_port_that_says_nothing_is_a_setup_timeout() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(setup_time=UNIT)
        mute = await node.loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        async with mute:
            gone = NodeName.parse(fresh_node())
            port = mute.sockets[0].getsockname()[1]
            registration = await epmd_client.register(
                gone, port, hidden=True, epmd_port=cluster.epmd_port, on_lost=lambda: None
            )
            with pytest.raises(SetupTimeout):
                await node.connect(gone.full)
            await registration.close()
            await node.stop()


@pytest.mark.parametrize("words", [b"", b"\0\3sok"])
async def test_a_port_that_hangs_up_is_said_to(words: bytes) -> None:
    class Curt(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(words)
            transport.write_eof()

    async with Cluster() as cluster:
        curt = await asyncio.get_running_loop().create_server(Curt, "127.0.0.1", 0)
        async with curt:
            node = await cluster.start(peer_port=curt.sockets[0].getsockname()[1])
            missing = "the challenge" if words else "the status"
            with pytest.raises(HungUp, match=f"^n@127.0.0.1 hung up while the handshake waited for {missing}: "):
                await node.connect("n@127.0.0.1")
            assert node.tables().dials == 0
            await node.stop()


async def test_the_wrong_node_answers() -> None:
    async with Cluster() as cluster:
        a, b = await cluster.start(), await cluster.start()
        # The same port mapper and node under another spelling of the host.
        with pytest.raises(WrongPeer):
            await a.connect(b.name.replace("127.0.0.1", "127.1"))


async def test_half_a_handshake_ends_at_the_deadline() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events, setup_time=0.05)
        for part in b"", b"\0", b"\0\x20N\0\0":
            peer = await cluster.socket(node)
            peer.write(part)
            assert await peer.closed() == b""
            await peer.close()
        await events.wait(HandshakeRefused, 3)
        assert all(isinstance(event.error, SetupTimeout) for event in events.of(HandshakeRefused))
        assert node.tables().handshakes == 0


async def test_nonsense_instead_of_a_handshake() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events)
        peer = await cluster.socket(node)
        peer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await peer.closed() == b""
        assert isinstance((await events.wait(HandshakeRefused)).error, LimitExceeded)
        await peer.close()
        peer = await cluster.socket(node)
        peer.write(b"\0\1X")
        assert await peer.closed() == b""
        assert isinstance((await events.wait(HandshakeRefused, 2)).error, MalformedMessage)


async def test_a_probe_that_says_nothing_is_not_worth_a_warning() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events)
        peer = await cluster.socket(node)
        await peer.close()
        other = await cluster.start()
        await other.ping(node.name)
        assert events.of(HandshakeRefused) == []
        assert node.tables().handshakes == 0


async def test_unfinished_handshakes_are_capped() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events, limits=NodeLimits(handshakes=2))
        idle = [await cluster.socket(node) for _ in range(3)]
        # The one that has been idle for longest goes, and nobody who comes is kept out.
        assert await idle[0].closed() == b""
        assert isinstance((await events.wait(HandshakeRefused)).error, LimitExceeded)
        assert node.tables().handshakes == 2
        other = await cluster.start()
        await other.ping(node.name)
        assert await idle[1].closed() == b""
        assert len(events.of(HandshakeRefused)) == 2
        assert node.tables().handshakes == 1
        await idle[2].shake_hands(node, cluster.cookie)
        assert node.tables().handshakes == 0
        for peer in idle:
            await peer.close()


async def test_a_node_with_our_own_name_is_not_allowed() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events)
        with pytest.raises(NotAllowed):
            await cluster.raw(node, node.name)
        assert isinstance((await events.wait(HandshakeRefused)).error, NotAllowed)


async def test_a_node_without_a_mandatory_flag_is_not_allowed() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        peer = await cluster.socket(node)
        machine = Initiator(
            ours=NodeName.parse(fresh_node()),
            peer=node.node_name,
            cookie=Cookie(cluster.cookie),
            challenge=1,
            creation=5,
            flags=OFFERED & ~DistributionFlags.DFLAG_MAP_TAG & ~DistributionFlags.DFLAG_MANDATORY_25_DIGEST,
        )
        peer.write(machine.data_to_send())
        assert await peer.closed() == b"\0\x0cs" + Status.NOT_ALLOWED.value.encode()


async def test_dials_are_capped() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(dials=1))
        results = await asyncio.gather(node.connect("a@127.0.0.1"), node.connect("b@127.0.0.1"), return_exceptions=True)
        assert [type(result) for result in results] == [NodeNotFound, TooMuchAtOnce]


async def test_stop_ends_dials_and_handshakes() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        mute = await node.loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        async with mute:
            gone = NodeName.parse(fresh_node())
            port = mute.sockets[0].getsockname()[1]
            other = await cluster.start()
            registration = await epmd_client.register(
                gone, port, hidden=True, epmd_port=cluster.epmd_port, on_lost=lambda: None
            )
            dial = asyncio.create_task(other.connect(gone.full))
            peer = await cluster.socket(other)
            await settle(node, other)
            await other.stop()
            assert await peer.closed() == b""
            with pytest.raises(Exception, match="the node is not running"):
                await dial
            await peer.close()
            await registration.close()
