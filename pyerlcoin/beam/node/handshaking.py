"""A socket in its handshake: the driver of both ends' machines, with the deadline."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable
from typing import Final

from pyerlcoin.beam.dist import (
    Acceptor,
    AliveReceived,
    Established,
    Initiator,
    NameGiven,
    NameReceived,
    NameRequested,
    NodeName,
    Status,
)
from pyerlcoin.beam.errors import AlreadyConnected, BeamError, NotAllowed, SetupTimeout, TlsRefused
from pyerlcoin.beam.node.carrier import Securing, stream
from pyerlcoin.beam.node.tls_words import NOT_FOR_ITS_HOST, tls_refused

__all__ = ["Handshaking", "Refusal"]

Opened = Callable[["Handshaking", asyncio.Transport, Established], None]
Failed = Callable[["Handshaking", BeamError], None]
NameCheck = Callable[["Handshaking", NodeName], Status]
HostCheck = Callable[[asyncio.Transport, str], bool]


class Handshaking(Securing):
    """One attempt, from the first byte to `opened` or `failed`: exactly one of the two is called, once.

    Args:
        machine: either end's.
        deadline: seconds for all of it; it is not armed anew at each step, as a slow peer could make use of that.
        opened: called with the transport before the last bytes of ours are written, so that an acceptor can close
            an older connection to the peer before its ack says that this one is it.
        name_check: for an acceptor, the status that the peer's name gets.
        host_check: for an acceptor, `Carrier.vouches`.

    Attributes:
        ended: done after that call.
    """

    def __init__(
        self,
        machine: Acceptor | Initiator,
        loop: asyncio.AbstractEventLoop,
        deadline: float,
        opened: Opened,
        failed: Failed,
        name_check: NameCheck | None = None,
        host_check: HostCheck | None = None,
    ) -> None:
        self.machine: Final = machine
        self.peer: NodeName | None = None
        self.address = "?"
        self.ended: asyncio.Future[None] = loop.create_future()
        self.heard = False
        self.secured = False
        self._transport: asyncio.Transport | None = None
        self._deadline = deadline
        self._clock = loop.call_later(deadline, self._expire)
        self._opened = opened
        self._failed = failed
        self._name_check = name_check
        self._host_check = host_check
        self._over = False

    @property
    def reached(self) -> bool:
        """Whether there is a socket, be it without TLS yet."""
        return self._transport is not None

    def timeout(self, peer: str, seconds: float) -> SetupTimeout:
        """What it means that the time ran out: with TLS, there are two handshakes."""
        if self.reached and not self.secured:
            return SetupTimeout(peer, seconds, "TLS handshake")
        return SetupTimeout(peer, seconds)

    def securing(self, transport: asyncio.Transport) -> None:
        """As `Securing.securing`."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = f"{peer[0]}:{peer[1]}" if peer else "?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there; a dialler speaks first."""
        self.securing(stream(transport))
        self.secured = True
        if self._over:
            stream(transport).abort()
            return
        self._write()

    def data_received(self, data: bytes) -> None:
        """Feed the machine, in the order that its documentation asks for."""
        if self._over:
            return
        self.heard = True
        try:
            self.machine.receive_data(data)
            established = self._handle_events()
        except BeamError as error:
            self._write()
            self.fail(error)
            return
        if established is not None:
            self._finish(established)
        else:
            self._write()

    def eof_received(self) -> bool:
        """The peer closed: what that means depends on how far it was."""
        if not self._over:
            try:
                self.machine.receive_eof()
            except BeamError as error:
                self.fail(error)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The socket broke, or was closed by `fail`; or there was no TLS on it."""
        if isinstance(error, ssl.SSLError):
            self.fail(tls_refused(self._who(), error))
        self.eof_received()

    def fail(self, error: BeamError) -> None:
        """End this attempt. What is written already still goes out, a `not_allowed` say."""
        if self._over:
            return
        self._over = True
        self._clock.cancel()
        if self._transport is not None:
            self._transport.close()
        self._failed(self, error)
        self.ended.set_result(None)

    def _handle_events(self) -> Established | None:
        if isinstance(self.machine, Acceptor):
            for event in self.machine.events():
                if isinstance(event, Established):
                    return event
                if isinstance(event, NameRequested):
                    self._give_name(self.machine, event)
                else:
                    self._answer_name(self.machine, event)
        else:
            for message in self.machine.events():
                if isinstance(message, AliveReceived):
                    # Who dials has no connection: the one that the peer still has is dead.
                    self.machine.answer_alive(True)
                else:
                    # Our nodes have a name from their start on, so none is given to them.
                    assert not isinstance(message, NameGiven)
                    return message
        return None

    def _give_name(self, machine: Acceptor, event: NameRequested) -> None:
        self.peer = NodeName.dynamic(event.host, secrets.randbits(64))
        if not self._vouched(event.host):
            raise TlsRefused(self._who(), NOT_FOR_ITS_HOST)
        # 0 to 3 were the creations of old.
        machine.answer_named(self.peer, secrets.randbelow(2**32 - 4) + 4)

    def _answer_name(self, machine: Acceptor, event: NameReceived) -> None:
        assert self._name_check is not None
        self.peer = event.peer
        if not self._vouched(event.peer.host):
            machine.answer(Status.NOT_ALLOWED)
            raise TlsRefused(self._who(), NOT_FOR_ITS_HOST)
        status = self._name_check(self, event.peer)
        machine.answer(status)
        if status is Status.NOT_ALLOWED:
            raise NotAllowed(event.peer.full)
        if status is Status.NOK:
            raise AlreadyConnected(event.peer.full)

    def _finish(self, established: Established) -> None:
        self._over = True
        self._clock.cancel()
        assert self._transport is not None
        self._opened(self, self._transport, established)
        self.ended.set_result(None)

    def _vouched(self, host: str) -> bool:
        assert self._transport is not None
        return self._host_check is None or self._host_check(self._transport, host)

    def _who(self) -> str:
        return self.peer.full if self.peer is not None else self.address

    def _expire(self) -> None:
        self.fail(self.timeout(self._who(), self._deadline))

    def _write(self) -> None:
        data = self.machine.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


class Refusal(asyncio.Protocol):
    """For a socket that comes when there is nobody to talk to it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close at once."""
        stream(transport).abort()
