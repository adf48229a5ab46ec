from __future__ import annotations

import pytest

from pyerlcoin.beam.dist import AltactFlags, AltactSigSend, control_messages, read_message
from pyerlcoin.beam.errors import MalformedMessage
from pyerlcoin.beam.etf import Atom, Pid, Reference, Term, encode
from tests.support.control import MESSAGE_TYPES

_PID = Pid.make("a@b", 1, 0, 7)
_REF = Reference.make("a@b", 7, [1, 2, 3, 4, 5])

#: "Protocol between Connected Nodes": number, name, size of the tuple, and whether a message follows.
_CHAPTER = {
    (1, "LINK", 3, False),
    (2, "SEND", 3, True),
    (3, "EXIT", 4, False),
    (6, "REG_SEND", 4, True),
    (7, "GROUP_LEADER", 3, False),
    (8, "EXIT2", 4, False),
    (12, "SEND_TT", 4, True),
    (13, "EXIT_TT", 5, False),
    (16, "REG_SEND_TT", 5, True),
    (18, "EXIT2_TT", 5, False),
    (19, "MONITOR_P", 4, False),
    (20, "DEMONITOR_P", 4, False),
    (21, "MONITOR_P_EXIT", 5, False),
    (22, "SEND_SENDER", 3, True),
    (23, "SEND_SENDER_TT", 4, True),
    (24, "PAYLOAD_EXIT", 3, True),
    (25, "PAYLOAD_EXIT_TT", 4, True),
    (26, "PAYLOAD_EXIT2", 3, True),
    (27, "PAYLOAD_EXIT2_TT", 4, True),
    (28, "PAYLOAD_MONITOR_P_EXIT", 4, True),
    (29, "SPAWN_REQUEST", 6, True),
    (30, "SPAWN_REQUEST_TT", 7, True),
    (31, "SPAWN_REPLY", 5, False),
    (32, "SPAWN_REPLY_TT", 6, False),
    (33, "ALIAS_SEND", 3, True),
    (34, "ALIAS_SEND_TT", 4, True),
    (35, "UNLINK_ID", 4, False),
    (36, "UNLINK_ID_ACK", 4, False),
    (37, "ALTACT_SIG_SEND", 4, True),
}


def test_the_declarations_are_those_of_the_chapter() -> None:
    declared = {(kind.op, kind.name, kind._form.least, kind.has_payload) for kind in MESSAGE_TYPES}
    assert declared == _CHAPTER


def test_all_are_exported() -> None:
    assert {kind.__name__ for kind in MESSAGE_TYPES} | {"AltactFlags"} == set(control_messages.__all__)


def _altact(*elements: Term) -> bytes:
    return b"p\x83" + encode((37, *elements)) + b"\x83" + encode(1)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ((0, _PID, _PID), AltactSigSend(0, _PID, _PID, None, 1)),
        ((4, _PID, _REF), AltactSigSend(AltactFlags.ALIAS, _PID, _REF, None, 1)),
        ((9, _PID, Atom("srv")), AltactSigSend(9, _PID, Atom("srv"), None, 1)),
        ((6, _PID, _REF, b"token"), AltactSigSend(6, _PID, _REF, b"token", 1)),
        ((6, _PID, _REF, b"token", 5, 6), AltactSigSend(6, _PID, _REF, b"token", 1)),
        ((0x1000, _PID, _PID), AltactSigSend(0x1000, _PID, _PID, None, 1)),
    ],
)
def test_altact_sig_send_has_at_least_four_elements(elements: tuple[Term, ...], expected: AltactSigSend) -> None:
    assert read_message(_altact(*elements)) == expected


@pytest.mark.parametrize(
    "elements",
    [
        (0, _PID),
        (0, _PID, _REF),
        (4, _PID, _PID),
        (8, _PID, _PID),
        (2, _PID, _PID),
        (-1, _PID, _PID),
        (0, _REF, _PID),
        (Atom("x"), _PID, _PID),
    ],
)
def test_altact_flags_say_what_the_target_is(elements: tuple[Term, ...]) -> None:
    with pytest.raises(MalformedMessage, match="ALTACT_SIG_SEND"):
        read_message(_altact(*elements))
