"""Standard output, which may be closed, full, unread, or of an encoding that lacks a stranger's letters."""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
from typing import IO, Final, TextIO

__all__ = ["dots", "has_hung_up", "is_full", "is_unread", "json_line", "prepare", "silence"]

_UNREAD: Final = frozenset({errno.EPIPE, errno.EIO})
"""A pipe whose reader went, and a terminal that hung up."""

_ESCAPE: Final = "pyerlcoin.escape"
"""As `backslashreplace`, but that an ellipsis of ours stays one."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def prepare() -> None:
    """Make both streams take whatever is printed: what was closed goes nowhere, what has no letter is escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Started with `>&-`. The file also keeps the number from what is opened next.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # for as long as we run
        elif isinstance(stream, io.TextIOWrapper) and _can_fail(stream):
            codecs.register_error(_ESCAPE, _escape)
            stream.reconfigure(errors=_ESCAPE)


def dots(encoding: str) -> str:
    """What ends a text that is cut: an ellipsis where the encoding has one."""
    try:
        "…".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "..."
    return "…"


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    escaped = (letter.encode("ascii", "backslashreplace").decode() for letter in lacking.replace("…", "..."))
    return "".join(escaped), error.end


def _can_fail(stream: io.TextIOWrapper) -> bool:
    # `backslashreplace` is what standard error has. In the C locale Python takes `surrogateescape`, which has a byte
    # for what was one, and for no letter.
    return stream.errors in ("strict", "backslashreplace") or (
        stream.errors == "surrogateescape" and not _is_utf8(stream)
    )


def _is_utf8(stream: TextIO) -> bool:
    return codecs.lookup(stream.encoding or "ascii").name == "utf-8"


def is_unread(error: OSError) -> bool:
    """Whether a write failed because nobody is there to read it, now or later."""
    return error.errno in _UNREAD


def has_hung_up(error: OSError) -> bool:
    """Whether it did because the terminal was closed."""
    return error.errno == errno.EIO


def is_full(error: OSError) -> bool:
    """Whether a write failed for want of room, which there may be again."""
    return error.errno in _FULL


def silence(stream: IO[str]) -> None:
    """Send the rest nowhere: what is left in the buffer must not raise again when the interpreter ends."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def json_line(value: object) -> str:
    """JSON that standard output can carry: raw text where that is UTF-8, as JSON is, else escaped to ASCII."""
    return json.dumps(value, ensure_ascii=not _is_utf8(sys.stdout))
