"""Keeps a node registered: at the port mapper that is there, else at one of its own, for as long as it lives."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from pyerlcoin.beam.dist import NodeName
from pyerlcoin.beam.errors import CannotListen, EpmdUnreachable, NameInUse
from pyerlcoin.beam.node.epmd_client import Registration, register
from pyerlcoin.beam.node.epmd_server import EpmdServer
from pyerlcoin.beam.node.events import EpmdLost, EpmdOpened, EpmdRegistered, EpmdTakenOver, Event

__all__ = ["Registrar", "Unregistered"]

_TRIES = 5
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


class Registrar:
    """Registers one node.

    Args:
        node, port, hidden: what is registered.
        epmd_port: of this machine's port mapper.
        addresses: where the node listens, and so is looked for: an embedded port mapper listens there, too.
        embedded: whether to be the port mapper of this machine when there is none.
        tell: takes the events.

    Several nodes may find the port free at once. Binding it is what decides: who fails asks again, and finds the
    winner's port mapper.
    """

    def __init__(
        self,
        node: NodeName,
        port: int,
        *,
        hidden: bool,
        epmd_port: int,
        addresses: Sequence[str],
        embedded: bool,
        tell: Callable[[Event], None],
    ) -> None:
        self._node = node
        self._port = port
        self._hidden = hidden
        self._epmd_port = epmd_port
        self._addresses = addresses
        self._embedded = embedded
        self._tell = tell
        self._registration: Registration | None = None
        self._server: EpmdServer | None = None
        self._again: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    @property
    def serving(self) -> bool:
        """Whether this node is the port mapper of its machine."""
        return self._server is not None

    async def start(self) -> int:
        """Register, and return the creation.

        Raises:
            EpmdUnreachable: no port mapper, and none of our own.
            NameInUse: a living node has the name.
            CannotListen: no port mapper answers on a port that is not free either.
        """
        for attempt in range(_TRIES):
            try:
                return await self._register()
            except CannotListen:
                # Between our asking and our binding somebody else began to listen: most likely a port mapper.
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_pause(attempt))
        raise AssertionError("the last attempt returned or raised")

    async def stop(self) -> None:
        """Unregister, and end the port mapper if it is ours. Idempotent, also after one that was cancelled."""
        self._stopped.set()
        if self._again is not None:
            await asyncio.wait({self._again})
        if self._registration is not None:
            await self._registration.close()
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def _register(self) -> int:
        try:
            self._registration = await self._ask()
        except EpmdUnreachable:
            if not self._embedded:
                raise
            await self._take_over()
            self._registration = await self._ask()
        self._tell(EpmdRegistered(self._epmd_port, self._port))
        return self._registration.creation

    async def _ask(self) -> Registration:
        return await register(
            self._node,
            self._port,
            hidden=self._hidden,
            epmd_port=self._epmd_port,
            on_lost=self._lost,
            addresses=self._addresses,
        )

    async def _take_over(self) -> None:
        if self._server is not None:
            return
        server = EpmdServer(self._epmd_port, self._opened)
        await server.start(self._addresses)
        self._server = server
        self._tell(EpmdTakenOver(self._epmd_port, server.addresses))

    def _opened(self, addresses: tuple[str, ...]) -> None:
        self._tell(EpmdOpened(self._epmd_port, addresses))

    def _lost(self) -> None:
        if self._stopped.is_set():
            return
        self._registration = None
        self._tell(EpmdLost(self._epmd_port))
        self._again = asyncio.get_running_loop().create_task(self._register_again())

    async def _register_again(self) -> None:
        # The creation of the first registration stays: pids that were handed out carry it.
        attempt = 0
        while not self._stopped.is_set():
            try:
                await self._register()
            except (EpmdUnreachable, CannotListen, NameInUse):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), _pause(attempt))
                attempt += 1
            else:
                return


class Unregistered:
    """In the place of a Registrar where there is no port mapper: everybody knows the port."""

    serving: Final = False

    async def start(self) -> int:
        """A creation of our own: random, as nobody hands them out, and none of the old ones, 0 to 3."""
        return secrets.randbelow(2**32 - 4) + 4

    async def stop(self) -> None:
        """Nothing: nobody was told."""


def _pause(attempt: int) -> float:
    """Seconds: longer each time, and not the same for nodes that lost the same port mapper."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * float(1 << min(attempt, 10))) * random.uniform(0.5, 1.5)  # noqa: S311
