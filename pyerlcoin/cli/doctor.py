"""`pyerlcoin doctor`: why can't I connect? Each step of the way to a server, in plain words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import typer

from pyerlcoin.beam import Node, NodeName
from pyerlcoin.beam.dist import NameForm
from pyerlcoin.beam.errors import HostUnknown
from pyerlcoin.beam.node.diagnosis import diagnose
from pyerlcoin.cli.node_options import NodeOptions, with_node_options
from pyerlcoin.cli.options import AsJson, NodeArgument
from pyerlcoin.cli.output import json_line
from pyerlcoin.cli.own_node import new_name, own_cookie, own_name, read_carrier, read_node
from pyerlcoin.cli.text import counted, shown
from pyerlcoin.errors import ExitCode, GameError, RefusedByPeer
from pyerlcoin.roles import messages
from pyerlcoin.roles.cluster import Address, NoServer
from pyerlcoin.roles.messages import SERVER_NAME, AskWorth, Refused
from pyerlcoin.runtimes.native import NativeCluster, translate

__all__ = ["Check", "checks", "doctor"]

PATIENCE: Final = 10.0
"""Seconds that a server may take to say what its wallet holds."""

_SERVER: Final = "server"
_QUESTION: Final = "question"


@dataclass(frozen=True)
class Check:
    """The outcome of a step; `code` is what the process ends with when this is the last."""

    step: str
    words: str
    code: ExitCode = ExitCode.DONE


@with_node_options
def doctor(node: NodeArgument, me: NodeOptions, as_json: AsJson = False) -> int:
    """Why can't I connect?

    Each step of the way to a server, in plain words, up to the first that fails.
    """
    peer = read_node(node)
    carrier = read_carrier(me)
    ours = Node(own_name(me) or _some_name(peer), own_cookie(me.cookie), peer_port=me.no_epmd, carrier=carrier)

    async def run() -> list[Check]:
        done = []
        try:
            async for check in checks(ours, node):
                done.append(check)
                if not as_json:
                    outcome = "ok" if check.code is ExitCode.DONE else "failed"
                    typer.echo(f"{outcome:<6}  {check.step:<9}  {shown(check.words, 2000)}")
        finally:
            await ours.stop()
        return done

    done = asyncio.run(run())
    if as_json:
        steps = [{"step": each.step, "ok": each.code is ExitCode.DONE, "words": each.words} for each in done]
        whole = {"node": node, "ok": done[-1].code is ExitCode.DONE, "steps": steps}
        typer.echo(json_line(whole))
    return done[-1].code


async def checks(node: Node, peer: str, patience: float = PATIENCE) -> AsyncIterator[Check]:
    """Start `node` and go all the way to the game's server on `peer`; ends with the first step that failed.

    The caller stops the node. `patience` is in seconds, for the server's answer.
    """
    async for finding in diagnose(node, peer):
        if finding.error is not None:
            yield Check(finding.step, finding.words, translate(finding.error).exit_code)
            return
        yield Check(finding.step, finding.words)
    server = Address(SERVER_NAME, peer)
    registered = Check(_SERVER, f"{server} is running")
    caller = await NativeCluster(node).caller()
    try:
        # Every server of the game answers this, and needs no hello for it.
        reply = await caller.call(server, messages.request_term(AskWorth()), timeout=patience)
        worth = messages.read_worth(reply)
        if isinstance(worth, Refused):
            raise RefusedByPeer(f"{server} refuses to say what its wallet holds: {worth.message}")
        yield registered
        yield Check(_QUESTION, f"it says that its wallet holds {counted(worth, 'coin')}")
    except NoServer as error:
        yield Check(_SERVER, str(error), error.exit_code)
    except GameError as error:
        yield registered
        yield Check(_QUESTION, str(error), error.exit_code)
    finally:
        await caller.close()


def _some_name(peer: NodeName) -> NodeName:
    try:
        return new_name("doctor", peer)
    except HostUnknown:
        # Which is a finding, so it needs a node: any of that form.
        return new_name("doctor", NodeName("n", "localhost" if peer.form is NameForm.SHORT else "127.0.0.1"))
