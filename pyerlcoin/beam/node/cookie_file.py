"""The cookie file, found and made as `auth` does (OTP, Distributed Erlang, "Security").

`$HOME/.erlang.cookie`; if there is none, `erlang/.erlang.cookie` under `$XDG_CONFIG_HOME` (or `~/.config`); if
there is none either, the first is made. Only its owner may use it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import string
from collections.abc import Mapping
from pathlib import Path

from pyerlcoin.beam.dist.cookie import Cookie, check_mode
from pyerlcoin.beam.errors import InvalidCookie

__all__ = ["read_cookie"]

_GENERATED_LENGTH = 20
_MOST_BYTES = 4096  # a cookie has at most 255 characters; a file far beyond that is no cookie file


def read_cookie(environ: Mapping[str, str] | None = None) -> Cookie:
    """The cookie of this user, made if there is none yet. `environ` defaults to the process's own.

    Raises:
        InvalidCookie: no home directory, a file that others can use, that cannot be read or made, or whose
            content erl would refuse.
    """
    environ = os.environ if environ is None else environ
    home = environ.get("HOME")
    if not home:
        raise InvalidCookie("HOME is not set, so there is no ~/.erlang.cookie: give a cookie")
    first = Path(home) / ".erlang.cookie"
    xdg = Path(environ.get("XDG_CONFIG_HOME") or Path(home) / ".config") / "erlang" / ".erlang.cookie"
    for path in (first, xdg):
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
    try:
        return _create(first)
    except FileExistsError:  # another node made it between our look and our making
        return _read(first)


def _read(path: Path) -> Cookie:
    try:
        # O_NONBLOCK: opening a pipe of that name must not hang; check_mode refuses it then.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            check_mode(os.fstat(descriptor).st_mode, str(path))
            content = file.read(_MOST_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidCookie(f"{path} cannot be read: {error.strerror}") from error
    return Cookie.from_file(content, str(path))


def _create(path: Path) -> Cookie:
    # erl draws 20 capitals from a guessable generator; these come from the system's.
    text = "".join(secrets.choice(string.ascii_uppercase) for _ in range(_GENERATED_LENGTH))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with open(descriptor, "wb") as file:
            file.write(text.encode())
    except FileExistsError:
        raise
    except OSError as error:
        raise InvalidCookie(f"{path} cannot be made: {error.strerror}") from error
    return Cookie(text)
