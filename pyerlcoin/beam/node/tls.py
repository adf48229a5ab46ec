"""Distribution over TLS, as `inet_tls_dist` does it: TLS from the first byte, then the same messages.

Each side shows a certificate and accepts none that its authorities did not sign; the host part of the other's name
must be among the certificate's subject alternative names. The cookie is checked after that as everywhere.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final, cast

from pyerlcoin.beam.errors import InvalidCertificate
from pyerlcoin.beam.node.carrier import ProtocolFactory, Securing, connect_tcp, listen_tcp, stream
from pyerlcoin.beam.node.tls_words import vouches_for

__all__ = ["TlsCarrier"]

# SSL_OP_ALLOW_CLIENT_RENEGOTIATION of OpenSSL 3, which Python has no name for. With TLS 1.2 Erlang's ssl renegotiates
# by and by what it dialled, and OpenSSL would end the connection for that. Whoever may ask has shown a certificate.
_ALLOW_CLIENT_RENEGOTIATION: Final = 1 << 8

_HANDSHAKE_TIME: Final = 7.0
"""Seconds for the TLS handshake, as `net_setuptime`, which covers it and the distribution's together."""

_GOODBYE_TIME: Final = 1.0
"""Seconds that the other side has to answer our close_notify."""


class TlsCarrier:
    """`Carrier` over TLS 1.2 or 1.3 with certificates on both sides.

    Args:
        certificate: the PEM file of this node's certificate, with those between it and the authority, if any.
        key: the PEM file of its private key, without a passphrase; None: it is in the certificate's file.
        authorities: the PEM file of the authorities that sign the certificates of the cluster.
        versions: the oldest and the newest version of TLS that are spoken.

    Raises:
        InvalidCertificate: a file cannot be read, is no PEM, or the key is not the certificate's.
    """

    handshake_length_size = 4
    encrypted = True

    def __init__(
        self,
        certificate: Path,
        key: Path | None,
        authorities: Path,
        *,
        versions: tuple[ssl.TLSVersion, ssl.TLSVersion] = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
    ) -> None:
        # PROTOCOL_TLS_CLIENT checks certificate and host by itself; the host of a client is known only when it has
        # said its name.
        self._client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.verify_mode = ssl.CERT_REQUIRED
        # A ticket would let a client come back without its certificate, which has the host's name.
        self._server.num_tickets = 0
        self._server.options |= ssl.OP_NO_TICKET | _ALLOW_CLIENT_RENEGOTIATION
        for context in (self._client, self._server):
            context.minimum_version, context.maximum_version = versions
            _load(context, certificate, key, authorities)
        self._opening: set[asyncio.Task[None]] = set()

    async def connect(self, factory: ProtocolFactory, host: str, address: str, port: int) -> None:
        """As `Carrier.connect`. Raises ssl.SSLError or ConnectionError for what fails after the TCP stream is there."""
        door = _Door()
        await connect_tcp(lambda: door, address, port)
        await self._secure(door, factory(), host)

    async def listen(self, factory: ProtocolFactory, address: str, port: int) -> asyncio.Server:
        """As `Carrier.listen`."""
        return await listen_tcp(lambda: _Accepted(self, factory), address, port)

    def vouches(self, transport: asyncio.Transport, host: str) -> bool:
        """As `Carrier.vouches`."""
        return vouches_for(transport.get_extra_info("peercert"), host)

    def accept(self, door: _Door, protocol: asyncio.BaseProtocol) -> None:
        """Secure a stream that was accepted, in a task that ends with the stream."""
        task = asyncio.get_running_loop().create_task(self._admit(door, protocol))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _admit(self, door: _Door, protocol: asyncio.BaseProtocol) -> None:
        try:
            await self._secure(door, protocol, None)
        except OSError as error:
            protocol.connection_lost(error)

    async def _secure(self, door: _Door, protocol: asyncio.BaseProtocol, host: str | None) -> None:
        """Put TLS on a stream and give it to `protocol`; `host` is a server's. Has closed the stream when it raises."""
        loop = asyncio.get_running_loop()
        assert isinstance(protocol, asyncio.Protocol)
        raw = door.transport
        if isinstance(protocol, Securing):
            protocol.securing(raw)
        inner = _Door()
        securing = loop.create_task(
            loop.start_tls(
                raw,
                inner,
                self._server if host is None else self._client,
                server_side=host is None,
                server_hostname=host,
                ssl_handshake_timeout=_HANDSHAKE_TIME,
                ssl_shutdown_timeout=_GOODBYE_TIME,
            )
        )
        try:
            # Its first step puts TLS on the stream, from the turn after on.
            await asyncio.sleep(0)
            loop.call_soon(door.hand_over)
            secured = await securing
        except BaseException:
            securing.cancel()
            raw.abort()
            raise
        if secured is None:
            raise ConnectionResetError("closed in the TLS handshake")
        # What came in the same turn as the end of the handshake is with `inner`.
        secured.set_protocol(protocol)
        protocol.connection_made(secured)
        inner.pass_on(protocol)


class _Door(asyncio.Protocol):
    """Holds a stream, and what happens on it, until somebody takes it over."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._data = bytearray()
        self._over = False
        self._lost: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = stream(transport)
        # The first bytes are TLS's. On uvloop this is too early to stop anything, and `hand_over` has something to do.
        self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self._data += data

    def eof_received(self) -> bool:
        self._over = True
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._over = True
        self._lost = error

    def hand_over(self) -> None:
        """Give what was kept to the TLS that the stream has got meanwhile."""
        protocol = cast(asyncio.BufferedProtocol, self.transport.get_protocol())
        while self._data:
            room = memoryview(protocol.get_buffer(len(self._data)))
            size = min(len(room), len(self._data))
            room[:size] = self._data[:size]
            del self._data[:size]
            protocol.buffer_updated(size)
        if self._over:
            self.transport.abort()

    def pass_on(self, protocol: asyncio.Protocol) -> None:
        """Tell `protocol` what was kept for it."""
        if self._data:
            protocol.data_received(bytes(self._data))
        if self._over:
            protocol.connection_lost(self._lost)


class _Accepted(_Door):
    """The door of a stream that somebody opened to us."""

    def __init__(self, carrier: TlsCarrier, factory: ProtocolFactory) -> None:
        super().__init__()
        self._carrier = carrier
        self._factory = factory

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        protocol = self._factory()
        if isinstance(protocol, Securing):
            self._carrier.accept(self, protocol)
        else:
            # Nobody is there to talk to it.
            protocol.connection_made(transport)


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None, authorities: Path) -> None:
    key = key or certificate
    for path in (certificate, key, authorities):
        try:
            path.read_bytes()
        except OSError as error:
            raise InvalidCertificate(str(path), (error.strerror or "it cannot be read").lower()) from error

    def passphrase() -> str:
        # Without this, OpenSSL asks for it on the terminal.
        raise InvalidCertificate(str(key), "it has a passphrase: `openssl pkey -in KEY -out NEW` writes one without")

    # The one error of load_cert_chain names no file, so each is looked at by itself first.
    _check_certificates(certificate, "give a certificate, as PEM")
    _check_certificates(authorities, "give certificates of authorities, as PEM")
    try:
        context.load_cert_chain(certificate, key, password=passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = f"it is not the key of {certificate}: give the one that the certificate was made with"
        elif "TOO_SMALL" in (error.reason or "") or "TOO_WEAK" in (error.reason or ""):
            raise InvalidCertificate(str(certificate), "it is too weak: make one with a longer key") from error
        else:
            reason = "give a private key, as PEM"
        raise InvalidCertificate(str(key), reason) from error
    context.load_verify_locations(authorities)


def _check_certificates(path: Path, wanted: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise InvalidCertificate(str(path), wanted) from error
