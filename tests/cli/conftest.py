"""A served game for the commands to talk to, on an epmd of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyerlcoin.cli.edge import main
from tests.support.clock import UNIT
from tests.support.ports import free_port, fresh_cookie, fresh_node
from tests.support.process import Child, pyerlcoin


@dataclass(frozen=True)
class Served:
    """A running `pyerlcoin serve`, and the environment in which it can be found."""

    node: str
    cookie: str
    epmd_port: int
    child: Child

    @property
    def env(self) -> dict[str, str]:
        return {"ERL_EPMD_PORT": str(self.epmd_port), "PYERLCOIN_COOKIE": self.cookie}


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Served]:
    """A game with three zeros and units of 500."""
    node, cookie, epmd_port = fresh_node("server"), fresh_cookie(), free_port()
    env = {"ERL_EPMD_PORT": str(epmd_port), "PYERLCOIN_COOKIE": cookie}
    arguments = ("--name", node, "--secret", "Serun+u", "--zeros", "3", "--workload", "500", *options)
    with pyerlcoin("serve", *arguments, env=env) as child:
        child.wait_line_sync("serving ElixirCoin.Server", timeout=30 * UNIT)
        yield Served(node, cookie, epmd_port, child)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One game for a module, whose tests look at it or add to it."""
    with serving() as served:
        yield served


@pytest.fixture
def own_epmd(monkeypatch: pytest.MonkeyPatch) -> int:
    """Nobody is on this port, and this test's nodes are."""
    port = free_port()
    monkeypatch.setenv("ERL_EPMD_PORT", str(port))
    monkeypatch.setenv("PYERLCOIN_COOKIE", fresh_cookie())
    return port


@pytest.fixture
def near(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The served game, and this process set up to find it."""
    for key, value in served.env.items():
        monkeypatch.setenv(key, value)
    return served


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`pyerlcoin ARGUMENTS` in this process: exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run
