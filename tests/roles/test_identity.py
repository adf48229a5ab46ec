from __future__ import annotations

import pytest

from pyerlcoin.beam.etf import ERROR, OK, Atom
from pyerlcoin.errors import RefusedByPeer
from pyerlcoin.roles.cluster import Address
from pyerlcoin.roles.identity import IDENTITY_NAME, Identity, is_ours, require_ours
from tests.support.memory_cluster import MemoryCluster, MemoryNetwork


async def test_a_node_of_ours_is_known_by_it() -> None:
    network = MemoryNetwork()
    await MemoryCluster(network, "s@h").host(IDENTITY_NAME, Identity())
    caller = await MemoryCluster(network, "a@h").caller()
    await require_ours(caller, "s@h", "progress")
    assert await is_ours(caller, "s@h")


async def test_another_one_is_left_in_peace() -> None:
    caller = await MemoryCluster(MemoryNetwork(), "a@h").caller()
    with pytest.raises(RefusedByPeer, match="the server on s@h is not pyerlcoin's, and progress could crash it"):
        await require_ours(caller, "s@h", "progress")
    assert not await is_ours(caller, "s@h")


async def test_it_answers_that_and_shrugs_at_the_rest() -> None:
    network = MemoryNetwork()
    host = await MemoryCluster(network, "s@h").host(IDENTITY_NAME, Identity())
    caller, to = await MemoryCluster(network, "a@h").caller(), Address(IDENTITY_NAME, "s@h")
    assert await caller.call(to, Atom("who")) == (OK, b"pyerlcoin")
    reply = await caller.call(to, (Atom("coin"), 1))
    assert isinstance(reply, tuple)
    assert reply[0] == ERROR
    host.service.handle_cast(1)
    host.service.handle_info(1)
    host.service.handle_down(caller.pid, 1)
    assert host.service.state() == Atom("nil")
