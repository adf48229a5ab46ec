"""Our port mapper of a node on loopback, and others that are looked for elsewhere. 127.0.0.2 is the room's address."""

from __future__ import annotations

import asyncio

import pytest

from pyerlcoin.beam import Node
from pyerlcoin.beam.node.epmd_client import names
from pyerlcoin.beam.node.events import EpmdRegistered
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.nodes import EventLog
from tests.support.ports import LOOPBACK, free_port, fresh_cookie, fresh_node

pytestmark = pytest.mark.beam

IN_THE_ROOM = ("-kernel inet_dist_use_interface {127,0,0,2}",)
OVER_IPV6 = ("-proto_dist inet6_tcp -kernel inet_dist_use_interface {0,0,0,0,0,0,0,1}",)


async def test_a_beam_that_registers_on_loopback_is_found_in_the_room(beam_release: Release) -> None:
    port, cookie = free_port(), fresh_cookie()
    async with (
        Node(fresh_node("py"), cookie, epmd_port=port) as node,
        Beam(
            beam_release,
            epmd_port=port,
            cookie=cookie,
            name=fresh_node("room", "127.0.0.2"),
            flags=IN_THE_ROOM,
        ) as room,
        Beam(beam_release, epmd_port=port, cookie=cookie) as worker,
    ):
        assert node.serves_epmd
        assert await worker.eval(f'Node.connect(:"{room.node}")') == "true"
        await node.ping(room.node)
        assert await room.eval(f'Node.ping(:"{node.name}")') == ":pong"


async def test_a_server_of_ours_in_the_room_is_found_by_a_beam(beam_release: Release) -> None:
    port, cookie = free_port(), fresh_cookie()
    async with (
        Node(fresh_node("try"), cookie, epmd_port=port) as first,
        Node(fresh_node("server", "127.0.0.2"), cookie, epmd_port=port) as server,
    ):
        assert first.serves_epmd
        # Not of the worker's making: it is the server that said where it is.
        assert set(await names("127.0.0.2", "127.0.0.2", port)) == {
            first.node_name.alive,
            server.node_name.alive,
        }
        async with Beam(beam_release, epmd_port=port, cookie=cookie) as worker:
            assert await worker.eval(f'Node.connect(:"{server.name}")') == "true"


async def test_after_a_takeover_the_server_is_found_when_it_is_back(beam_release: Release) -> None:
    port, cookie, log = free_port(), fresh_cookie(), EventLog()
    name = fresh_node("server", "127.0.0.2")
    async with (
        Node(name, cookie, epmd_port=port) as server,
        Node(fresh_node("demo"), cookie, epmd_port=port, on_event=log) as demo,
    ):
        assert server.serves_epmd
        await server.stop()
        await log.wait(EpmdRegistered, 2)
        assert demo.serves_epmd
        async with Node(name, cookie, epmd_port=port):
            assert set(await names("127.0.0.2", "127.0.0.2", port)) >= {name.partition("@")[0]}
            async with Beam(beam_release, epmd_port=port, cookie=cookie) as worker:
                assert await worker.eval(f'Node.connect(:"{name}")') == "true"


@pytest.mark.skipif(len(LOOPBACK) < 2, reason="no IPv6")  # reason: a machine without IPv6
async def test_a_beam_registers_over_ipv6(beam_release: Release) -> None:
    port, cookie = free_port(), fresh_cookie()
    async with Node(fresh_node("py"), cookie, epmd_port=port) as node:
        assert node.serves_epmd
        async with (
            Beam(beam_release, epmd_port=port, cookie=cookie, name=fresh_node("six", "::1"), flags=OVER_IPV6) as one,
            Beam(beam_release, epmd_port=port, cookie=cookie, name=fresh_node("six", "::1"), flags=OVER_IPV6) as two,
        ):
            assert await one.eval(f'Node.connect(:"{two.node}")') == "true"
            await node.ping(one.node)


async def test_otps_epmd_and_a_beam_take_what_a_node_says_of_itself(beam_release: Release, epmd: RealEpmd) -> None:
    """It keeps those bytes and hands them to whoever asks for the node; nobody minds."""
    cookie = fresh_cookie()
    async with (
        Node(fresh_node("py"), cookie, epmd_port=epmd.port) as node,
        Beam(beam_release, epmd_port=epmd.port, cookie=cookie) as beam,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", epmd.port)
        asked = b"z" + node.node_name.alive.encode()
        writer.write(len(asked).to_bytes(2) + asked)
        assert (await reader.read()).endswith(b"pyerlcoin listens on 127.0.0.1")
        writer.close()
        await writer.wait_closed()
        assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
