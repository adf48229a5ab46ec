"""A BEAM that has no name of its own asks ours for one: `erl -name undefined@HOST` (DFLAG_NAME_ME)."""

from __future__ import annotations

import re

import pytest

from pyerlcoin.beam import Atom, GenServer, Node, Sender, Term
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.nodes import EventLog
from tests.support.ports import fresh_cookie, fresh_node

pytestmark = pytest.mark.beam


class Asked(GenServer):
    """Answers with the node of the caller, as its pid names it."""

    def handle_call(self, request: Term, sender: Sender) -> Term:
        return (Atom("ok"), sender.pid.node)


async def test_a_beam_without_a_name_gets_one_from_us(beam_release: Release, epmd: RealEpmd) -> None:
    cookie, events = fresh_cookie(), EventLog()
    nameless = Beam(beam_release, epmd_port=epmd.port, cookie=cookie, name="undefined@127.0.0.1")
    with nameless as beam:
        async with Node(fresh_node("py"), cookie, epmd_port=epmd.port, on_event=events) as node:
            node.spawn(Asked(), "asked")
            assert await beam.eval("node()") == ":nonode@nohost"
            assert await beam.eval(f':net_kernel.connect_node(:"{node.name}")') == "true"
            name = (await beam.eval("Atom.to_string(node())")).strip('"')
            assert re.fullmatch(r"[0-9A-F]{16}@127\.0\.0\.1", name)
            assert node.nodes() == [name]
            assert await beam.eval(f'GenServer.call({{:asked, :"{node.name}"}}, 1)') == f'{{:ok, "{name}"}}'
            # And the other way, under the name that it has from us.
            assert await node.ping(name) > 0
