"""What BEAMs do that no page of the documentation says, or that one says otherwise; docs/protocol.md tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from pyerlcoin.beam import dist
from pyerlcoin.beam.dist import (
    OFFERED,
    Control,
    DistributionFlags,
    MonitorP,
    MonitorPExit,
    NodeName,
    PortPlease2Request,
)
from pyerlcoin.beam.dist.epmd import EpmdQuery, Port2Response
from pyerlcoin.beam.errors import MalformedMessage
from pyerlcoin.beam.etf import Atom, Pid, Record, Reference, binary_to_term
from tests.beam.etf.golden import FUN, RECORD
from tests.support.beam import Beam
from tests.support.clock import UNIT
from tests.support.nodes import RawPeer
from tests.support.ports import fresh_name

pytestmark = pytest.mark.beam

Connect = Callable[..., Awaitable[RawPeer]]


async def find(beam: Beam) -> Port2Response:
    """What epmd says about the node."""
    query = EpmdQuery(PortPlease2Request(beam.node.partition("@")[0]))
    reader, writer = await asyncio.open_connection("127.0.0.1", beam.epmd_port)
    writer.write(query.data_to_send())
    async with asyncio.timeout(20 * UNIT):
        query.receive_data(await reader.read())
    writer.close()
    (reply,) = query.events()
    assert isinstance(reply, Port2Response)
    return reply


@pytest.fixture
async def connect(beam: Beam) -> AsyncIterator[Connect]:
    """Connections to the BEAM that can break every rule."""
    peers: list[RawPeer] = []

    async def connect(flags: DistributionFlags = OFFERED) -> RawPeer:
        port = (await find(beam)).port
        peer = RawPeer(*await asyncio.open_connection("127.0.0.1", port))
        peers.append(peer)
        await peer.shake_hands(NodeName.parse(beam.node), beam.cookie, flags=flags)
        return peer

    yield connect
    for peer in peers:
        await peer.close()


async def takes(peer: RawPeer, message: Control) -> bool:
    """Whether the BEAM takes the message: it closes the connection otherwise."""
    nobody, me, ref = Atom("nobody"), Pid.make(peer.name, 1, 0, 1), Reference.make(peer.name, 1, (1, 2, 3))
    peer.send(message, MonitorP(me, nobody, ref))
    async with asyncio.timeout(20 * UNIT):
        while data := await peer.reader.read(65536):
            peer.link.receive_data(data)
            if MonitorPExit(nobody, me, ref, Atom("noproc")) in peer.link.events():
                return True
    return False


async def test_how_it_is_registered(beam: Beam) -> None:
    reply = await find(beam)
    # Still 5 as the lowest version, although version 6 is the only one that they speak.
    assert (reply.node_type, reply.highest, reply.lowest) == (77, 6, 5)


async def test_in_whose_name_a_peer_may_speak(beam: Beam, connect: Connect) -> None:
    name = fresh_name("target").replace("-", "_")
    external = await beam.eval(
        f"me = self(); pid = spawn(fn -> Process.register(self(), :{name}); send(me, :up); "
        "Process.sleep(:infinity) end); receive do :up -> Base.encode16(:erlang.term_to_binary(pid)) end"
    )
    target = binary_to_term(bytes.fromhex(external.strip('"')))
    assert isinstance(target, Pid)
    third, t = Pid.make("third@127.0.0.1", 1, 0, 1), Atom("t")
    ref = Reference.make("third@127.0.0.1", 1, (1, 2, 3))
    for message in (
        dist.Link(third, target),
        dist.Exit(third, target, t),
        dist.Exit2(third, target, t),
        dist.MonitorP(third, Atom(name), ref),
        dist.DemonitorP(third, Atom(name), ref),
        dist.UnlinkId(1, third, target),
        dist.UnlinkIdAck(1, third, target),
    ):
        peer = await connect()
        assert not await takes(peer, message), message
        # Nor does our link.
        ours = dist.DistributionLink(NodeName.parse(beam.node), peer.link.ours, OFFERED)
        with pytest.raises(MalformedMessage, match=r"third@127\.0\.0\.1"):
            ours.receive_data(len(message.encode()).to_bytes(4) + message.encode())
    peer = await connect()
    for taken in (
        dist.RegSend(third, Atom("nobody"), 1),
        dist.SendSender(third, target, 1),
        dist.GroupLeader(third, target),
        dist.MonitorPExit(third, target, ref, t),
    ):
        assert await takes(peer, taken), taken
    assert await beam.eval(f"Process.whereis(:{name}) |> is_pid()") == "true"


async def test_the_old_unlink_is_refused(beam: Beam, connect: Connect) -> None:
    peer = await connect()
    pid = Pid.make(peer.name, 1, 0, 1)
    frame = b"p\x83h\3a\4" + pid.wire + Pid.make(beam.node, 1, 0, 1).wire
    peer.write(len(frame).to_bytes(4) + frame)
    assert await peer.closed() == b""


async def test_altact_sig_send_is_for_those_who_know_it(beam: Beam, connect: Connect) -> None:
    peer = await connect()
    message = dist.AltactSigSend(8, Pid.make(peer.name, 1, 0, 1), Atom("nobody"), None, 1)
    assert await takes(peer, message) == (beam.otp >= 28)
    assert bool(peer.link.flags & DistributionFlags.DFLAG_ALTACT_SIG) == (beam.otp >= 28)


async def test_native_records_are_for_those_who_know_them(beam: Beam, connect: Connect) -> None:
    # It is found to be none when somebody reads it, so there is a reader.
    name = fresh_name("reader").replace("-", "_")
    await beam.eval(
        f"me = self(); spawn(fn -> Process.register(self(), :{name}); send(me, :up); "
        "receive do record when not is_tuple(record) -> receive do {:show, to} -> send(to, record) end end end); "
        "receive do :up -> :ok end"
    )
    peer = await connect()
    assert bool(peer.link.flags & DistributionFlags.DFLAG_NATIVE_RECORDS) == (beam.otp >= 29)
    peer.send(dist.RegSend(Pid.make(peer.name, 1, 0, 1), Atom(name), Record(bytes.fromhex(RECORD))))
    if beam.otp < 29:
        await peer.closed()
    else:
        shown = await beam.eval(f"send(:{name}, {{:show, self()}}); receive do record -> record end")
        assert shown == '#c:coin{name = <<"Alice">>,n = 255}'


async def test_native_records_are_sent_to_everybody(beam: Beam, connect: Connect) -> None:
    if beam.otp < 29:
        pytest.skip(f"OTP {beam.otp} has no native records")
    coin = ':records.create(:c, :coin, [name: "Alice", n: 255], %{is_exported: true})'
    for flags in (OFFERED, OFFERED & ~DistributionFlags.DFLAG_NATIVE_RECORDS):
        peer = await connect(flags)
        await beam.eval(f'send({{:nobody, :"{peer.name}"}}, {coin})')
        message = await peer.receive_any()
        assert isinstance(message, dist.RegSend)
        assert message.message == Record(bytes.fromhex(RECORD))


async def test_how_it_writes_a_narrow_port(beam: Beam) -> None:
    # Of 28 bits at most, with minor version 2: what it sends to a node that has V4_NC.
    port = await beam.external(
        ':erlang.binary_to_term(<<131, 120, 119, 3, "a@b", 1::64, 3::32>>)', "[minor_version: 2]"
    )
    assert port[1] == (89 if beam.otp == 25 else 120)


async def test_an_empty_bitstring(beam: Beam) -> None:
    taken = await beam.eval(
        """
        for bits <- 0..8, reduce: [] do
          taken ->
            try do
              "" = :erlang.binary_to_term(<<131, 77, 0::32, bits>>)
              taken ++ [bits]
            rescue
              ArgumentError -> taken
            end
        end
        """
    )
    assert taken == ("[0]" if beam.otp == 25 else "[]")


async def test_the_pid_in_a_fun(beam: Beam) -> None:
    came = binary_to_term(bytes.fromhex("83" + FUN))
    went = await beam.external(f':erlang.binary_to_term(Base.decode16!("83{FUN.upper()}"))', "[minor_version: 2]")
    assert (binary_to_term(went) == came) == (beam.otp == 25)
    # Its module, arity and free variable are the same on all.
    assert went.endswith(b"a\xff")
