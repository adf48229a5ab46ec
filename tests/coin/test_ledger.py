"""Each sentence of the rules, one test each. The whole of them against a naive model: test_ledger_model.py."""

from dataclasses import replace
from typing import Any

import pytest

from pyerlcoin.coin.answers import Answer, Counted, Outcome, Refusal, Welcome, Work, WorkloadSet
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
    WorkloadChanged,
)
from pyerlcoin.coin.ledger import GRACE, SLOW_BY, Ledger
from pyerlcoin.coin.limits import Limits
from pyerlcoin.coin.past import Open, Past, PastMiner
from pyerlcoin.coin.sizing import AUTO, LARGEST_WORKLOAD
from pyerlcoin.coin.unit import Unit
from pyerlcoin.errors import WrongUsage

SECRET = b"Serun+u"
COINS = [n for n in range(1, 400) if is_coin(SECRET, n, 1)]
NO_COIN = next(n for n in range(1, 400) if n not in COINS)
A, B = "a@h", "b@h"


def make(workload: Any = 10, **options: Any) -> Ledger:
    return Ledger(SECRET, **{"zeros": 1, "workload": workload, **options})


def unit(outcome: Outcome[Any]) -> tuple[int, int]:
    answer = outcome.answer.work if isinstance(outcome.answer, Welcome) else outcome.answer
    assert isinstance(answer, Work), answer
    return answer.unit.first, answer.unit.last


def refused(outcome: Outcome[Any]) -> tuple[Reason, str]:
    answer: Answer = outcome.answer
    assert isinstance(answer, Refusal), answer
    rejected = outcome.facts[-1]
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.message) == (answer.reason, answer.message)
    return answer.reason, answer.message


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


# units that wait


def test_what_comes_back_waits_for_its_name_on_its_node_then_is_anybody_s_ahead_of_new_integers() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    assert ledger.next_deadline() == GRACE
    assert unit(ledger.hello(2, B, "Bob", GRACE - 0.1)) == (11, 20)
    outcome = ledger.done(2, B, "Bob", GRACE)
    assert unit(outcome) == (1, 10)
    assert outcome.facts[-1] == HandedOut(GRACE, Unit(1, 10), "Bob", B, "returned")
    assert unit(ledger.done(2, B, "Bob", GRACE)) == (21, 30)


def test_what_comes_back_is_cut_to_size_and_put_together() -> None:
    ledger = make(10)
    for holder, name in enumerate(["Ann", "Bob", "Cleo"]):
        ledger.hello(holder, A, name, 0.0)
        ledger.down(holder, 0.0)
    ledger.set_workload(25, 0.0)
    assert unit(ledger.hello(8, B, "Dan", GRACE)) == (1, 25)
    assert unit(ledger.hello(9, B, "Eve", GRACE)) == (26, 30)
    ledger.set_workload(1, GRACE)
    assert ledger.done(9, B, "Eve", GRACE).answer == Work(Unit(31, 31), bare=True)


def test_without_a_grace_it_is_anybody_s_at_once() -> None:
    ledger = make(grace=0.0)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    assert unit(ledger.hello(2, B, "Bob", 0.0)) == (1, 10)


def test_a_lease_ends_in_silence_and_its_unit_is_anybody_s_at_once() -> None:
    ledger = make(lease=30.0)
    ledger.hello(1, A, "Ann", 0.0)
    assert ledger.next_deadline() == 30.0
    assert ledger.expire(29.0) == []
    assert ledger.expire(30.0) == [Returned(30.0, Unit(1, 10), "Ann", A, "lease")]
    assert unit(ledger.hello(2, B, "Bob", 30.0)) == (1, 10)
    assert refused(ledger.hello(3, B, "Ann", 30.0))[0] is Reason.NAME_TAKEN, "its process lives"


def test_every_request_is_a_sign_of_life() -> None:
    ledger = make(lease=30.0)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.coin(1, A, "Ann", NO_COIN, 20.0)
    assert ledger.expire(49.0) == []
    ledger.done(1, A, "Ann", 49.0)
    assert ledger.expire(78.0) == []
    assert ledger.expire(79.0) == [Returned(79.0, Unit(11, 20), "Ann", A, "lease")]


def test_hello_of_a_process_that_holds_a_unit_is_a_sign_of_life() -> None:
    ledger = make(lease=30.0)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.done(2, A, "Ann", 0.0)
    ledger.down(1, 1.0)
    ledger.hello(2, A, "Ann", 20.0)
    assert ledger.expire(49.0) == []
    assert ledger.expire(50.0) == [Returned(50.0, Unit(11, 20), "Ann", A, "lease")]


def test_a_request_of_anybody_ends_what_is_over() -> None:
    ledger = make(lease=30.0)
    ledger.hello(1, A, "Ann", 0.0)
    outcome = ledger.hello(2, B, "Bob", 31.0)
    assert outcome.facts[0] == Returned(31.0, Unit(1, 10), "Ann", A, "lease")
    assert unit(outcome) == (1, 10)


def test_a_process_whose_lease_was_over_finishes_late() -> None:
    ledger = make(lease=30.0)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.expire(30.0)
    assert ledger.done(1, A, "Ann", 40.0).facts[0] == Finished(40.0, Unit(1, 10), "Ann", A, 40.0)


def test_an_unknown_process_going_down_is_nothing() -> None:
    assert make().down(1, 0.0) == []


def test_the_clock_never_runs_backwards() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 100.0)
    assert ledger.done(1, A, "Ann", 50.0).facts[0] == Finished(100.0, Unit(1, 10), "Ann", A, 0.0)


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


# workload and sizes


def test_the_workload_may_change_between_any_two_units() -> None:
    ledger = make(1)
    assert ledger.hello(1, A, "Ann", 0.0).answer == Welcome(SECRET, Work(Unit(1, 1), bare=True))
    outcome = ledger.set_workload(100, 3.0)
    assert outcome.answer == WorkloadSet(100)
    assert outcome.facts == (WorkloadChanged(3.0, 100),)
    assert ledger.workload == 100
    assert ledger.done(1, A, "Ann", 4.0).answer == Work(Unit(2, 101), bare=False)
    assert ledger.set_workload(100, 5.0).facts == ()


@pytest.mark.parametrize("workload", [0, -1, True, 1.5, "many", None, LARGEST_WORKLOAD + 1, 10**10_000], ids=type)
def test_what_is_no_workload_is_refused(workload: object) -> None:
    ledger = make(7)
    assert refused(ledger.set_workload(workload, 0.0, A)) == (
        Reason.WORKLOAD_INVALID,
        f"a workload is an integer from 1 to {LARGEST_WORKLOAD}, or auto",
    )
    assert ledger.workload == 7


@pytest.mark.parametrize("rate", [1e3, 1e5, 1e7, 1e10])
def test_auto_sizes_units_by_each_miner_s_speed(rate: float) -> None:
    ledger, now = make(AUTO), 0.0
    first, last = unit(ledger.hello(1, A, "Ann", now))
    ledger.hello(2, B, "Bob", now)
    lasted: list[float] = []
    for _ in range(8):
        lasted.append(0.001 + (last - first + 1) / rate)
        now += lasted[-1]
        first, last = unit(ledger.done(1, A, "Ann", now))
    assert all(0.5 <= seconds <= 2 for seconds in lasted[3:])
    first, last = unit(ledger.done(2, B, "Bob", now))
    assert last - first + 1 == int(1000 / now), "each miner by its own"


def test_a_new_process_of_a_name_starts_at_the_speed_of_its_latest_unit() -> None:
    ledger = make(AUTO)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.done(1, A, "Ann", 0.01)
    first, last = unit(ledger.done(2, A, "Ann", 0.02))
    assert last - first + 1 == 100_000


def test_a_unit_that_was_given_again_says_nothing_about_speed() -> None:
    ledger = make(AUTO)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 1.0)
    ledger.hello(2, A, "Ann", 2.0)
    first, last = unit(ledger.done(2, A, "Ann", 2.001))
    assert last - first + 1 == 1000


def test_speed_is_measured_by_the_unit_as_it_was_issued() -> None:
    ledger = make(50_000)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.set_workload(AUTO, 0.1)
    first, last = unit(ledger.done(1, A, "Ann", 0.5))
    assert last - first + 1 == 100_000


# what can be asked


def test_the_leaderboard_ranks_by_coins_and_equals_by_who_got_there_first() -> None:
    ledger = make(400, accept="any")
    for holder, name in enumerate(["Ann", "Bob", "Cleo", "Dan"]):
        ledger.hello(holder, A, name, 0.0)
    assert [name for name, _ in ledger.leaderboard()] == ["Ann", "Bob", "Cleo", "Dan"]
    ledger.coin(2, A, "Cleo", COINS[0], 1.0)
    ledger.coin(1, A, "Bob", COINS[1], 1.0)
    ledger.coin(1, A, "Bob", COINS[2], 1.0)
    ledger.coin(0, A, "Ann", COINS[3], 1.0)
    ledger.coin(2, A, "Cleo", COINS[4], 1.0)
    assert ledger.leaderboard() == [("Bob", 2), ("Cleo", 2), ("Ann", 1), ("Dan", 0)]
    ledger.leaderboard().clear()
    assert len(ledger.leaderboard()) == 4


def test_progress() -> None:
    ledger = make(100, zeros=1)
    ledger.hello(1, A, "Ann", 10.0)
    ledger.hello(2, B, "Bob", 10.0)
    ledger.hello(3, B, "Cleo", 10.0)
    ledger.down(3, 10.0)
    ledger.coin(1, A, "Ann", COINS[0], 11.0)
    ledger.done(1, A, "Ann", 12.0)
    ledger.keep(ledger.mark())
    progress = ledger.progress(12.0)
    assert (progress.first, progress.frontier) == (1, 401)
    assert (progress.finished, progress.open, progress.returned) == (100, 200, 100)
    assert (progress.coins, progress.expected_coins, progress.luck) == (1, 100 / 16, 16 / 100)
    assert progress.hashes_per_second == pytest.approx(50)
    assert progress.workload == 100
    ann, bob, cleo = progress.miners
    assert (ann.name, ann.node, ann.coins, ann.share, ann.open) == ("Ann", A, 1, 1.0, 100)
    assert (ann.last_coin_at, ann.quiet_since, ann.present) == (11.0, 12.0, True)
    assert ann.hashes_per_second == pytest.approx(50)
    assert (bob.coins, bob.share, bob.last_coin_at, bob.quiet_since, bob.present) == (0, 0.0, None, 10.0, True)
    assert (cleo.present, cleo.open, cleo.hashes_per_second) == (False, 0, 0.0)


def test_progress_of_nothing() -> None:
    progress = make().progress(0.0)
    assert (progress.finished, progress.luck, progress.miners) == (0, None, [])


def test_progress_beyond_every_float() -> None:
    ledger = make(first=10**500, past=Past(10**500, 10**900, 1))
    assert ledger.progress(0.0).expected_coins == float("inf")
    assert ledger.progress(0.0).finished == 10**900 - 10**500


# what the disk refuses


def test_what_was_not_kept_is_undone() -> None:
    ledger = make(400)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.coin(1, A, "Ann", COINS[0], 0.0)
    ledger.keep(ledger.mark())
    ledger.done(9, B, "Ann", 1.0)
    before = ledger.progress(1.0)
    ledger.coin(1, A, "Ann", COINS[1], 0.0)
    ledger.set_workload(7, 1.0)
    ledger.hello(2, B, "Bob", 1.0)
    ledger.done(1, A, "Ann", 1.0)
    assert ledger.rollback(1.0) == []
    after = ledger.progress(1.0)
    assert after.miners[0].quiet_since == 1.0, "that it asked is true all the same"
    assert replace(after, miners=[replace(after.miners[0], quiet_since=0.0)]) == before
    assert ledger.coin(1, A, "Ann", COINS[1], 2.0).answer == Counted(2)
    assert ledger.done(1, A, "Ann", 2.0).facts[0] == Finished(2.0, Unit(1, 400), "Ann", A, 2.0)
    assert isinstance(ledger.hello(2, B, "Bob", 2.0).answer, Welcome)


def test_a_process_that_ended_meanwhile_stays_so() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.keep(ledger.mark())
    ledger.done(1, A, "Ann", 1.0)
    ledger.hello(2, B, "Bob", 1.0)
    ledger.down(1, 1.0)
    ledger.down(2, 1.0)
    assert ledger.rollback(2.0) == [Returned(2.0, Unit(1, 10), "Ann", A, "down"), Left(2.0, "Ann", A)]
    assert ledger.leaderboard() == [("Ann", 0)]
    assert unit(ledger.hello(3, A, "Ann", 2.0)) == (1, 10)


def test_a_process_that_ended_before_what_was_kept_is_not_told_again() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    ledger.keep(ledger.mark())
    assert ledger.rollback(1.0) == []
    assert unit(ledger.hello(3, A, "Ann", 2.0)) == (1, 10)


def test_only_what_was_kept_counts_for_speed() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.keep(ledger.mark())
    ledger.done(1, A, "Ann", 1.0)
    assert ledger.progress(1.0).hashes_per_second == 0.0
    ledger.rollback(1.0)
    for holder in range(2, 9):
        ledger.done(holder, A, "Ann", 1.0)
    ledger.keep(ledger.mark())
    assert ledger.progress(1.0).hashes_per_second == 0.0


# a restart, and what cannot be meant


def test_a_restart_makes_all_holders_gone_and_keeps_names_counts_and_units() -> None:
    past = Past(
        1,
        41,
        5,
        (PastMiner("Ann", A, 2, 2, 7.0), PastMiner("Bob", B, 1, 3, 8.0)),
        (Open(Unit(1, 10), "Ann", A), Open(Unit(20, 24), None, None)),
    )
    ledger = make(past=past, now=100.0)
    assert (ledger.first, ledger.frontier, ledger.workload, ledger.worth()) == (1, 41, 5, 3)
    assert ledger.leaderboard() == [("Ann", 2), ("Bob", 1)]
    assert unit(ledger.hello(1, B, "Bob", 101.0)) == (20, 24)
    assert unit(ledger.hello(2, A, "Ann", 102.0)) == (1, 10)
    assert ledger.progress(102.0).finished == 25


def test_after_a_restart_a_unit_waits_for_its_name_as_long_as_ever() -> None:
    past = Past(1, 11, 10, (PastMiner("Ann", A),), (Open(Unit(1, 10), "Ann", A),))
    ledger = make(past=past, now=100.0)
    assert unit(ledger.hello(1, B, "Bob", 100.0 + GRACE - 1)) == (11, 20)
    assert unit(ledger.done(1, B, "Bob", 100.0 + GRACE)) == (1, 10)


def test_after_a_restart_a_coin_needs_no_hello() -> None:
    ledger = make(accept="any", past=Past(1, 11, 10, (PastMiner("Ann", A, 1, 1, 7.0),)), now=100.0)
    assert ledger.coin(1, A, "Ann", COINS[0], 101.0).answer == Counted(2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"secret": b"\xff"}, "secret"),
        ({"zeros": -1}, "zeros"),
        ({"zeros": 33}, "zeros"),
        ({"first": -1}, "first integer"),
        ({"first": 10**999}, "first integer"),
        ({"workload": 0}, "workload"),
    ],
)
def test_a_game_that_cannot_be_meant(options: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongUsage, match=words):
        Ledger(**{"secret": SECRET, **options})


def test_the_secret_is_not_in_its_repr() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    assert repr(ledger) == "Ledger(1..11, miners=1, worth=0)"
