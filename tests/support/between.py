"""A BEAM and a node of ours that only ever meet through proxies, whoever dials."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Self

from pyerlcoin.beam import Node, NodeName
from pyerlcoin.beam.node.epmd_client import find_port, register
from pyerlcoin.beam.node.epmd_server import EpmdServer
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.nodes import EventLog
from tests.support.ports import fresh_cookie, fresh_node
from tests.support.proxy import Proxy

__all__ = ["Between"]


class Between:
    """Entering the block starts both and the proxies; they are not connected yet.

    Each end asks a port mapper of its own, which gives it the proxy's port in place of the other end's: `to_beam`
    carries what our node dials, `to_us` what the BEAM dials.

    Args:
        release: of the BEAM.
        name: of our node.
        flags: further arguments of erl.
        options: further arguments of `Node`.
    """

    def __init__(self, release: Release, *, name: str | None = None, flags: Sequence[str] = (), **options: Any) -> None:
        self.to_beam = Proxy()
        self.to_us = Proxy()
        self.log = EventLog()
        self.epmd = RealEpmd()
        self._release = release
        self._name = name or fresh_node("py")
        self._flags = flags
        self._options = options
        self._stack = contextlib.AsyncExitStack()
        self.beam: Beam
        self.node: Node
        self.mapper = EpmdServer(0)
        """Where our node is registered, and looks for the BEAM."""

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            cookie = fresh_cookie()
            await stack.enter_async_context(self.epmd)
            self.beam = await stack.enter_async_context(
                Beam(self._release, epmd_port=self.epmd.port, cookie=cookie, flags=self._flags)
            )
            await self.mapper.start(())
            stack.push_async_callback(self.mapper.stop)
            await stack.enter_async_context(self.to_beam)
            await stack.enter_async_context(self.to_us)
            beam = NodeName.parse(self.beam.node)
            self.to_beam.to = await find_port(beam, "127.0.0.1", self.epmd.port)
            await self._register(stack, beam, self.to_beam.port, self.mapper.port)
            self.node = Node(self._name, cookie, epmd_port=self.mapper.port, **{"on_event": self.log, **self._options})
            await stack.enter_async_context(self.node)
            self.to_us.to = self.node.port
            await self._register(stack, self.node.node_name, self.to_us.port, self.epmd.port)
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
