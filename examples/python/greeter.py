"""An Erlang node in Python. From `iex --name me@127.0.0.1 --cookie secret`:

GenServer.call({:greeter, :"greeter@127.0.0.1"}, "Ada")
"""

import asyncio
import sys

from pyerlcoin.beam import GenServer, Node


class Greeter(GenServer):
    def handle_call(self, request, sender):
        return f"Hello, {request.decode()}!"


async def main(name="greeter@127.0.0.1", cookie="secret"):
    async with Node(name, cookie) as node:
        node.spawn(Greeter(), "greeter")
        print(f"{node.name} is up", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
