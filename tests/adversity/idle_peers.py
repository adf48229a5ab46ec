"""Many hidden nodes that connect to one node, and then say nothing but ticks; each is a socket of this process.

    python -m tests.adversity.idle_peers NODE PORT COUNT

The cookie comes on standard input. Prints `ready` once all are connected; ends with its input.
"""

from __future__ import annotations

import asyncio
import sys

from pyerlcoin.beam.dist import NodeName
from tests.support.nodes import RawPeer

AT_ONCE = 32
"""Handshakes; a node takes 128."""


async def _peer(number: int, node: NodeName, port: int, cookie: str, turn: asyncio.Semaphore) -> RawPeer:
    async with turn:
        peer = RawPeer(*await asyncio.open_connection("127.0.0.1", port))
        await peer.shake_hands(node, cookie, f"idle-{number}@127.0.0.1")
        return peer


async def _run(node: NodeName, port: int, count: int) -> None:
    loop = asyncio.get_running_loop()
    cookie = (await loop.run_in_executor(None, sys.stdin.readline)).strip()
    turn = asyncio.Semaphore(AT_ONCE)
    peers = await asyncio.gather(*(_peer(number, node, port, cookie, turn) for number in range(count)))
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for peer in peers:
        await peer.close()


if __name__ == "__main__":
    asyncio.run(_run(NodeName.parse(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
