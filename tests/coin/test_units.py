"""Where a unit goes when its holder is gone, and how large the next one is."""

from typing import Any

import pytest

from pyerlcoin.coin.answers import Counted, Welcome, Work, WorkloadSet
from pyerlcoin.coin.facts import (
    Finished,
    HandedOut,
    Reason,
    Returned,
    WorkloadChanged,
)
from pyerlcoin.coin.ledger import GRACE, Ledger
from pyerlcoin.coin.past import Open, Past, PastMiner
from pyerlcoin.coin.sizing import AUTO, LARGEST_WORKLOAD
from pyerlcoin.coin.unit import Unit
from pyerlcoin.errors import WrongUsage
from tests.support.ledgers import COINS, NO_COIN, SECRET, A, B, make, refused, unit

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


def test_the_next_deadline_is_the_first_of_a_lease_and_a_grace() -> None:
    for lease, first in ((GRACE / 2, GRACE / 2), (2 * GRACE, GRACE)):
        ledger = make(lease=lease)
        ledger.hello(1, A, "Ann", 0.0)
        ledger.hello(2, B, "Bob", 0.0)
        ledger.down(1, 0.0)
        assert ledger.next_deadline() == first


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


def test_a_name_that_moves_to_another_node_is_not_taken_for_as_quick_there() -> None:
    ledger = make(AUTO)
    ledger.hello(1, A, "Ann", 0.0)
    assert unit(ledger.done(1, A, "Ann", 0.01)) == (1001, 101_000)
    ledger.down(1, 0.02)
    assert unit(ledger.hello(2, B, "Ann", 0.03)) == (101_001, 102_000)


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
