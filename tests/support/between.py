"""A BEAM and a node of ours that only ever meet through proxies, whoever dials."""

from __future__ import annotations

import contextlib
from typing import Any, Self

from pyerlcoin.beam import Node, NodeName
from pyerlcoin.beam.node.epmd_client import find_port, register
from pyerlcoin.beam.node.epmd_server import EpmdServer
from tests.support.beam import Beam
from tests.support.nodes import EventLog
from tests.support.ports import fresh_node
from tests.support.proxy import Proxy

__all__ = ["Between"]


class Between:
    """Entering the block starts a node of ours, and a proxy each way; the two are not connected yet.

    Each end asks a port mapper of its own, which gives it the proxy's port in place of the other end's: `to_beam`
    carries what our node dials, `to_us` what the BEAM dials.

    Args:
        beam: the BEAM, which runs already.
        name: of our node.
        options: further arguments of `Node`.
    """

    def __init__(self, beam: Beam, *, name: str | None = None, **options: Any) -> None:
        self.beam = beam
        self.node: Node
        self.to_beam = Proxy()
        self.to_us = Proxy()
        self.log = EventLog()
        self.mapper = EpmdServer(0)
        """Where our node is registered, and looks for the BEAM."""
        self._name = name or fresh_node("py")
        self._options = options
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await self.mapper.start(())
            stack.push_async_callback(self.mapper.stop)
            await stack.enter_async_context(self.to_beam)
            await stack.enter_async_context(self.to_us)
            beam = NodeName.parse(self.beam.node)
            self.to_beam.to = await find_port(beam, "127.0.0.1", self.beam.epmd_port)
            await self._register(stack, beam, self.to_beam.port, self.mapper.port)
            options = {"on_event": self.log, **self._options}
            self.node = Node(self._name, self.beam.cookie, epmd_port=self.mapper.port, **options)
            await stack.enter_async_context(self.node)
            self.to_us.to = self.node.port
            await self._register(stack, self.node.node_name, self.to_us.port, self.beam.epmd_port)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _register(self, stack: contextlib.AsyncExitStack, node: NodeName, port: int, epmd_port: int) -> None:
        entry = await register(node, port, hidden=True, epmd_port=epmd_port, on_lost=lambda: None)
        stack.push_async_callback(entry.close)

    @property
    def proxies(self) -> tuple[Proxy, Proxy]:
        """Both."""
        return self.to_beam, self.to_us

    def set(self, **settings: Any) -> None:
        """The same settings for both proxies."""
        for proxy in self.proxies:
            for key, value in settings.items():
                assert hasattr(proxy, key)
                setattr(proxy, key, value)

    def cut(self) -> int:
        """Cut what there is; how many connections that was."""
        return sum(proxy.cut_all() for proxy in self.proxies)
