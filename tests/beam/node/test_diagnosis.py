"""The steps in their order. What each fault is called is in the table of tests/cli/test_doctor.py."""

from __future__ import annotations

import pytest

from pyerlcoin.beam import Node
from pyerlcoin.beam.errors import CookieMismatch, NodeNotFound
from pyerlcoin.beam.node.diagnosis import Finding, Step, diagnose
from tests.support.nodes import Cluster
from tests.support.ports import free_port, fresh_cookie

PLAIN = [step for step in Step if step is not Step.TLS]


async def findings(node: Node, peer: str) -> list[Finding]:
    return [finding async for finding in diagnose(node, peer)]


@pytest.mark.parametrize("without_epmd", [False, True])
async def test_every_step_succeeds_and_leaves_a_connection(without_epmd: bool) -> None:
    async with Cluster() as cluster:
        port = free_port() if without_epmd else None
        peer = await cluster.start(peer_port=port, port=port or 0)
        node = cluster.make(peer_port=port)
        found = await findings(node, peer.name)
        assert [finding.step for finding in found] == PLAIN
        assert all(finding.error is None and finding.words for finding in found)
        assert node.nodes() == [peer.name]


async def test_it_ends_with_the_step_that_failed() -> None:
    async with Cluster() as cluster:
        peer = await cluster.start()
        found = await findings(cluster.make(cookie=fresh_cookie()), peer.name)
        assert [finding.step for finding in found] == PLAIN[: PLAIN.index(Step.COOKIE) + 1]
        assert isinstance(found[-1].error, CookieMismatch)
        assert found[-1].words == str(found[-1].error)
        found = await findings(cluster.make(), "nobody@127.0.0.1")
        assert found[-1].step is Step.EPMD
        assert isinstance(found[-1].error, NodeNotFound)
