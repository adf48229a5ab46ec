"""Questions to a port mapper, and the registration that lasts as long as its socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pyerlcoin.beam.dist import (
    HIDDEN_NODE,
    NORMAL_NODE,
    Alive2Request,
    Alive2Response,
    EpmdQuery,
    EpmdReply,
    EpmdRequest,
    NamesRequest,
    NamesResponse,
    NodeName,
    Port2Response,
    PortPlease2Request,
    write_extra,
)
from pyerlcoin.beam.errors import EpmdUnreachable, NameInUse, NodeNotFound, RemoteFault
from pyerlcoin.beam.node.carrier import connect_tcp, stream, why

__all__ = ["EPMD_TIMEOUT", "Registration", "find_port", "names", "register"]

EPMD_TIMEOUT = 5.0
"""Seconds that one question may take. A port mapper answers at once or is not one."""


class _Conversation(asyncio.Protocol):
    """One question, its answer, and word when the socket closes after it."""

    def __init__(self, request: EpmdRequest) -> None:
        self._query = EpmdQuery(request)
        self.reply: asyncio.Future[EpmdReply] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = stream(transport)
        self.transport.write(self._query.data_to_send())

    def data_received(self, data: bytes) -> None:
        self._feed(lambda: self._query.receive_data(data))

    def eof_received(self) -> bool:
        self._feed(self._query.receive_eof)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if not self.reply.done():
            self._feed(self._query.receive_eof)
        if not self.reply.done():
            self.reply.set_exception(error or ConnectionResetError("epmd closed the connection"))
        self.reply.cancelled() or self.reply.exception()
        if not self.gone.done():
            self.gone.set_result(None)
        if self.lost is not None:
            self.lost()

    def _feed(self, step: Callable[[], None]) -> None:
        try:
            step()
        except RemoteFault as fault:
            if not self.reply.done():
                self.reply.set_exception(fault)
            return
        for reply in self._query.events():
            if not self.reply.done():
                self.reply.set_result(reply)


async def _ask(request: EpmdRequest, host: str, address: str, port: int) -> tuple[EpmdReply, _Conversation]:
    """Raises EpmdUnreachable, and has closed the socket then. `host` is for its sentence."""
    conversation = _Conversation(request)
    try:
        async with asyncio.timeout(EPMD_TIMEOUT):
            await connect_tcp(lambda: conversation, address, port)
            return await conversation.reply, conversation
    except (OSError, TimeoutError) as error:
        _close(conversation)
        raise EpmdUnreachable(host, port, why(error)) from error
    except RemoteFault as fault:
        _close(conversation)
        raise EpmdUnreachable(host, port, f"what listens there is no epmd: {fault}") from fault
    except BaseException:
        _close(conversation)
        raise


def _close(conversation: _Conversation) -> None:
    if conversation.transport is not None:
        conversation.transport.close()


async def find_port(node: NodeName, address: str, epmd_port: int) -> int:
    """The distribution port of a node, asked of the port mapper at `address`, its host's.

    Raises:
        EpmdUnreachable: nobody answers there.
        NodeNotFound: it knows no such node.
    """
    reply, conversation = await _ask(PortPlease2Request(node.alive), node.host, address, epmd_port)
    _close(conversation)
    assert isinstance(reply, Port2Response)
    if reply.port is None:
        raise NodeNotFound(node.full)
    return reply.port


async def names(host: str, address: str, epmd_port: int) -> dict[str, int]:
    """Every node that the port mapper at `address` knows: alive part to port. Raises EpmdUnreachable."""
    reply, conversation = await _ask(NamesRequest(), host, address, epmd_port)
    _close(conversation)
    assert isinstance(reply, NamesResponse)
    return reply.nodes


class Registration:
    """A name at the port mapper, until `close`, or until the port mapper goes away: `on_lost` is called then."""

    def __init__(self, creation: int, conversation: _Conversation, on_lost: Callable[[], None]) -> None:
        self.creation = creation
        self._conversation = conversation
        self._on_lost: Callable[[], None] | None = on_lost
        conversation.lost = self._lost
        if conversation.gone.done():
            asyncio.get_running_loop().call_soon(self._lost)

    def _lost(self) -> None:
        tell, self._on_lost = self._on_lost, None
        if tell is not None:
            tell()

    async def close(self) -> None:
        """Give the name back."""
        self._on_lost = None
        _close(self._conversation)
        # Not awaited itself: who is cancelled while waiting must not cancel it for the next.
        await asyncio.wait({self._conversation.gone})


async def register(
    node: NodeName,
    port: int,
    *,
    hidden: bool,
    epmd_port: int,
    on_lost: Callable[[], None],
    addresses: Sequence[str] = (),
) -> Registration:
    """Register a node that listens on `port` at the port mapper of this machine.

    A port mapper of ours listens on `addresses` as well, the node's own; on all of the machine if they are not said.

    Raises:
        EpmdUnreachable: nobody answers on loopback.
        NameInUse: a living node has the name.
    """
    request = Alive2Request(node.alive, port, HIDDEN_NODE if hidden else NORMAL_NODE, extra=write_extra(addresses))
    reply, conversation = await _ask(request, "127.0.0.1", "127.0.0.1", epmd_port)
    assert isinstance(reply, Alive2Response)
    if reply.result != 0:
        _close(conversation)
        raise NameInUse(node.full)
    return Registration(reply.creation, conversation, on_lost)
