"""An Erlang node in Python, for anybody: it knows nothing of coins.

    from pyerlcoin.beam import Atom, GenServer, Node

    class Greeter(GenServer):
        def handle_call(self, request, sender):
            return Atom("hello")

    async with Node("python@127.0.0.1", "cookie") as node:
        node.spawn(Greeter(), "greeter")
        …

`GenServer.call({:greeter, :"python@127.0.0.1"}, :hi)` on any BEAM of OTP 25 to 29 with that cookie answers `:hello`.
The exceptions are in `pyerlcoin.beam.errors`, the terms in `pyerlcoin.beam.etf`, the events in
`pyerlcoin.beam.node.events`.

A name is imported when somebody asks for it, so that who wants terms alone does not load the node.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyerlcoin.beam.dist import Cookie, NodeName
    from pyerlcoin.beam.errors import BeamError
    from pyerlcoin.beam.etf import Atom, BitString, ImproperList, Map, Pid, Record, Reference, Term
    from pyerlcoin.beam.node.calls import Request
    from pyerlcoin.beam.node.carrier import Carrier
    from pyerlcoin.beam.node.cookie_file import read_cookie
    from pyerlcoin.beam.node.events import Event
    from pyerlcoin.beam.node.gen_server import NO_REPLY, GenServer
    from pyerlcoin.beam.node.limits import NodeLimits
    from pyerlcoin.beam.node.node import Node, Tables
    from pyerlcoin.beam.node.process import Process
    from pyerlcoin.beam.node.sender import Sender
    from pyerlcoin.beam.node.targets import Destination, Target

__all__ = [
    "NO_REPLY",
    "Atom",
    "BeamError",
    "BitString",
    "Carrier",
    "Cookie",
    "Destination",
    "Event",
    "GenServer",
    "ImproperList",
    "Map",
    "Node",
    "NodeLimits",
    "NodeName",
    "Pid",
    "Process",
    "Record",
    "Reference",
    "Request",
    "Sender",
    "Tables",
    "Target",
    "Term",
    "read_cookie",
]

_HOMES: Final = {
    "NO_REPLY": "node.gen_server",
    "Atom": "etf",
    "BeamError": "errors",
    "BitString": "etf",
    "Carrier": "node.carrier",
    "Cookie": "dist",
    "Destination": "node.targets",
    "Event": "node.events",
    "GenServer": "node.gen_server",
    "ImproperList": "etf",
    "Map": "etf",
    "Node": "node.node",
    "NodeLimits": "node.limits",
    "NodeName": "dist",
    "Pid": "etf",
    "Process": "node.process",
    "Record": "etf",
    "Reference": "etf",
    "Request": "node.calls",
    "Sender": "node.sender",
    "Tables": "node.node",
    "Target": "node.targets",
    "Term": "etf",
    "read_cookie": "node.cookie_file",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value
