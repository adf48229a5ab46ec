"""A command in a terminal of its own: what its screen shows, and keys pressed on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.clock import UNIT

__all__ = ["Terminal"]

_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b.|[\r\n]|[^\x1b\r\n]+")


class Terminal:
    """`pyerlcoin ARGUMENTS` on a pseudo-terminal of so many columns and rows.

    It knows the few control sequences that Rich writes. What does not fit into a row goes on in the next one, as a real
    terminal does it, and is counted in `wrapped`.

    `in_shell`: the command is a job of something like a shell, so it can be stopped (Ctrl-Z), and the shell's words are
    on the screen too: `[stopped]`, then it obeys the lines `fg` and `bg`; `[ended N]` when the job has.
    """

    def __init__(
        self, *arguments: str, env: Mapping[str, str], columns: int, rows: int = 30, in_shell: bool = False
    ) -> None:
        self.columns = columns
        self.rows = rows
        self.wrapped: list[str] = []
        self.raw = ""
        self._screen = [""]
        self._row = 0
        self._column = 0
        self._rest = b""
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        here = Path(__file__).resolve().parents[2]
        plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")}
        settings = {"TERM": "xterm-256color", "PYTHONPATH": str(here), "PYTHONIOENCODING": "utf-8"}
        self._process = subprocess.Popen(
            # A session of its own whose terminal this is, as every shell's is: without one there are no jobs in front.
            [sys.executable, "-c", _SHELL if in_shell else _OPEN, *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            env={**plain, **settings, **env},
        )

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    @property
    def text(self) -> str:
        """What was on the screen so far, rows that scrolled away as well."""
        return "\n".join(row.rstrip() for row in self._screen)

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    @property
    def front(self) -> int:
        """The process group in the foreground."""
        return os.tcgetpgrp(self._master)

    def wait(self, pattern: str, timeout: float = 30 * UNIT) -> re.Match[str]:
        """Until the screen shows `pattern`."""
        deadline = time.monotonic() + timeout
        while (match := re.search(pattern, self.text)) is None:
            assert self._read(deadline), f"no {pattern!r} within {timeout:g} s or before its end:\n{self.text}"
        return match

    def end(self, timeout: float = 30 * UNIT) -> int:
        """Its exit code, once it has ended and everything was read."""
        deadline = time.monotonic() + timeout
        while self._process.poll() is None:
            self._read(min(deadline, time.monotonic() + 0.05))
            assert time.monotonic() < deadline, f"it does not end:\n{self.text}"
        while self._read(time.monotonic()):
            pass
        return self._process.returncode

    def _read(self, deadline: float) -> bool:
        ready = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]
        if not ready:
            return False
        # The last bytes may be half a character, or half a control sequence.
        data = self._rest + os.read(self._master, 65536)
        whole = re.search(rb"(\x1b\[?[0-9;?]*|[\xc2-\xf4][\x80-\xbf]{0,2})\Z", data)
        cut = whole.start() if whole and not _is_whole(whole[0]) else len(data)
        data, self._rest = data[:cut], data[cut:]
        text = data.decode("utf-8", "replace")
        self.raw += text
        for match in _CONTROL.finditer(text):
            self._control(match)
        return True

    def _control(self, match: re.Match[str]) -> None:
        token, number, letter = match[0], match[1], match[2]
        if token == "\r":
            self._column = 0
        elif token == "\n":
            self._row += 1
            while len(self._screen) <= self._row:
                self._screen.append("")
        elif letter == "A":
            self._row = max(0, self._row - int(number or 1))
        elif letter == "K":
            self._screen[self._row] = ""
        elif letter is None and not token.startswith("\x1b"):
            self._put(token)

    def _put(self, text: str) -> None:
        old = self._screen[self._row].ljust(self._column)
        line = old[: self._column] + text + old[self._column + len(text) :]
        self._column += len(text)
        if len(line.rstrip()) > self.columns:
            self.wrapped.append(line)
        self._screen[self._row] = line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)
        os.close(self.slave)


_OPEN = """\
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from pyerlcoin.cli.edge import main
sys.exit(main(sys.argv[1:]))
"""

_SHELL = """\
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    from pyerlcoin.cli.edge import main
    sys.exit(main(sys.argv[1:]))
def wait():
    global status
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpid())
    return os.WIFSTOPPED(status)
mine = termios.tcgetattr(0)
while wait():
    if os.WSTOPSIG(status) != signal.SIGTSTP:
        # What the job could not undo. Other shells do so each time; this one sees whether the job has.
        termios.tcsetattr(0, termios.TCSADRAIN, mine)
    while True:
        print("[stopped]", flush=True)
        word = sys.stdin.readline()
        if not word:
            sys.exit("the terminal is gone")
        word = word.strip()
        if word == "fg":
            os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
        if word == "fg":
            break
print(f"[ended {os.waitstatus_to_exitcode(status)}]", flush=True)
"""


def _is_whole(tail: bytes) -> bool:
    if tail.startswith(b"\x1b"):
        return False
    try:
        tail.decode()
    except UnicodeDecodeError:
        return False
    return True
