from __future__ import annotations

import asyncio

from pyerlcoin.beam import Atom, GenServer, Pid, Term
from tests.support.nodes import Cluster, settle

NOTSUP = Atom("notsup")


class Hears(GenServer):
    def __init__(self) -> None:
        self.infos: asyncio.Queue[Term] = asyncio.Queue()

    def handle_info(self, message: Term) -> None:
        self.infos.put_nowait(message)


async def test_rpc_is_refused_at_once() -> None:
    async with Cluster() as cluster:
        node, other = await cluster.start(), await cluster.start()
        refused = (Atom("badrpc"), NOTSUP)
        await other.send(("global_name_server", node.name), 1)
        assert await other.call(("rex", node.name), (Atom("block_call"), Atom("os"), Atom("cmd"), [])) == refused
        assert await other.call(("net_kernel", node.name), Atom("what")) == (Atom("error"), NOTSUP)


async def test_rpc_by_plain_messages_is_answered_as_well() -> None:
    """That of C nodes (`ei_rpc`, `erl_call`), `rpc:sbcast/2`, and the question of old whether there is more."""
    async with Cluster() as cluster:
        node, other = await cluster.start(), await cluster.start()
        here = node.spawn(heard := Hears(), "echo")
        answers = Hears()
        asks = other.spawn(answers)
        me, rex, name = asks.pid, ("rex", node.name), Atom(node.name)
        for asked, answer in (
            ((me, (Atom("call"), Atom("os"), Atom("cmd"), [], Atom("user"))), (Atom("rex"), (Atom("badrpc"), NOTSUP))),
            ((me, (Atom("sbcast"), Atom("echo"), 7)), (Atom("rex"), name, name)),
            (
                (me, (Atom("sbcast"), Atom("nobody"), 7)),
                (Atom("rex"), name, (Atom("nonexisting_name"), Atom("nobody"))),
            ),
            ((me, Atom("features_request")), (Atom("features_reply"), name, [])),
        ):
            await asks.send(rex, asked)
            assert await answers.infos.get() == answer
        assert await heard.infos.get() == 7
        # Nobody is dialled for who says that it is of another node.
        await asks.send(rex, (Pid.make("nobody@127.0.0.1", 1, 0, 1), Atom("features_request")))
        await settle(node, other)
        assert (node.tables().dials, here.alive) == (0, True)
