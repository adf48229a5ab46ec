import pytest

from pyerlcoin.coin.unit import Unit


def test_both_ends_are_in_it() -> None:
    unit = Unit(3, 5)
    assert unit.size == 3
    assert [n for n in range(8) if n in unit] == [3, 4, 5]


def test_size_of_any_size() -> None:
    assert Unit(1, 10**40).size == 10**40


def test_covers() -> None:
    assert Unit(3, 5).covers(Unit(3, 5))
    assert Unit(3, 5).covers(Unit(4, 4))
    assert not Unit(3, 5).covers(Unit(2, 4))
    assert not Unit(3, 5).covers(Unit(4, 6))


def test_an_empty_one_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Unit(5, 4)


def test_text() -> None:
    assert str(Unit(1, 9)) == "1-9"
    assert str(Unit(7, 7)) == "7"
