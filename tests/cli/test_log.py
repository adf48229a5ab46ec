import io
import logging
import re
from collections.abc import Iterator

import pytest

from pyerlcoin.beam.errors import CookieMismatch
from pyerlcoin.beam.node.events import HandshakeRefused, MailboxFull, log_event
from pyerlcoin.cli.log import MOST, LogHandler


class Log:
    """The node's log, as the command line has it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.stream = io.StringIO()
        self.handler = LogHandler(self.stream, lambda: self.now)

    def lines(self) -> list[str]:
        """Since the last time, each without its time, which it has to have."""
        text = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in text.splitlines())
        return [line[9:] for line in text.splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    log, logger = Log(), logging.getLogger("pyerlcoin.beam.node")
    logger.addHandler(log.handler)
    yield log
    logger.removeHandler(log.handler)


def refuse(port: int) -> None:
    log_event(HandshakeRefused(f"1.2.3.4:{port}", CookieMismatch("a@h")))


def test_a_line_has_its_time(log: Log) -> None:
    refuse(1)
    (line,) = log.lines()
    assert line.startswith("! refused a connection from 1.2.3.4:1: ")


def test_strangers_cannot_fill_the_disk(log: Log) -> None:
    for port in range(3_400):
        refuse(port)
    log_event(MailboxFull("x", 3))
    lines = log.lines()
    assert len(lines) == MOST + 1
    assert "x has 3 messages waiting" in lines[-1]
    log.now += 1
    refuse(7)
    lines = log.lines()
    assert lines[0] == f"… and {3_400 - MOST:,} more like these in a second"
    assert ":7: " in lines[1]
    for port in range(MOST):
        refuse(port)
    log.handler.close()
    assert log.lines()[-1] == "… and 1 more like these in a second"
