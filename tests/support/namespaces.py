"""A network namespace with one cable to this machine's, that can be unplugged at either end. Needs root."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.support.beam import Release

__all__ = ["InNamespace", "Namespace", "why_not_here"]

_numbers = itertools.count()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def why_not_here() -> str | None:
    """Why this machine makes no namespaces; None if it does."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    if shutil.which("ip") is None:
        return "the program ip is not installed: install the package iproute2"
    name = f"pec-probe-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be made here: {error.stderr.strip()}"
    return None


class Namespace:
    """`with` makes it and the cable: `here` and `there` are the addresses of its ends."""

    def __init__(self) -> None:
        number = os.getpid() * 8 + next(_numbers)
        self.name = f"pec-{number}"
        # Of 198.18.0.0/15, which is set aside for tests of networks (RFC 2544).
        net = f"198.{18 + (number >> 14) % 2}.{(number >> 6) % 256}"
        first = number % 64 * 4
        self.here, self.there = f"{net}.{first + 1}", f"{net}.{first + 2}"
        self._outer, self._inner = f"peo{number}"[:15], f"pei{number}"[:15]

    def __enter__(self) -> Self:
        _ip("netns", "add", self.name)
        try:
            _ip("link", "add", self._outer, "type", "veth", "peer", "name", self._inner, "netns", self.name)
            _ip("addr", "add", f"{self.here}/30", "dev", self._outer)
            _ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", self._inner)
            _ip("-n", self.name, "link", "set", "lo", "up")
            self.plug_in()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The cable goes with the namespace.
        _ip("netns", "delete", self.name)

    def command(self, *argv: str) -> list[str]:
        """What runs `argv` in it."""
        return ["ip", "netns", "exec", self.name, *argv]

    def unplug_here(self) -> None:
        """This end goes down: this machine has no way there any more, and knows."""
        _ip("link", "set", self._outer, "down")

    def unplug_there(self) -> None:
        """The other end goes down: what is sent from here is lost, in silence."""
        _ip("-n", self.name, "link", "set", self._inner, "down")

    def plug_in(self) -> None:
        """Both ends are up."""
        _ip("link", "set", self._outer, "up")
        _ip("-n", self.name, "link", "set", self._inner, "up")


@dataclass(frozen=True)
class InNamespace(Release):
    """A release whose programs run in a namespace."""

    wrap: Callable[..., list[str]] = lambda *argv: list(argv)

    def command(self, *argv: str) -> list[str]:
        """As `Release.command`."""
        return self.wrap(*super().command(*argv))

    @classmethod
    def of(cls, release: Release, namespace: Namespace) -> InNamespace:
        """That release in that namespace."""
        return cls(release.name, release.root, namespace.command)
