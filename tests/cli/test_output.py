from __future__ import annotations

import errno
import io
import json
import os
import sys
from pathlib import Path

import pytest

from pyerlcoin.cli.output import dots, is_full, is_unread, json_line, prepare, silence


def narrow(encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    """A stream of that encoding, whose bytes are in its buffer."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)


def test_a_letter_that_the_encoding_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = narrow("ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    prepare()
    print("Zoë", flush=True)
    assert stream.buffer.getvalue() == b"Zo\\xeb\n"  # type: ignore[attr-defined]  # ours


@pytest.mark.parametrize("errors", ["strict", "backslashreplace"])
def test_an_ellipsis_is_three_dots_there(monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    """Also on standard error, which Python opens with the latter."""
    stream = narrow("ascii", errors)
    monkeypatch.setattr(sys, "stderr", stream)
    prepare()
    print("… a snow\u2603man…", file=stream, flush=True)
    assert stream.buffer.getvalue() == b"... a snow\\u2603man...\n"  # type: ignore[attr-defined]  # ours
    assert [dots(encoding) for encoding in ("ascii", "latin-1", "utf-8", "cp1252", "none")] == [
        "...",
        "...",
        "…",
        "…",
        "...",
    ]


@pytest.mark.parametrize(("encoding", "errors"), [("ascii", "pyerlcoin.escape"), ("utf-8", "surrogateescape")])
def test_in_the_c_locale_it_is_escaped_as_well(monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str) -> None:
    """Python opens the streams so there, for names of files that are no text."""
    monkeypatch.setattr(sys, "stdout", narrow(encoding, "surrogateescape"))
    prepare()
    assert sys.stdout.errors == errors


def test_who_said_what_becomes_of_such_letters_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", narrow("latin-1", "replace"))
    prepare()
    assert sys.stdout.errors == "replace"


def test_what_was_closed_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    prepare()
    for stream in (sys.stdout, sys.stderr):
        print("Zoë", file=stream, flush=True)
        assert stream.name == os.devnull
        stream.close()


@pytest.mark.parametrize(("encoding", "raw"), [("utf-8", True), ("UTF8", True), ("latin-1", False), ("ascii", False)])
def test_json_is_json_in_any_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str, raw: bool) -> None:
    monkeypatch.setattr(sys, "stdout", narrow(encoding))
    line = json_line({"name": "Zoë"})
    assert json.loads(line) == {"name": "Zoë"}
    assert ("ë" in line) is raw


def test_what_is_silenced_raises_no_more(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        full.write("lost")
        with pytest.raises(OSError, match="No space left") as caught:
            full.flush()
        silence(full)
        full.flush()
    assert is_full(caught.value)
    assert not is_unread(caught.value)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO])
def test_nobody_reads(number: int) -> None:
    assert is_unread(OSError(number, "odd"))
    assert not is_full(OSError(number, "odd"))
