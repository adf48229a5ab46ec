from __future__ import annotations

import pytest

from pyerlcoin.cli import sentences
from pyerlcoin.coin import facts
from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles import events

EVIL = "\x1b[2J\u202eevil"

MINER: list[tuple[object, str]] = [
    (events.SearchStarted("python", 1, "engine python"), "searching on 1 core: engine python"),
    (events.SearchStarted("simd", 2, "fast"), "searching on 2 cores: fast"),
    (events.Joined("Al", "s@h", False), "joined s@h as 'Al'"),
    (events.Joined("Al", "s@h", True), "joined again s@h as 'Al'"),
    (events.NameTaken("Al", "'Al' is already registered", False), "trying again, in case that was us"),
    (events.NameTaken("Al", "'Al' is already registered", True), "going on with the units in hand"),
    (events.SecretChanged(2), "2 units dropped"),
    (events.UnitAbandoned(0, 1, 9, "why"), "unit 1-9 given up: why"),
    (events.CoinAccepted(0, 77, 3), "coin 77 accepted, 3 in all"),
    (events.CoinRejected(0, 77, "verification failed"), "coin 77 rejected: verification failed"),
    (events.CoinLost(0, 77), "use --engine python"),
    (events.StillWaiting(0, "done", 5.0), "no answer to done after 5 s: still waiting"),
    (events.ServerGone("it ended"), "the server is gone: it ended; the search goes on"),
    (events.Retrying(3, 1.5, "why"), "attempt 3 in 1.5 s: why"),
    (
        events.Stopped(2, 1, 5_000_000, 3, 2.0, "enough"),
        "enough: 2 coins accepted, 1 rejected, 5,000,000 integers in 2 s, 2.5",
    ),
    (events.Stopped(1, 0, 1, 1, 2.0, "enough"), "enough: 1 coin accepted, 0 rejected, 1 integer in 2 s"),
]

SERVER: list[tuple[object, str]] = [
    (facts.Registered(0.0, "Al", "a@h"), "'Al' registered from a@h"),
    (facts.Resumed(0.0, "Al", "a@h"), "'Al' is back from a@h"),
    (facts.Left(0.0, "Al", "a@h"), "'Al' left"),
    (facts.Returned(0.0, Unit(5, 9), "Al", "a@h", "lease"), "unit 5-9 of 'Al' comes back: lease"),
    (facts.CoinAccepted(0.0, 7, "Al", 2, 9), "coin 7 of 'Al', 2 of theirs, 9 in the wallet"),
    (facts.WorkloadChanged(0.0, "auto"), "the workload is auto"),
    (facts.Rejected(0.0, "Al", "a@h", facts.Reason.COIN_TAKEN, "no"), "refused 'Al' on a@h: no"),
    (facts.Rejected(0.0, None, "a@h", facts.Reason.UNKNOWN_MINER, "no"), "refused somebody on a@h: no"),
    (events.Unreadable("cast", "what"), "a cast that means nothing: what"),
    (events.CommitFailed("full", 3), "nothing could be kept: full; 3 callers were told so"),
]


@pytest.mark.parametrize(("event", "words"), MINER, ids=lambda value: type(value).__name__)
def test_what_a_miner_says(event: object, words: str) -> None:
    assert words in (sentences.of_miner(event) or "")


@pytest.mark.parametrize(("event", "words"), SERVER, ids=lambda value: type(value).__name__)
def test_what_a_server_says(event: object, words: str) -> None:
    assert words in (sentences.of_server(event) or "")


def test_a_cast_that_means_nothing_is_said_once() -> None:
    assert sentences.of_server(facts.Rejected(0.0, None, "", facts.Reason.WORKLOAD_INVALID, "no")) is None


def test_what_is_too_frequent_is_not_said() -> None:
    assert sentences.of_miner(events.UnitTaken(0, 1, 2)) is None
    assert sentences.of_miner(events.UnitFinished(0, 1, 2, 0, 0.1)) is None
    assert sentences.of_server(facts.HandedOut(0.0, Unit(1, 2), "Al", "a@h", "new")) is None


@pytest.mark.parametrize(
    "line",
    [
        sentences.of_server(facts.Registered(0.0, EVIL, EVIL)),
        sentences.of_server(facts.CoinAccepted(0.0, 7, EVIL, 2, 9)),
        sentences.of_server(facts.Rejected(0.0, EVIL, EVIL, facts.Reason.NAME_TAKEN, EVIL)),
        sentences.of_miner(events.CoinRejected(0, 1, EVIL)),
        sentences.of_miner(events.NameTaken(EVIL, EVIL, True)),
        sentences.of_miner(events.ServerGone(EVIL)),
    ],
)
def test_a_hostile_name_moves_no_terminal(line: str | None) -> None:
    assert line is not None
    assert line.isprintable()


@pytest.mark.parametrize("kind", [facts.Registered, facts.Resumed, facts.Left, facts.Returned])
def test_what_a_process_for_each_call_causes_is_frequent(kind: type) -> None:
    assert issubclass(kind, sentences.FREQUENT)


@pytest.mark.parametrize("kind", [facts.WorkloadChanged, events.CommitFailed, events.ServerGone])
def test_what_comes_seldom_is_not(kind: type) -> None:
    assert not issubclass(kind, sentences.FREQUENT)
