"""An Erlang node in Python. From `iex --name me@127.0.0.1 --cookie secret`:

GenServer.call({:greeter, :"greeter@127.0.0.1"}, "Ada")
"""

import asyncio
import contextlib
import sys

from pyerlcoin.beam import GenServer, Node


class Greeter(GenServer):
    def handle_call(self, request, sender):
        if not isinstance(request, bytes):  # which is what an Elixir string is
            return super().handle_call(request, sender)  # {:error, :bad_request}
        return f"Hello, {request.decode(errors='replace')}!"


async def main(name="greeter@127.0.0.1", cookie="secret"):
    async with Node(name, cookie) as node:
        node.spawn(Greeter(), "greeter")
        print(f"{node.name} is up", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
