"""Where an embedded port mapper listens: where those who are registered are looked for, and nowhere else."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterable, Sequence
from typing import Final

from pyerlcoin.beam.node.carrier import ProtocolFactory, cannot_listen, listening_socket, serve_socket, why
from pyerlcoin.beam.node.events import logger

__all__ = ["EVERYWHERE", "MOST_ADDRESSES", "EpmdAddresses"]

EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # as OTP's epmd, once a node is here that does not say where it is
_LOOPBACK: Final = ("127.0.0.1", "::1")

MOST_ADDRESSES: Final = 16
"""In all, the two wildcards aside: more are not listened on."""

_NOT_OURS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class EpmdAddresses:
    """Accepts sockets on one port of several addresses, and gives each the protocol that `factory` makes."""

    def __init__(self, factory: ProtocolFactory) -> None:
        self.port = 0
        self._factory = factory
        self._sockets: dict[str, socket.socket] = {}
        self._first: frozenset[str] = frozenset()  # those of the start
        self._servers: dict[socket.socket, asyncio.Server] = {}
        self._starting: set[asyncio.Task[None]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The addresses, in the order in which they came."""
        return tuple(self._sockets)

    def covers(self, address: str) -> bool:
        """Whether who asks at that address of this machine is heard."""
        return address in self._sockets or EVERYWHERE[":" in address] in self._sockets

    async def start(self, addresses: Sequence[str], port: int) -> None:
        """Listen on loopback, and on those of `addresses` that can be had. Port 0 lets the system choose.

        Raises:
            CannotListen: not on 127.0.0.1, that is, most likely another port mapper does.
        """
        # Whoever has this one is the port mapper of the machine: its nodes register there.
        first = EVERYWHERE[0] if any(address in EVERYWHERE for address in addresses) else _LOOPBACK[0]
        try:
            listener = listening_socket(first, port)
        except OSError as error:
            raise cannot_listen(first, port, error) from error
        self.port = listener.getsockname()[1]
        self._serve(first, listener)
        self.open((*addresses, *_LOOPBACK) if first in EVERYWHERE else (*_LOOPBACK, *addresses))
        self._first = frozenset(self._sockets)
        await asyncio.wait(self._starting)

    def open(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Listen there as well, where it can be had; returns where that is new. From now on nobody is refused there."""
        return self._open(_in_order(addresses), tuple(self._sockets.values()))

    def keep(self, addresses: Iterable[str]) -> None:
        """Listen there and where it was at the start, and nowhere else. Sockets that were accepted stay."""
        wanted = _in_order(addresses)
        leaving = {name: self._sockets.pop(name) for name in self.names if name not in {*self._first, *wanted}}
        # A wildcard that goes may have stood for one that stays. That is there before it goes.
        self._open(wanted, (*self._sockets.values(), *leaving.values()))
        for listener in leaving.values():
            self._end(listener)

    def _open(self, addresses: Iterable[str], open_now: tuple[socket.socket, ...]) -> tuple[str, ...]:
        new = []
        for address in addresses:
            if self.covers(address) or (address not in EVERYWHERE and len(self._sockets) >= MOST_ADDRESSES):
                continue
            try:
                listener = listening_socket(address, self.port, beside=open_now)
            except OSError as error:
                if error.errno not in _NOT_OURS:
                    logger.warning("! cannot serve as epmd on port %d of %s: %s", self.port, address, why(error))
                continue
            self._serve(address, listener)
            open_now += (listener,)
            new.append(address)
        return tuple(new)

    async def close(self) -> None:
        """Accept no more. Sockets that were accepted stay."""
        if self._starting:
            await asyncio.wait(self._starting)
        for listener in self._sockets.values():
            self._end(listener)

    def _serve(self, address: str, listener: socket.socket) -> None:
        self._sockets[address] = listener
        task = asyncio.get_running_loop().create_task(self._accept(listener))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _accept(self, listener: socket.socket) -> None:
        server = await serve_socket(self._factory, listener)
        if listener in self._sockets.values():
            self._servers[listener] = server
        else:
            server.close()

    def _end(self, listener: socket.socket) -> None:
        server = self._servers.pop(listener, None)
        if server is not None:  # else it has yet to come, and is closed then
            server.close()


def _in_order(addresses: Iterable[str]) -> list[str]:
    """Wildcards first, as they cover others. A node on `::` hears IPv4 as well, so it is to be found there, too."""
    every = tuple(addresses)
    wild = [address for address in EVERYWHERE if address in every or EVERYWHERE[1] in every]
    return [*wild, *(address for address in every if address not in wild)]
