from __future__ import annotations

import logging

import pytest

from pyerlcoin.beam.errors import CookieMismatch, LimitExceeded
from pyerlcoin.beam.node.events import (
    EpmdLost,
    EpmdOpened,
    EpmdRegistered,
    EpmdTakenOver,
    Event,
    HandshakeRefused,
    MailboxFull,
    NodeDisconnected,
    NodeUp,
    ProcessCrashed,
    log_event,
)


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (NodeUp("a@h", 7, True), logging.DEBUG, "= connected to a@h (creation 7)"),
        (NodeUp("a@h", 7, False), logging.DEBUG, "= connected from a@h (creation 7)"),
        (NodeDisconnected("a@h", "it closed"), logging.DEBUG, "= the connection to a@h ended: it closed"),
        (
            NodeDisconnected("a@h", "x", LimitExceeded("a frame", 2, 1)),
            logging.WARNING,
            "! closed the connection to a@h: a frame is 2, over the limit of 1",
        ),
        (
            HandshakeRefused("1.2.3.4:5", CookieMismatch("a@h")),
            logging.WARNING,
            "! refused a connection from 1.2.3.4:5: a@h has another cookie: start both nodes with the same --cookie",
        ),
        (EpmdRegistered(4369, 5), logging.DEBUG, "= registered port 5 at the epmd on port 4369"),
        (EpmdTakenOver(4369, ("a", "b")), logging.DEBUG, "= serving as epmd on port 4369 of a, b"),
        (EpmdOpened(4369, ("a", "b")), logging.DEBUG, "= serving as epmd on port 4369 of a, b as well"),
        (EpmdLost(4369), logging.WARNING, "! the epmd on port 4369 went away; registering again"),
        (ProcessCrashed("x", KeyError("y")), logging.ERROR, "! process x ended: its handler raised"),
        (MailboxFull("x", 3), logging.WARNING, "! process x has 3 messages waiting: dropping what else comes"),
    ],
)
def test_what_the_log_says(event: Event, level: int, text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "pyerlcoin.beam.node")
    log_event(event)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (level, text)
