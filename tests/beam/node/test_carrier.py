from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from pyerlcoin.beam.node import carrier


def uvloop_loop() -> asyncio.AbstractEventLoop:
    uvloop = pytest.importorskip("uvloop")
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop_loop])
def test_of_two_that_were_bound_to_one_port_the_second_to_listen_is_told(
    new_loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]

        class Late(socket.socket):
            """Another process listens in just this moment."""

            def bind(self, address: object) -> None:
                super().bind(("127.0.0.1", port))
                other.listen()

        monkeypatch.setattr(socket, "socket", Late)
        with asyncio.Runner(loop_factory=new_loop) as runner, pytest.raises(OSError, match="in use"):
            runner.run(carrier.listen_tcp(asyncio.Protocol, "127.0.0.1", port))
