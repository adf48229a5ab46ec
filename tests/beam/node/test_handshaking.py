from __future__ import annotations

from pyerlcoin.beam.dist import MonitorP, MonitorPExit
from pyerlcoin.beam.etf.terms import Atom, Pid, Reference
from pyerlcoin.beam.node.events import NodeUp
from tests.support.nodes import Cluster, EventLog


async def test_peers_that_ask_for_a_name_get_one_each() -> None:
    events = EventLog()
    async with Cluster() as cluster:
        node = await cluster.start(on_event=events)
        peers = [await cluster.socket(node) for _ in range(2)]
        for peer in peers:
            await peer.shake_hands(node, cluster.cookie, asks=True)
        given = [peer.given for peer in peers if peer.given]
        assert len({name.name for name in given}) == 2
        assert all(name.name.host == "127.0.0.1" and 3 < name.creation < 2**32 for name in given)
        await events.wait(NodeUp, 2)
        assert [(up.node, up.creation) for up in events.of(NodeUp)] == [(n.name.full, n.creation) for n in given]
        assert node.nodes() == sorted(name.name.full for name in given)
        # The connection is that of the name: a watcher of that name is answered.
        pid = Pid.make(peers[0].name, 1, 0, given[0].creation)
        ref = Reference.make(peers[0].name, given[0].creation, (1,))
        peers[0].send(MonitorP(pid, Atom("nobody"), ref))
        assert await peers[0].receive() == MonitorPExit(Atom("nobody"), pid, ref, Atom("noproc"))
