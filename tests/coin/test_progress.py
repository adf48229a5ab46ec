"""What can be asked of a game, and what of it is undone when the disk refuses."""

from dataclasses import replace

import pytest

from pyerlcoin.coin.answers import Counted, Welcome
from pyerlcoin.coin.facts import Finished, Left, Reason, Returned
from pyerlcoin.coin.ledger import GRACE
from pyerlcoin.coin.limits import Limits
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.sizing import AUTO
from pyerlcoin.coin.unit import Unit
from tests.support.ledgers import COINS, A, B, make, refused, unit

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


def test_before_what_ended_ends_anew_it_stands_as_the_disk_has_it() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.keep(ledger.mark())
    before = ledger.progress(1.0)
    ledger.hello(2, B, "Bob", 1.0)
    ledger.down(1, 1.0)
    ledger.undo()
    assert ledger.progress(1.0) == before
    ledger.undo()
    assert ledger.rollback(2.0) == [Returned(2.0, Unit(1, 10), "Ann", A, "down"), Left(2.0, "Ann", A)]
    assert ledger.progress(2.0).returned == 10


def test_a_process_that_ended_before_what_was_kept_is_not_told_again() -> None:
    ledger = make()
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(1, 0.0)
    ledger.keep(ledger.mark())
    assert ledger.rollback(1.0) == []
    assert unit(ledger.hello(3, A, "Ann", 2.0)) == (1, 10)


def test_what_is_finished_late_counts_for_speed_also_where_nothing_more_is_handed_out() -> None:
    ledger = make(limits=Limits(units_per_name=1))
    ledger.hello(9, B, "Bob", 0.0)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.down(9, 0.0)
    ledger.down(1, 0.0)
    ledger.set_workload(5, 0.0)
    assert unit(ledger.done(2, A, "Ann", GRACE)) == (1, 5)
    outcome = ledger.done(1, A, "Ann", GRACE)
    assert outcome.facts[0] == Finished(GRACE, Unit(11, 20), "Ann", A, GRACE)
    assert refused(outcome)[0] is Reason.TOO_MANY_UNITS
    ledger.keep(ledger.mark())
    assert ledger.progress(GRACE).hashes_per_second == pytest.approx(1.0)


def test_a_speed_that_was_not_kept_sizes_no_unit() -> None:
    ledger = make(AUTO)
    ledger.hello(1, A, "Ann", 0.0)
    ledger.keep(ledger.mark())
    assert unit(ledger.done(1, A, "Ann", 0.1)) != (1001, 2000)
    ledger.rollback(0.1)
    assert unit(ledger.done(2, A, "Ann", 0.1)) == (1001, 2000)


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
