"""Ports, names and cookies that no other test of this machine uses."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import socket

__all__ = ["LOOPBACK", "free_port", "fresh_cookie", "fresh_name", "fresh_node"]

_numbers = itertools.count(1)

_PORTS = range(10_240, 32_768)
"""Below those that a system gives to connections and to who binds port 0 (Linux: from 32768, others: from 49152): with
tests side by side one of these would soon be somebody's."""

_given: set[int] = set()


def _loopback() -> tuple[str, ...]:
    with socket.socket(socket.AF_INET6) as probe, contextlib.suppress(OSError):
        probe.bind(("::1", 0))
        return ("127.0.0.1", "::1")
    return ("127.0.0.1",)


LOOPBACK = _loopback()
"""Where a port mapper of ours is, whoever else is: there are machines without IPv6."""


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that was free a moment ago.

    For servers that cannot be told "port 0" (epmd above all, whose port every client must know beforehand). Whoever
    can bind port 0 does that instead. No two calls of a process have the same answer.
    """
    while True:
        port = secrets.choice(_PORTS)
        if port not in _given:
            with contextlib.closing(socket.socket()) as listener, contextlib.suppress(OSError):
                listener.bind((host, port))
                _given.add(port)
                return port


def fresh_name(prefix: str = "n") -> str:
    """The part of a node name before the `@`: no other process on this machine has it."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def fresh_node(prefix: str = "n", host: str = "127.0.0.1") -> str:
    """A full, long node name that no other node on this machine has."""
    return f"{fresh_name(prefix)}@{host}"


def fresh_cookie() -> str:
    """A cookie of its own for each cluster under test, so that two tests can never connect by mistake."""
    return secrets.token_hex(10)
