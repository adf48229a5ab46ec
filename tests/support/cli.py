"""What the tests of the command line say about every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Run", "refused"]

Run: TypeAlias = Callable[..., tuple[int, str, str]]


def refused(answer: tuple[int, str, str], code: int, words: str) -> None:
    """The answer is exit code `code`, one sentence on stderr with `words` in it, and nothing else."""
    got, out, err = answer
    assert got == code, err
    assert out == ""
    assert words in err
    assert err.startswith("pyerlcoin: ")
    assert err.count("\n") == 1, "one sentence"
    assert "Traceback" not in err
