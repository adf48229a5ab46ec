"""Many open pages of one board, in a process of their own: `python -m tests.bench.page_readers PORT`.

Told `open N` on standard input, it opens N streams of server-sent events and says `open N` when each has had its first
state. Told `close`, it closes them and says `closed FEWEST BYTES`: how many states the page with the fewest has had
since then, and how many bytes all of them. It reads everything, as a browser does, and draws nothing.
"""

from __future__ import annotations

import asyncio
import sys

STATE = b"event: state\n"
PATIENCE = 60.0
"""Seconds for all pages to open."""


class Reader:
    """One page: counts what it is sent."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.first = asyncio.Event()
        self.states = 0
        self.bytes = 0

    async def read(self) -> None:
        """Until cancelled, or until the server ends it."""
        stream, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
            tail = b""
            while chunk := await stream.read(65536):
                self.bytes += len(chunk)
                tail += chunk
                if seen := tail.count(STATE):
                    self.states += seen
                    self.first.set()
                # What may be the beginning of the next one.
                tail = tail[-len(STATE) + 1 :]
        finally:
            writer.close()


async def main(port: int) -> None:
    """See the module's text."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    readers: list[Reader] = []
    tasks: list[asyncio.Task[None]] = []
    print("ready", flush=True)
    while line := (await lines.readline()).split():
        if line[0] == b"open":
            readers = [Reader(port) for _ in range(int(line[1]))]
            tasks = [asyncio.create_task(reader.read()) for reader in readers]
            async with asyncio.timeout(PATIENCE):
                for reader in readers:
                    await reader.first.wait()
            for reader in readers:
                reader.states = reader.bytes = 0
            print(f"open {len(readers)}", flush=True)
        else:
            ended = sum(task.done() for task in tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if ended:
                raise SystemExit(f"the server ended {ended} pages")
            fewest = min(reader.states for reader in readers)
            print(f"closed {fewest} {sum(reader.bytes for reader in readers)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
