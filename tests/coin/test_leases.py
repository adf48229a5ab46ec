from pyerlcoin.coin.leases import Lease, Leases
from pyerlcoin.coin.sizing import Pace
from pyerlcoin.coin.unit import Unit


def lease(holder: int, name: str = "Ann", at: float = 0.0, first: int = 1, last: int = 10) -> Lease:
    return Lease(Unit(first, last), holder, name, "n@h", at, Pace(), timed=True)


def test_it_is_found_by_holder_and_by_name() -> None:
    leases, one, two, three = Leases(None), lease(1), lease(2), lease(1, "Bob")
    for each in (one, two, three):
        leases.add(each, 0.0)
    assert leases.integers == 30
    assert leases.get(1, "Ann") is one
    assert leases.get(1, "Bob") is three
    assert leases.get(2, "Bob") is None
    assert leases.get(1, "Cleo") is None
    assert list(leases.of_name("Ann")) == [one, two]
    assert list(leases.of_holder(1)) == [one, three]
    for each in (one, two, three):
        leases.remove(each)
    assert leases.integers == 0
    assert not leases.of_name("Ann")
    assert not leases.of_holder(1)


def test_without_a_time_no_silence_ends_it() -> None:
    leases = Leases(None)
    leases.add(lease(1), 0.0)
    leases.touch(1, "Ann", 5.0)
    assert leases.next_deadline() is None
    assert leases.silent(1e12) == []


def test_silence_ends_it_and_a_sign_of_life_postpones_that() -> None:
    leases, one, two = Leases(10.0), lease(1), lease(2)
    leases.add(one, 0.0)
    leases.add(two, 0.0)
    assert leases.next_deadline() == 10.0
    leases.touch(1, "Ann", 8.0)
    leases.touch(3, "Ann", 8.0)
    assert leases.silent(9.9) == []
    assert leases.silent(10.0) == [two]
    assert leases.next_deadline() == 18.0
    assert leases.silent(18.0) == [one]


def test_one_that_was_removed_or_replaced_does_not_end() -> None:
    leases, one, other = Leases(10.0), lease(1), lease(1, at=5.0)
    leases.add(one, 0.0)
    assert leases.remove(one) == 0.0
    leases.add(other, 5.0)
    assert leases.silent(10.0) == []
    assert leases.silent(15.0) == [other]


def test_removing_tells_the_last_sign_of_life_so_that_it_can_be_undone() -> None:
    leases, one = Leases(10.0), lease(1)
    leases.add(one, 0.0)
    leases.touch(1, "Ann", 8.0)
    leases.add(one, leases.remove(one))
    assert leases.silent(17.0) == []
    assert leases.silent(18.0) == [one]


def test_those_that_are_over_are_not_kept_until_their_time() -> None:
    leases, lasting = Leases(3600.0), [lease(holder) for holder in range(100)]
    for n, each in enumerate(lasting):
        leases.add(each, float(n))
    for n in range(10_000):
        brief = lease(100, at=200.0 + n)
        leases.add(brief, brief.at)
        assert len(leases._deadlines) <= 2 * 101 + 64
        leases.remove(brief)
    assert leases.next_deadline() == 3600.0
    leases.touch(0, "Ann", 100.0)
    assert leases.silent(3649.0) == lasting[1:50]
    assert leases.silent(3699.0) == lasting[50:]


def test_one_that_was_removed_and_put_back_has_one_end() -> None:
    leases, one = Leases(10.0), lease(1)
    leases.add(one, 0.0)
    for _ in range(1_000):
        leases.add(one, leases.remove(one))
        assert len(leases._deadlines) <= 2 + 64
    assert leases.silent(10.0) == [one]


def test_nothing_is_left_of_holders_that_came_and_went() -> None:
    leases = Leases(10.0)
    for holder in range(10_000):
        held = lease(holder, f"name {holder % 100}")
        leases.add(held, 0.0)
        leases.remove(held)
    assert leases.silent(10.0) == []
    tables = [value for value in vars(leases).values() if isinstance(value, dict | list)]
    assert len(tables) == 4
    assert not any(tables)
