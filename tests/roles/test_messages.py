from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.etf import ERROR, OK, Atom, Map, Term, binary_to_term, term_to_binary
from pyerlcoin.coin.answers import Counted, Refusal, Welcome, Work
from pyerlcoin.coin.facts import Reason
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles import messages
from pyerlcoin.roles.messages import (
    AskLeaderboard,
    AskProgress,
    AskWorth,
    Coin,
    Done,
    Given,
    Hello,
    Malformed,
    Refused,
    SetWorkload,
    UnreadableReply,
)
from pyerlcoin.store import NotWritten
from tests.support.terms import terms

CALLS = [Hello("Alice"), Coin("Jürgen 🦀", 10**40), Done("Bob"), AskLeaderboard(), AskWorth(), AskProgress()]
ENDLESS = 10**4_300
"""Python writes no integer of so many digits in decimal."""
READERS = [
    messages.read_welcome,
    messages.read_unit,
    messages.read_count,
    messages.read_worth,
    messages.read_leaderboard,
    messages.read_progress,
]


@pytest.mark.parametrize("request_", CALLS, ids=lambda request: type(request).__name__)
def test_a_call_arrives_as_it_was_meant(request_: messages.Request) -> None:
    assert messages.read_call(binary_to_term(term_to_binary(messages.request_term(request_)))) == request_


@pytest.mark.parametrize("workload", [1, 10**30, "auto"])
def test_a_workload_arrives_as_it_was_meant(workload: object) -> None:
    term = binary_to_term(term_to_binary(messages.request_term(SetWorkload(workload))))
    assert messages.read_cast(term) == SetWorkload(workload)


def test_the_requests_are_those_of_the_contract() -> None:
    assert messages.request_term(Hello("A")) == (Atom("hello"), "A")
    assert messages.request_term(Coin("A", 7)) == (Atom("coin"), "A", 7)
    assert messages.request_term(Done("A")) == (Atom("done"), "A")
    assert messages.request_term(AskLeaderboard()) == Atom("leaderboard")
    assert messages.request_term(AskWorth()) == Atom("worth")
    assert messages.request_term(SetWorkload(5)) == (Atom("workload"), 5)


@given(terms)
def test_any_term_is_a_request_or_gets_a_sentence(term: Term) -> None:
    for read in (messages.read_call, messages.read_cast):
        request = read(term)
        if isinstance(request, Malformed):
            assert messages.error_term(request.message) == (ERROR, request.message.encode())
            assert request.message
        else:
            assert binary_to_term(term_to_binary(messages.request_term(request))) == term


@given(st.sampled_from(["hello", "coin", "done", "workload"]), st.lists(terms, max_size=4))
def test_a_request_with_anything_in_it_is_read_without_raising(tag: str, rest: list[Term]) -> None:
    term = (Atom(tag), *rest)
    assert messages.read_call(term) is not None
    assert messages.read_cast(term) is not None


@pytest.mark.parametrize(
    "term",
    [Map({Atom("hello"): b"A"}), [Atom("hello"), b"A"], (b"hello", b"A"), (Atom("hello"),), Atom("hallo"), 7, ()],
)
def test_what_is_no_request_is_told_what_is(term: Term) -> None:
    request = messages.read_call(term)
    assert isinstance(request, Malformed)
    assert "{:hello, name}" in request.message


def test_a_workload_that_is_called_is_told_to_be_cast() -> None:
    request = messages.read_call((Atom("workload"), 5))
    assert isinstance(request, Malformed)
    assert "GenServer.cast" in request.message


def test_a_name_that_is_no_utf8_reaches_the_ledger_as_it_came() -> None:
    assert messages.read_call((Atom("hello"), b"\xff")) == Hello(b"\xff")


@pytest.mark.parametrize(
    ("answer", "term"),
    [
        (Work(Unit(7, 7), bare=True), (OK, 7)),
        (Work(Unit(7, 7), bare=False), (OK, (7, 7))),
        (Work(Unit(7, 9), bare=False), (OK, (7, 9))),
        (Welcome(b"S", Work(Unit(1, 100), bare=False)), (OK, b"S", (1, 100))),
        (Counted(3), (OK, 3)),
        (Refusal(Reason.NAME_TAKEN, "no \udcff"), (ERROR, b"no ?")),
    ],
)
def test_answers_are_the_replies_of_the_contract(answer: object, term: Term) -> None:
    assert messages.answer_term(answer) == term  # type: ignore[arg-type]  # the parameters are of all its kinds


def test_an_unreadable_reply_says_what_to_look_at() -> None:
    with pytest.raises(UnreadableReply, match="is it a server of this game"):
        messages.read_worth(Atom("pong"))


def test_the_leaderboard_keeps_its_order() -> None:
    term = messages.leaderboard_term([("Zoë", 3), ("Al", 3), ("Bo", 0)])
    assert term == (OK, [("Zoë".encode(), 3), (b"Al", 3), (b"Bo", 0)])
    assert messages.read_leaderboard(binary_to_term(term_to_binary(term))) == [("Zoë", 3), ("Al", 3), ("Bo", 0)]


def progress() -> Progress:
    miner = MinerProgress("auto", "a@b", 2, 1.0, 1.5, 10, None, 2.5, True, 0)
    return Progress(1, 10**30, 90, 10, 0, 2, 1.25, None, 1e9, "auto", [miner])


def test_progress_arrives_with_every_field() -> None:
    told = messages.read_progress(binary_to_term(term_to_binary(messages.progress_term(progress()))))
    assert isinstance(told, dict)
    assert told["frontier"] == 10**30
    assert told["luck"] is None
    assert told["workload"] == "auto"
    assert told["miners"] == [
        {
            "name": "auto",
            "node": "a@b",
            "coins": 2,
            "share": 1.0,
            "hashes_per_second": 1.5,
            "open": 10,
            "last_coin_at": None,
            "quiet_since": 2.5,
            "present": True,
            "rejected": 0,
        }
    ]


REAL = st.floats(allow_nan=False, allow_infinity=False)
MINER = st.builds(MinerProgress, share=REAL, hashes_per_second=REAL, last_coin_at=st.none() | REAL, quiet_since=REAL)


@given(
    st.builds(
        Progress,
        expected_coins=REAL,
        luck=st.none() | REAL,
        hashes_per_second=REAL,
        workload=st.just("auto") | st.integers(1),
        miners=st.lists(MINER),
    )
)
def test_progress_is_told_by_its_fields(progress: Progress) -> None:
    values = asdict(progress)
    values["miners"] = [Map((Atom(key), value) for key, value in miner.items()) for miner in values["miners"]]
    if progress.workload == "auto":
        values["workload"] = Atom("auto")
    assert messages.progress_term(progress) == (OK, Map((Atom(key), value) for key, value in values.items()))


def test_progress_may_grow_but_not_shrink() -> None:
    told = binary_to_term(term_to_binary(messages.progress_term(progress())[1]))
    assert isinstance(told, Map)
    grown = Map([*told.items(), (Atom("luckier"), True)])
    values = messages.read_progress((OK, grown))
    assert isinstance(values, dict)
    assert values["luckier"] is True
    with pytest.raises(UnreadableReply):
        messages.read_progress((OK, Map([(Atom("first"), 1)])))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frontier", ENDLESS),
        ("finished", -ENDLESS),
        ("coins", 1e300),
        ("expected_coins", 10**400),
        ("luck", 10**400),
        ("hashes_per_second", 10**400),
        ("workload", [ENDLESS]),
        ("newer", ENDLESS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("of_miner", [False, True])
def test_progress_tells_numbers_that_can_be_shown(field: str, value: Term, of_miner: bool) -> None:
    told = dict(messages.progress_term(progress())[1].items())
    if of_miner:
        told[Atom("miners")] = [Map({**dict(told[Atom("miners")][0].items()), Atom(field): value})]
    else:
        told[Atom(field)] = value
    reply = binary_to_term(term_to_binary((OK, Map(told))))
    with pytest.raises(UnreadableReply, match="no progress"):
        messages.read_progress(reply)


@pytest.mark.parametrize(
    ("unit", "meant"), [(0, Unit(0, 0)), (5, Unit(5, 5)), ((0, 9), Unit(0, 9)), ((3, 3), Unit(3, 3))]
)
def test_units_come_bare_or_as_ranges(unit: Term, meant: Unit) -> None:
    assert messages.read_unit((OK, unit)) == meant
    assert messages.read_welcome((OK, b"S", unit)) == Given(b"S", meant)


@pytest.mark.parametrize("unit", [-1, (5, 4), (-3, 4), (1, 2, 3), [1, 2], b"5", 1.0, Atom("true"), (1, 2.0)])
def test_what_is_no_unit_is_said_to_be_none(unit: Term) -> None:
    with pytest.raises(UnreadableReply, match="no unit"):
        messages.read_unit((OK, unit))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("n", [ENDLESS, -ENDLESS], ids=["endless", "below zero"])
def test_no_integer_is_taken_that_nobody_could_be_shown(read: Callable[[Term], object], n: int) -> None:
    board = [(b"Alice", n)]
    for reply in [(OK, n), (OK, (1, n)), (OK, (n, n)), (OK, b"S", n), (OK, b"S", (1, n)), (OK, board), (ERROR, [n])]:
        with pytest.raises(UnreadableReply):
            read(reply)


def test_integers_of_thousands_of_digits_are_taken() -> None:
    n = 10**3_999
    assert messages.read_unit((OK, (n, n + 1))) == Unit(n, n + 1)
    assert messages.read_worth((OK, n)) == n
    assert messages.read_leaderboard((OK, [(b"Alice", n)])) == [("Alice", n)]


def test_a_secret_may_be_a_charlist() -> None:
    assert messages.read_welcome((OK, [83, 8364], 1)) == Given("S€".encode(), Unit(1, 1))


def test_a_secret_is_not_shown() -> None:
    assert "hidden" not in repr(Given(b"hidden", Unit(1, 1)))


@pytest.mark.parametrize("read", READERS)
def test_a_refusal_is_in_the_servers_words(read: Callable[[Term], object]) -> None:
    assert read((ERROR, b"'Alice' ist da")) == Refused("'Alice' ist da")
    assert read((ERROR, Atom("nope"))) == Refused("nope")


def test_what_could_not_be_kept_is_refused_for_now() -> None:
    unwritten = str(NotWritten("database or disk is full")).encode()
    for read in READERS:
        refused = read((ERROR, unwritten))
        assert isinstance(refused, Refused)
        assert refused.for_now
    assert not Refused("verification failed").for_now


@given(terms)
def test_any_reply_is_read_or_said_to_be_unreadable(term: Term) -> None:
    for read in READERS:
        for reply in (term, (OK, term), (OK, term, term), (ERROR, term)):
            # Nothing but that one error may come out.
            with suppress(UnreadableReply):
                read(reply)
