"""The command line: commands, options, what the terminal shows, exit codes."""

from __future__ import annotations

import signal
from types import FrameType

__all__ = ["main"]


def main() -> int:
    """What the program `pyerlcoin` does with its arguments. Returns the exit code."""
    # Whoever ignores it, or handles it, has had a reason.
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        # Here, not above: a Ctrl-C while the rest is still being imported is an interruption, too.
        from pyerlcoin.cli.edge import main as run

        return run()
    except KeyboardInterrupt:
        return 130


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """SIGTERM is what Ctrl-C is at that moment. Where that is ignored, as behind a script's `&`, it still ends us."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(number, frame)
