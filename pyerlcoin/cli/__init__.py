"""The command line: commands, options, what the terminal shows, exit codes."""

from pyerlcoin.cli.edge import main

__all__ = ["main"]
