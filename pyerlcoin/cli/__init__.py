"""The command line: commands, options, what the terminal shows, exit codes."""

from __future__ import annotations

__all__ = ["main"]


def main() -> int:
    """What the program `pyerlcoin` does with its arguments. Returns the exit code."""
    try:
        # Here, not above: a Ctrl-C while the rest is still being imported is an interruption, too.
        from pyerlcoin.cli.edge import main as run

        return run()
    except KeyboardInterrupt:
        return 130
