from __future__ import annotations

import asyncio

from pyerlcoin.beam import NO_REPLY, Atom, GenServer, Sender, Term, dist
from tests.support.nodes import Cluster
from tests.support.whole_calls import pid_of, ref_of


class Talks(GenServer):
    """Replies more often than it is asked."""

    def handle_call(self, request: Term, sender: Sender) -> object:
        sender.reply(request)
        sender.reply((Atom("again"), request))
        asyncio.get_running_loop().call_soon(sender.reply, Atom("later"))
        return NO_REPLY if request == 1 else Atom("returned")


async def test_only_the_first_reply_is_sent() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        server = node.spawn(Talks(), "talks")
        peer = await cluster.raw(node)
        me, ref = pid_of(peer), ref_of(peer)
        for request in (1, 2):
            peer.send(dist.RegSend(me, Atom("talks"), (Atom("$gen_call"), (me, ref), request)))
            assert await peer.receive() == dist.Send(me, (ref, request))
        await asyncio.sleep(0)
        peer.send(dist.MonitorP(me, Atom("nobody"), ref))
        assert isinstance(await peer.receive(), dist.MonitorPExit)
        assert server.alive
