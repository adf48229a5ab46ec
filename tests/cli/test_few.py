from pyerlcoin.cli.few import Few


def test_of_each_kind_there_are_a_few_in_a_second() -> None:
    now = 50.0
    few = Few(2, lambda: now)
    assert few.is_over()
    assert [few.take("a") for _ in range(5)] == [True, True, False, False, False]
    assert few.take("b")
    now += 0.9
    assert not few.is_over()
    now += 0.1
    assert few.is_over()
    assert few.rest() == "… and 3 more like these in a second"
    assert few.rest() is None
    assert few.take("a")
    assert not few.is_over()


def test_the_second_begins_with_the_first_of_it() -> None:
    now = 50.0
    few = Few(1, lambda: now)
    few.take("a")
    assert few.rest() is None
    now += 0.7
    few.take("a")
    now += 0.7
    assert not few.is_over()


def test_kinds_without_end_are_forgotten_every_second() -> None:
    few = Few(1, lambda: 0.0)
    for n in range(100):
        assert few.take(n)
    few.rest()
    assert not few._kinds
