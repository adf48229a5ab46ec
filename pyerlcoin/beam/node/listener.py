"""The distribution port: one number on every address that the node listens on."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence

from pyerlcoin.beam.node.carrier import Carrier, cannot_listen

__all__ = ["Listener"]

_TRIES = 20


class Listener:
    """Accepts sockets and gives each the protocol that `accept` makes."""

    def __init__(self, carrier: Carrier, accept: Callable[[], asyncio.Protocol]) -> None:
        self._carrier = carrier
        self._accept = accept
        self._servers: list[asyncio.Server] = []
        self.port = 0

    async def start(self, addresses: Sequence[str], port: int) -> None:
        """Listen on `port` of all `addresses`; 0 lets the system choose one that is free on all.

        Raises:
            CannotListen: an address is not this machine's, or the port is taken.
        """
        for attempt in range(_TRIES):
            self.port = port
            address = addresses[0]
            try:
                for address in addresses:
                    server = await self._carrier.listen(self._accept, address, self.port)
                    self._servers.append(server)
                    self.port = server.sockets[0].getsockname()[1]
            except OSError as error:
                self.stop()
                # The port that the system chose for the first address may be taken on the second.
                if port == 0 and error.errno == errno.EADDRINUSE and attempt < _TRIES - 1:
                    continue
                raise cannot_listen(address, port, error) from error
            except BaseException:
                self.stop()
                raise
            return

    def stop(self) -> None:
        """Accept no more. Sockets that were accepted stay."""
        for server in self._servers:
            server.close()
        self._servers.clear()
