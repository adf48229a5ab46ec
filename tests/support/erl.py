"""One Erlang evaluation in a fresh BEAM without distribution: what it prints."""

from __future__ import annotations

import subprocess

from tests.support.beam import Release
from tests.support.clock import UNIT

__all__ = ["erl"]


def erl(release: Release, code: str, text: str = "") -> list[str]:
    """The lines that `code`, Erlang expressions without a final full stop, prints; it may read `text` from its stdin.

    Raises CalledProcessError when it does not end with `halt()` by itself.
    """
    done = subprocess.run(
        release.command("erl", "-noinput" if not text else "-noshell", "-eval", f"{code}, halt()."),
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=60 * UNIT,
    )
    return done.stdout.splitlines()
