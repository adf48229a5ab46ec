"""Why a node cannot be reached: the way to it, one step after the other, each with what was found.

The sentences of what failed are those of `pyerlcoin.beam.errors`, the ones that a failing `Node.connect` raises.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pyerlcoin.beam.dist import NameForm, NodeName
from pyerlcoin.beam.errors import (
    BeamError,
    CallFailed,
    CookieMismatch,
    NotAllowed,
    PortUnreachable,
    SetupTimeout,
    TlsRefused,
)
from pyerlcoin.beam.node import epmd_client
from pyerlcoin.beam.node.carrier import resolve
from pyerlcoin.beam.node.node import Node

__all__ = ["Finding", "Step", "diagnose"]


class Step(StrEnum):
    """What has to succeed, in this order."""

    NAME = "name form"
    OWN_NODE = "own node"
    HOST = "host"
    EPMD = "epmd"
    PORT = "port"
    TLS = "tls"
    HANDSHAKE = "handshake"
    FLAGS = "flags"
    COOKIE = "cookie"
    PING = "ping"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of a step: `words` says what was found, for a person. `error` is None when the step succeeded."""

    step: Step
    words: str
    error: BeamError | None = None


# The shaking of hands is one act: what its error is tells how far it came. Flags are judged with the challenge,
# the proof of the cookie comes after it.
_SHAKING: Final = (Step.PORT, Step.TLS, Step.HANDSHAKE, Step.FLAGS, Step.COOKIE)


async def diagnose(node: Node, peer: str, ping_timeout: float = 7.0) -> AsyncIterator[Finding]:
    """Start `node` and connect it to `peer`. The last finding is the first that failed, if one did.

    Args:
        node: one that was not started; the caller stops it.
        peer: the node to reach.
        ping_timeout: seconds that the ping over the established connection may take.

    Raises nothing of the node wing: each error is in a finding.
    """
    step = Step.NAME
    try:
        name = NodeName.parse(peer)
        node.node_name.require_same_form(name)
        kind = "long" if name.form is NameForm.LONG else "short"
        yield Finding(step, f"{name} and {node.name}, which asks, both have a {kind} name")

        step = Step.OWN_NODE
        await node.start()
        yield Finding(step, _own_words(node))

        step = Step.HOST
        address = await resolve(name.host)
        yield Finding(step, f"{name.host} is {address}" if address != name.host else f"{address} is an address")

        step = Step.EPMD
        if node.peer_port is None:
            port = await epmd_client.find_port(name, address, node.epmd_port)
            yield Finding(step, f"the epmd at {name.host} port {node.epmd_port} knows {name.alive}, on port {port}")
        else:
            port = node.peer_port
            yield Finding(step, f"not asked: every node is on port {port}")

        step = Step.PORT
        await node.connect(peer)
        for step in _shaking(node):
            yield Finding(step, _shaken_words(step, port))

        step = Step.PING
        seconds = await node.ping(peer, ping_timeout)
        yield Finding(step, f"{name} answered in {seconds * 1000:.1f} ms")
    except BeamError as error:
        if step is Step.PORT:
            failed = _step_of(error)
            for done in _shaking(node):
                if done is failed:
                    break
                yield Finding(done, _shaken_words(done, port))
            step = failed
        yield Finding(step, str(error), error)


def _shaking(node: Node) -> tuple[Step, ...]:
    return tuple(step for step in _SHAKING if step is not Step.TLS or node.carrier.encrypted)


def _step_of(error: BeamError) -> Step:
    """The step of opening a connection that an error belongs to."""
    match error:
        case PortUnreachable():
            return Step.PORT
        case TlsRefused() | SetupTimeout(what="TLS handshake"):
            return Step.TLS
        case CookieMismatch():
            return Step.COOKIE
        case NotAllowed(lacking=lacking) if lacking:
            return Step.FLAGS
        case CallFailed():
            return Step.PING
        case _:
            return Step.HANDSHAKE


def _own_words(node: Node) -> str:
    if node.peer_port is not None:
        return f"listening on port {node.port}, without an epmd"
    whose = "an epmd of its own" if node.serves_epmd else "this machine's epmd"
    return f"listening on port {node.port}, registered at {whose} on port {node.epmd_port}"


def _shaken_words(step: Step, port: int) -> str:
    match step:
        case Step.PORT:
            return f"port {port} answers"
        case Step.TLS:
            return "both sides accept the other's certificate"
        case Step.HANDSHAKE:
            return "it is an Erlang node of that name"
        case Step.FLAGS:
            return "both sides can do what the other needs"
        case _:
            return "it is the same on both sides"
