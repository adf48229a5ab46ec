"""The requests: each sentence of their rules, one test each. All at once against a model: test_ledger_model.py."""

import pytest

from pyerlcoin.coin.answers import Counted, Refusal, Welcome, Work
from pyerlcoin.coin.coin import is_coin
from pyerlcoin.coin.facts import (
    CoinAccepted,
    Finished,
    HandedOut,
    Left,
    Reason,
    Registered,
    Rejected,
    Resumed,
    Returned,
)
from pyerlcoin.coin.ledger import GRACE, SLOW_BY, Ledger
from pyerlcoin.coin.limits import Limits
from pyerlcoin.coin.unit import Unit
from tests.support.ledgers import COINS, NO_COIN, SECRET, A, B, make, refused, unit

# hello


def test_a_new_name_is_registered_and_gets_secret_and_unit() -> None:
    ledger = make(100)
    outcome = ledger.hello(1, A, b"Ann", 5.0)
    assert outcome.answer == Welcome(SECRET, Work(Unit(1, 100), bare=False))
    assert outcome.watch
    assert outcome.facts == (Registered(5.0, "Ann", A), HandedOut(5.0, Unit(1, 100), "Ann", A, "new"))
    assert unit(ledger.hello(2, B, "Bob", 5.0)) == (101, 200)


def test_a_name_whose_process_lives_is_registered_already_also_to_itself() -> None:
    ledger = make()
    ledger.hello(1, A, "Alice", 0.0)
    expected = (Reason.NAME_TAKEN, "'Alice' is already registered")
    assert refused(ledger.hello(2, B, "Alice", 0.0)) == expected
    assert refused(ledger.hello(2, A, "Alice", 0.0)) == expected
    assert refused(ledger.hello(1, A, "Alice", 0.0)) == expected
    assert not ledger.hello(1, A, "Alice", 0.0).watch


def test_a_name_whose_process_is_gone_is_welcome_back_with_its_coins_and_its_unit() -> None:
    ledger = make(100)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.coin(1, A, "Ann", COINS[0], 0.0)
    assert ledger.down(1, 1.0) == [Returned(1.0, Unit(1, 100), "Ann", A, "down"), Left(1.0, "Ann", A)]
    outcome = ledger.hello(2, A, "Ann", 2.0)
    assert unit(outcome) == (1, 100)
    assert outcome.facts == (Resumed(2.0, "Ann", A), HandedOut(2.0, Unit(1, 100), "Ann", A, "own"))
    assert ledger.coin(2, A, "Ann", COINS[1], 3.0).answer == Counted(2)


def test_its_own_unit_comes_back_whole_whatever_the_workload_is_by_now() -> None:
    ledger = make(100)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 1.0)
    ledger.set_workload(1, 1.0)
    assert ledger.hello(2, A, "Ann", 2.0).answer == Welcome(SECRET, Work(Unit(1, 100), bare=False))


def test_its_own_unit_comes_back_after_the_grace_too_if_it_still_waits_also_on_another_node() -> None:
    ledger = make(100)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    assert unit(ledger.hello(2, B, "Ann", GRACE)) == (1, 100)


def test_on_another_node_it_is_not_given_what_waits_for_the_first() -> None:
    ledger = make(100)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    assert unit(ledger.hello(2, B, "Ann", GRACE - 1)) == (101, 200)
    assert unit(ledger.hello(3, A, "Cleo", GRACE)) == (1, 100)


def test_a_name_moves_to_the_node_that_says_hello_and_the_former_one_has_no_say() -> None:
    ledger = make(100)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    ledger.hello(2, B, "Ann", 1.0)
    assert refused(ledger.coin(1, A, "Ann", COINS[0], 2.0)) == (
        Reason.OTHER_NODE,
        "'Ann' is registered on another node",
    )
    assert refused(ledger.done(1, A, "Ann", 2.0))[0] is Reason.OTHER_NODE
    assert ledger.coin(2, B, "Ann", COINS[0], 2.0).answer == Counted(1), "once handed to that name"


def test_no_stranger_takes_a_name_over_while_a_process_works_under_it() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.done(2, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    assert refused(ledger.hello(3, B, "Ann", 1.0))[0] is Reason.NAME_TAKEN
    assert unit(ledger.hello(4, A, "Ann", 1.0)) == (1, 10)


def test_a_process_that_works_under_a_name_and_says_hello_for_it_keeps_its_unit() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.done(2, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    assert unit(ledger.hello(2, A, "Ann", 1.0)) == (11, 20)
    assert unit(ledger.done(2, A, "Ann", 1.0)) == (1, 10)


def test_one_process_may_have_several_names_and_a_unit_under_each() -> None:
    ledger = make()
    assert unit(ledger.hello(1, A, "Ann", 0.0)) == (1, 10)
    assert unit(ledger.hello(1, A, "Bob", 0.0)) == (11, 20)
    assert ledger.done(1, A, "Ann", 1.0).facts[0] == Finished(1.0, Unit(1, 10), "Ann", A, 1.0)
    assert len(ledger.down(1, 2.0)) == 4


# done


def test_done_finishes_what_the_process_holds_and_hands_out_the_next() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    outcome = ledger.done(1, A, "Ann", 2.0)
    assert outcome.facts == (
        Finished(2.0, Unit(1, 10), "Ann", A, 2.0),
        HandedOut(2.0, Unit(11, 20), "Ann", A, "new"),
    )
    assert outcome.answer == Work(Unit(11, 20), bare=False)
    assert outcome.watch
    assert ledger.progress(2.0).finished == 10


def test_done_of_a_process_that_holds_none_finishes_nothing() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    assert unit(ledger.done(2, A, "Ann", 1.0)) == (11, 20)
    assert ledger.progress(1.0).finished == 0
    assert ledger.progress(1.0).open == 20


def test_many_processes_under_one_name_hold_a_unit_each() -> None:
    ledger = make()
    ledger.hello(0, A, "Ann", 0.0)
    for holder in range(1, 20):
        ledger.done(holder, A, "Ann", 0.0)
    assert ledger.progress(0.0).open == 200
    assert unit(ledger.done(7, A, "Ann", 1.0)) == (201, 210)
    assert ledger.progress(1.0).finished == 10


def test_a_late_done_finishes_what_nobody_was_given_meanwhile() -> None:
    for late in (1.0, GRACE + 1):
        ledger = make()
        ledger.hello(1, A, "Ann", 0.0)
        ledger.down(1, 0.5)
        outcome = ledger.done(1, A, "Ann", late)
        assert outcome.facts[0] == Finished(late, Unit(1, 10), "Ann", A, late)
        assert unit(outcome) == (11, 20)


def test_a_late_done_finishes_nothing_of_what_somebody_was_given() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    ledger.set_workload(3, 0.0)
    assert unit(ledger.hello(2, B, "Bob", GRACE)) == (1, 3)
    outcome = ledger.done(1, A, "Ann", GRACE)
    assert not any(isinstance(fact, Finished) for fact in outcome.facts)
    assert unit(outcome) == (4, 6)


def test_another_process_of_the_name_finishes_nothing_but_may_have_the_unit() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    outcome = ledger.done(2, A, "Ann", 1.0)
    assert outcome.facts == (HandedOut(1.0, Unit(1, 10), "Ann", A, "own"),)


@pytest.mark.parametrize("node", [A, B])
def test_done_without_a_name_that_is_known_here_is_refused(node: str) -> None:
    ledger = make()
    assert refused(ledger.done(1, node, "Ann", 0.0)) == (Reason.UNKNOWN_MINER, "unknown miner 'Ann'")
    assert ledger.frontier == 1


# coin


def test_a_coin_counts_and_the_count_goes_back() -> None:
    ledger = make(400)
    ledger.hello(1, A, "Ann", 0.0)
    for count, n in enumerate(COINS, 1):
        outcome = ledger.coin(1, A, "Ann", n, 1.0)
        assert outcome.answer == Counted(count)
        assert outcome.facts == (CoinAccepted(1.0, n, "Ann", count, count),)
        assert not outcome.watch
    assert ledger.worth() == len(COINS)


def test_told_again_by_the_same_miner_it_gets_the_same_answer_and_counts_once() -> None:
    ledger = make(400)
    ledger.hello(1, A, "Ann", 0.0)
    first = ledger.coin(1, A, "Ann", COINS[0], 1.0).answer
    ledger.coin(1, A, "Ann", COINS[1], 1.0)
    again = ledger.coin(2, A, "Ann", COINS[0], 2.0)
    assert again.answer == first == Counted(1)
    assert again.facts == ()
    assert ledger.leaderboard() == [("Ann", 2)]


@pytest.mark.parametrize("accept", ["handed", "any"])
def test_told_by_another_miner_it_is_an_error(accept: str) -> None:
    ledger = make(400, accept=accept)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.hello(2, B, "Bob", 0.0)
    ledger.coin(1, A, "Ann", COINS[0], 0.0)
    assert refused(ledger.coin(2, B, "Bob", COINS[0], 0.0)) == (
        Reason.COIN_TAKEN,
        "that coin counts for another miner already",
    )
    assert ledger.leaderboard() == [("Ann", 1), ("Bob", 0)]


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("accept", ["handed", "any"])
def test_who_goes_on_with_what_another_began_did_nothing_wrong(accept: str, done: bool) -> None:
    ledger = make(400, accept=accept)
    ledger.hello(1, A, "Ann", 0.0)
    for n in COINS[:-1]:
        ledger.coin(1, A, "Ann", n, 0.0)
    ledger.down(1, 0.0)
    assert unit(ledger.hello(2, B, "Bob", GRACE)) == (1, 400)
    if done:
        ledger.done(2, B, "Bob", GRACE)
    outcomes = [ledger.coin(2, B, "Bob", n, GRACE) for n in COINS]
    refusal = Refusal(Reason.COIN_TAKEN, "that coin counts for another miner already")
    assert [outcome.answer for outcome in outcomes] == [refusal] * (len(COINS) - 1) + [Counted(1)]
    assert {outcome.delay for outcome in outcomes} == {0.0}
    assert not any(outcome.facts for outcome in outcomes[:-1])
    assert ledger.progress(GRACE).miners[1].rejected == 0
    wrong = [ledger.coin(2, B, "Bob", NO_COIN, GRACE) for _ in range(8)]
    assert {outcome.delay for outcome in wrong} == {0.0}, "nor does it count among what is wrong"


@pytest.mark.parametrize("accept", ["handed", "any"])
def test_who_tells_another_s_coins_from_outside_its_units_is_slowed(accept: str) -> None:
    ledger = make(400, accept=accept)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.hello(2, B, "Bob", 0.0)
    ledger.coin(1, A, "Ann", COINS[0], 0.0)
    outcomes = [ledger.coin(2, B, "Bob", COINS[0], 0.0) for _ in range(10)]
    assert [outcome.delay for outcome in outcomes] == [0.0] * 9 + [SLOW_BY]
    assert ledger.progress(0.0).miners[1].rejected == 10


def test_a_coin_counts_only_in_a_range_that_was_handed_to_that_name() -> None:
    ledger = make(COINS[0])
    ledger.hello(1, A, "Ann", 0.0)
    ledger.hello(2, B, "Bob", 0.0)
    assert refused(ledger.coin(2, B, "Bob", COINS[0], 0.0)) == (
        Reason.FOREIGN_RANGE,
        "that integer is in no unit that was handed to 'Bob'",
    )
    assert refused(ledger.coin(1, A, "Ann", COINS[-1], 0.0))[0] is Reason.FOREIGN_RANGE
    assert ledger.coin(1, A, "Ann", COINS[0], 0.0).answer == Counted(1)


def test_a_late_coin_counts_as_long_as_its_range_was_once_handed_to_that_name() -> None:
    ledger = make(COINS[1])
    ledger.hello(1, A, "Ann", 0.0)
    ledger.done(1, A, "Ann", 0.0)
    assert ledger.coin(1, A, "Ann", COINS[0], 0.0).answer == Counted(1)
    ledger.down(1, 0.0)
    assert ledger.coin(9, A, "Ann", COINS[1], 99.0).answer == Counted(2)


def test_accept_any_counts_it_anywhere() -> None:
    ledger = make(1, accept="any")
    ledger.hello(1, A, "Ann", 0.0)
    assert ledger.coin(1, A, "Ann", COINS[-1], 0.0).answer == Counted(1)


def test_a_coin_counts_only_from_the_node_that_owns_the_name() -> None:
    ledger = make(400, accept="any")
    ledger.hello(1, A, "Ann", 0.0)
    assert refused(ledger.coin(2, B, "Ann", COINS[0], 0.0))[0] is Reason.OTHER_NODE
    assert ledger.worth() == 0


def test_what_is_no_coin_fails_in_the_original_s_words() -> None:
    ledger = make(400)
    ledger.hello(1, A, "Ann", 0.0)
    assert refused(ledger.coin(1, A, "Ann", NO_COIN, 0.0)) == (Reason.VERIFICATION_FAILED, "verification failed")


def test_a_coin_of_nobody_is_refused() -> None:
    outcome = make(400).coin(1, A, "Ann", COINS[0], 0.0)
    assert refused(outcome) == (Reason.UNKNOWN_MINER, "unknown miner 'Ann'")
    assert outcome.facts == (Rejected(0.0, None, A, Reason.UNKNOWN_MINER, "unknown miner 'Ann'"),)


@pytest.mark.parametrize("n", [-1, 10**1000, 10**10_000, -(10**10_000), True, 1.0, "1", b"1", None, [1]], ids=type)
def test_what_is_no_such_integer_is_answered_in_words(n: object) -> None:
    ledger = make(400, accept="any")
    ledger.hello(1, A, "Ann", 0.0)
    assert refused(ledger.coin(1, A, "Ann", n, 0.0)) == (
        Reason.INTEGER_INVALID,
        "a coin is an integer from 0 up, of at most 1000 digits",
    )


def test_zero_is_an_integer_as_the_original_starts_there() -> None:
    secret = next(b"s%d" % n for n in range(1000) if is_coin(b"s%d" % n, 0, 1))
    ledger = Ledger(secret, zeros=1, first=0)
    assert unit(ledger.hello(1, A, "Ann", 0.0)) == (0, 0)
    assert ledger.coin(1, A, "Ann", 0, 0.0).answer == Counted(1)


def test_the_longest_integer_is_taken() -> None:
    ledger = make(zeros=0, accept="any")
    ledger.hello(1, A, "Ann", 0.0)
    assert ledger.coin(1, A, "Ann", 10**1000 - 1, 0.0).answer == Counted(1)


def test_a_miner_that_is_mostly_wrong_is_told_so_and_slowed_but_not_banned() -> None:
    ledger = make(400)
    ledger.hello(1, A, "Ann", 0.0)
    outcomes = [ledger.coin(1, A, "Ann", NO_COIN, 0.0) for _ in range(20)]
    assert refused(outcomes[0]) == (Reason.VERIFICATION_FAILED, "verification failed")
    assert outcomes[0].delay == 0.0
    assert refused(outcomes[-1])[1] == (
        "verification failed; most coins that 'Ann' tells are wrong, so it is answered 1 s later"
    )
    assert outcomes[-1].delay == SLOW_BY
    good = ledger.coin(1, A, "Ann", COINS[0], 0.0)
    assert (good.answer, good.delay) == (Counted(1), 0.0)
    assert ledger.done(1, A, "Ann", 0.0).delay == 0.0
    assert ledger.progress(0.0).miners[0].rejected == 20


def test_who_is_mostly_right_is_answered_at_once_also_where_it_is_wrong() -> None:
    ledger = make(400)
    ledger.hello(1, A, "Ann", 0.0)
    for n in COINS[:20]:
        ledger.coin(1, A, "Ann", n, 0.0)
    assert ledger.worth() == 20
    wrong = [ledger.coin(1, A, "Ann", NO_COIN, 0.0) for _ in range(10)]
    assert {outcome.delay for outcome in wrong} == {0.0}


def test_a_stranger_cannot_spoil_a_name() -> None:
    ledger = make(400)
    ledger.hello(1, A, "Ann", 0.0)
    for _ in range(50):
        ledger.coin(2, B, "Ann", NO_COIN, 0.0)
    assert ledger.coin(1, A, "Ann", NO_COIN, 0.0).delay == 0.0
    assert ledger.progress(0.0).miners[0].rejected == 1


# names and numbers


@pytest.mark.parametrize("name", [b"\xff", b"", b"a" * 257, b"a" * 10_000_000, "\ud800", 7, None, True, ("Ann",), {}])
def test_what_is_no_name_is_answered_in_words_by_every_request(name: object) -> None:
    ledger = make()
    for outcome in (
        ledger.hello(1, A, name, 0.0),
        ledger.done(1, A, name, 0.0),
        ledger.coin(1, A, name, COINS[0], 0.0),
    ):
        assert refused(outcome) == (Reason.NAME_INVALID, "a name is UTF-8 text of 1 to 256 bytes")
    assert ledger.leaderboard() == []


def test_ten_thousand_names_from_one_node_get_an_answer_in_words() -> None:
    ledger = make()
    answers = [ledger.hello(n, A, f"name {n}", 0.0) for n in range(10_000)]
    assert unit(answers[999]) == (9991, 10000)
    expected = (Reason.TOO_MANY_NAMES, f"1000 names are registered on {A}, and it may have no more")
    assert {refused(answer) for answer in answers[1000:]} == {expected}
    assert isinstance(ledger.hello(1, B, "Bob", 0.0).answer, Welcome)


def test_there_is_room_for_so_many_names() -> None:
    ledger = make(limits=Limits(names=2))
    ledger.hello(1, A, "Ann", 0.0)
    ledger.hello(2, B, "Bob", 0.0)
    assert refused(ledger.hello(3, "c@h", "Cleo", 0.0)) == (
        Reason.TOO_MANY_NAMES,
        "2 names are registered, and there is no room for more",
    )
    ledger.down(1, 0.0)
    assert unit(ledger.hello(3, "c@h", "Ann", GRACE)) == (1, 10)


def test_a_name_that_moves_makes_room_on_its_former_node() -> None:
    ledger = make(limits=Limits(names_per_node=1))
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    ledger.hello(2, B, "Ann", 0.0)
    assert isinstance(ledger.hello(3, A, "Bob", 0.0).answer, Welcome)
    assert refused(ledger.hello(4, B, "Cleo", 0.0))[0] is Reason.TOO_MANY_NAMES


def test_a_name_holds_so_many_units() -> None:
    ledger = make(limits=Limits(units_per_name=2))
    ledger.hello(1, A, "Ann", 0.0)
    ledger.done(2, A, "Ann", 0.0)
    expected = (Reason.TOO_MANY_UNITS, "'Ann' holds 2 units already, and may hold no more")
    assert refused(ledger.done(3, A, "Ann", 0.0)) == expected
    assert unit(ledger.done(2, A, "Ann", 0.0)) == (21, 30)
    ledger.down(1, 0.0)
    ledger.done(3, A, "Ann", 0.0)
    assert refused(ledger.hello(4, A, "Ann", 0.0)) == expected
    assert unit(ledger.hello(3, A, "Ann", 0.0)) == (1, 10)
