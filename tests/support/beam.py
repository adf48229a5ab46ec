"""Real Erlang nodes for the tests: which ones this machine has, and one of them running.

    async with RealEpmd() as epmd, Beam(release, epmd_port=epmd.port) as beam:
        assert await beam.eval("1 + 1") == "2"

`eval` gives what Elixir's `inspect` shows, so that a test compares text with text and no codec of ours is in between;
`external` gives the bytes of `term_to_binary`, for golden bytes. A node is read by threads (see process.py), so one
node may serve every test of a module.

The releases are Debian's: `otp25` (bookworm), `otp27` (trixie) and `otp29` (forky). The one installed on the system
counts under its own number; the others are folders made by `scripts/test --matrix` below PYERLCOIN_VM_DIR and are
entered with chroot, on this machine's network.
"""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import contextlib
import functools
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.clock import UNIT
from tests.support.ports import free_port, fresh_cookie, fresh_node
from tests.support.process import Child, ChildFailed, Stream

__all__ = [
    "RELEASES",
    "Beam",
    "ElixirScript",
    "EvalFailed",
    "Folder",
    "RealEpmd",
    "Release",
    "available_releases",
    "required_releases",
    "vm_dir",
]

RELEASES = ("otp25", "otp27", "otp29")
"""The releases that pyerlcoin promises to work with, by the names of their folders."""

_EVALUATOR = Path(__file__).with_name("beam_eval.exs")
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "ELIXIR_ERL_OPTIONS": "+fnu", "TERM": "dumb"}


def vm_dir() -> Path:
    """Where the chroots of the matrix are."""
    return Path(os.environ.get("PYERLCOIN_VM_DIR", "/var/cache/pyerlcoin/vms"))


def required_releases() -> int:
    """How many releases there must be: PYERLCOIN_REQUIRE_VM, 0 when it is not set."""
    return int(os.environ.get("PYERLCOIN_REQUIRE_VM") or 0)


@dataclass(frozen=True)
class Release:
    """One Erlang with its Elixir: the system's (`root` is None), or one inside a chroot."""

    name: str
    root: Path | None = None

    def command(self, *argv: str) -> list[str]:
        """What runs `argv` inside this release."""
        return list(argv) if self.root is None else ["chroot", str(self.root), *argv]

    @property
    def otp(self) -> int:
        """Its number."""
        return int(self.name.removeprefix("otp"))

    def folder(self) -> Folder:
        """A temporary folder that this release can read: a context manager."""
        return Folder(self.root)

    def __str__(self) -> str:
        return self.name


class Folder:
    """Files carried into a release; gone at the end of the `with` block."""

    def __init__(self, root: Path | None) -> None:
        self._root = root

    def __enter__(self) -> Self:
        base = None if self._root is None else self._root / "tmp"
        self.path = Path(tempfile.mkdtemp(prefix="pyerlcoin-", dir=base))
        return self

    def inside(self, name: str = "") -> str:
        """The path of the folder, or of `name` in it, as the release sees it."""
        path = self.path / name
        return str(path if self._root is None else Path("/") / path.relative_to(self._root))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        shutil.rmtree(self.path)


@functools.cache
def available_releases() -> tuple[Release, ...]:
    """The releases on this machine, oldest first; the system's own comes before a chroot of the same number.

    PYERLCOIN_RELEASES=system leaves out the chroots where the system has a release of its own: the quick run.
    """
    found: dict[str, Release] = {}
    if shutil.which("elixir") and shutil.which("erl"):
        asked = ["erl", "-noshell", "-eval", "io:put_chars(erlang:system_info(otp_release)), halt()."]
        number = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60 * UNIT).stdout.strip()
        found[f"otp{number}"] = Release(f"otp{number}")
    quick = bool(found) and os.environ.get("PYERLCOIN_RELEASES") == "system"
    if os.geteuid() == 0 and not quick:
        for name in RELEASES:
            root = vm_dir() / name
            if name not in found and (root / "usr/bin/elixir").exists():
                found[name] = Release(name, root)
    return tuple(found[name] for name in sorted(found))


class RealEpmd(Child):
    """OTP's own epmd in the foreground, on a port of its own; `stop` or the end of the block ends it."""

    def __init__(self, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        program = shutil.which("epmd")
        release = next(iter(available_releases()), None)
        if program is None and release is not None and release.root is not None:
            argv = release.command("epmd")
        else:
            argv = ["epmd"]
        super().__init__([*argv, "-port", str(self.port), "-address", "127.0.0.1", "-d", "-d"], label="epmd")

    def ready(self) -> None:
        """Returns once it listens."""
        self.wait_line_sync("entering the main select", timeout=20 * UNIT)


class EvalFailed(Exception):
    """The evaluated code did not return: `kind` is error, exit or throw, `reason` what `inspect` shows of it."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


class Beam(Child):
    """A running node of a real BEAM that evaluates Elixir.

    `epmd_port` is the port of the epmd it registers with, which must be running: `RealEpmd`, or ours. The node starts
    none of its own. `name` is a full node name, long, or short with `short=True`. `flags` are further arguments of erl.
    """

    def __init__(
        self,
        release: Release,
        *,
        epmd_port: int,
        name: str | None = None,
        cookie: str | None = None,
        hidden: bool = False,
        short: bool = False,
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.release = release
        self.epmd_port = epmd_port
        self.node = name or fresh_node("beam")
        self.cookie = cookie or fresh_cookie()
        self._ids = itertools.count(1)
        self._answers: dict[str, concurrent.futures.Future[str]] = {}
        super().__init__(
            release.command(
                "elixir",
                *node_options(self.node, self.cookie, hidden=hidden, short=short, flags=flags),
                "-e",
                _EVALUATOR.read_text(),
            ),
            env={**_ENVIRONMENT, "ERL_EPMD_PORT": str(epmd_port), "HOME": "/tmp", **(env or {})},
            label=f"{release} {self.node}",
        )

    def ready(self) -> None:
        """Returns once the node is up and registered. Raises ChildFailed when it will never be."""
        ready = self.wait_line_sync(r"^=> ready (\S+) (\S+) (\S+)$", stream="out", timeout=60 * UNIT)
        self.node, self.otp, self.elixir = ready[1], int(ready[2]), ready[3]

    async def eval(self, code: str, timeout: float = 30 * UNIT) -> str:
        """What `inspect` shows of the value of `code`, evaluated in a process of its own.

        Raises EvalFailed when it raised, exited or threw; ChildFailed when the node ended or `timeout` seconds passed.
        """
        number = str(next(self._ids))
        future: concurrent.futures.Future[str] = concurrent.futures.Future()
        self._answers[number] = future
        try:
            self.write(f"{number} {base64.b64encode(code.encode()).decode()}\n")
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except TimeoutError:
            raise ChildFailed(f"{self.label} gave no value of {code!r} within {timeout:g} s\n{self.log}") from None
        finally:
            self._answers.pop(number, None)

    async def external(self, code: str, options: str = "[]") -> bytes:
        """The bytes of `:erlang.term_to_binary(code, options)`."""
        shown = await self.eval(f"Base.encode16(:erlang.term_to_binary(({code}), {options}))")
        return bytes.fromhex(shown.strip('"'))

    async def stop(self) -> None:
        """The node ends as `init:stop` ends it: applications first, connections closed, epmd told."""
        if self.running:
            self.write(f"0 {base64.b64encode(b'System.stop(0)').decode()}\n")
            await self.wait(30 * UNIT)

    def on_line(self, stream: Stream, line: str) -> None:
        if stream != "out" or not line.startswith("=> "):
            return
        _, number, kind, *rest = line.split(" ")
        future = self._answers.pop(number, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        text = base64.b64decode(rest[0]).decode()
        if kind == "ok":
            future.set_result(text)
        else:
            future.set_exception(EvalFailed(kind, text))

    def on_end(self, failure: ChildFailed) -> None:
        for future in list(self._answers.values()):
            if future.set_running_or_notify_cancel():
                future.set_exception(failure)


class ElixirScript(Child):
    """`elixir SCRIPT ARGS` as a node of its own, as a person starts it in a shell.

    `flags` as for a `Beam`, `output` as for a `Child`.
    """

    def __init__(
        self,
        release: Release,
        script: Path,
        *args: str,
        epmd_port: int,
        cookie: str,
        name: str | None = None,
        flags: Sequence[str] = (),
        output: Path | None = None,
    ) -> None:
        self.node = name or fresh_node(script.stem)
        self._folder = release.folder()
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._folder)
            shutil.copy(script, self._folder.path)
            super().__init__(
                release.command(
                    "elixir", *node_options(self.node, cookie, flags=flags), self._folder.inside(script.name), *args
                ),
                env={**_ENVIRONMENT, "ERL_EPMD_PORT": str(epmd_port), "HOME": "/tmp"},
                label=f"{release} {script.name}",
                output=output,
            )
            undo.pop_all()

    def close(self) -> None:
        super().close()
        self._folder.__exit__(None, None, None)


def node_options(
    name: str, cookie: str, *, hidden: bool = False, short: bool = False, flags: Sequence[str] = ()
) -> list[str]:
    """Arguments of `elixir` for a node on loopback that starts no epmd of its own and leaves idle cores idle.

    With `inet_dist_use_interface` in `flags` it is elsewhere.
    """
    erl = ["-start_epmd false", "+sbwt none", "+S 2:2", *flags]
    # The first counts.
    if not any("inet_dist_use_interface" in flag for flag in flags):
        erl.append("-kernel inet_dist_use_interface {127,0,0,1}")
    return [
        "--sname" if short else "--name",
        name,
        "--cookie",
        cookie,
        *(["--hidden"] if hidden else []),
        "--erl",
        " ".join(erl),
    ]
