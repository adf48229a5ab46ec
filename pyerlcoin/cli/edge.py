"""The edge: whatever goes wrong becomes one sentence on stderr and an exit code. The only such place."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import Final, cast

import typer

from pyerlcoin.beam.errors import BeamError
from pyerlcoin.cli.app import make_app
from pyerlcoin.cli.log import LogHandler
from pyerlcoin.cli.output import is_full, is_unread, prepare, silence
from pyerlcoin.cli.text import shown
from pyerlcoin.errors import ExitCode, GameError

__all__ = ["main"]

PROGRAM: Final = "pyerlcoin"

# Typer carries click inside in some versions and beside it in others; this is click's own base in both.
_USAGE: Final = cast(type[Exception], typer.BadParameter.__mro__[2])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code. Never raises, never shows a traceback for what was foreseen."""
    prepare()
    logging.basicConfig(level=logging.WARNING, handlers=[LogHandler(sys.stderr)])
    code = _run(sys.argv[1:] if arguments is None else arguments)
    try:
        # All but the lines of `lines.Output` is flushed as it is said, or has failed there.
        sys.stdout.flush()
    except OSError:
        silence(sys.stdout)
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        result = make_app(arguments)(args=arguments, prog_name=PROGRAM, standalone_mode=False)
        return result if isinstance(result, int) else ExitCode.DONE
    except GameError as error:
        return _say(str(error), error.exit_code)
    except BeamError as error:
        # Whoever raised it has imported the node by now; who did not need it should not wait for it.
        from pyerlcoin.runtimes.native import translate

        meaning = translate(error)
        return _say(str(meaning), meaning.exit_code)
    except (KeyboardInterrupt, asyncio.CancelledError, typer.Abort):
        return ExitCode.INTERRUPTED
    except SystemExit:
        # Typer's way out when nobody reads the output; nothing else exits past us.
        return ExitCode.DONE
    except OSError as error:
        # What else is foreseen is a GameError or a BeamError by now, and what concerns another file names it.
        if error.filename is None and (is_unread(error) or is_full(error)):
            return _lost(error)
        raise
    except _USAGE as error:
        return _usage(error)


def _lost(error: OSError) -> int:
    """What was written to standard output ended in `error`. Whoever no longer reads has seen enough."""
    silence(sys.stdout)
    if is_unread(error):
        return ExitCode.DONE
    return _say(f"cannot write to standard output ({error.strerror}): send it elsewhere", ExitCode.WRONG_USAGE)


def _usage(error: BaseException) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    message = str(getattr(error, "format_message", error.__str__)()).strip()
    if not message or "\n" in message:
        # No command at all: click's message is the help.
        message = "say what to do"
    return _say(f"{message.rstrip('.')}: see {command} --help", ExitCode.WRONG_USAGE)


def _say(sentence: str, code: ExitCode) -> int:
    try:
        print(f"{PROGRAM}: {shown(sentence, 2000)}", file=sys.stderr)
    except OSError:
        silence(sys.stderr)
    return code
