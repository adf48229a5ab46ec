from pyerlcoin.coin.conduct import Conduct


def test_nobody_is_judged_by_a_few() -> None:
    conduct = Conduct()
    for _ in range(9):
        conduct.wrong()
    assert not conduct.mostly_wrong
    conduct.wrong()
    assert conduct.mostly_wrong


def test_as_often_right_as_wrong_is_not_mostly_wrong() -> None:
    conduct = Conduct()
    for _ in range(10):
        conduct.wrong()
        conduct.right()
    assert not conduct.mostly_wrong


def test_a_long_good_past_does_not_hide_a_bad_present_nor_the_other_way_round() -> None:
    conduct = Conduct()
    for _ in range(10_000):
        conduct.right()
    for _ in range(64):
        conduct.wrong()
    assert conduct.mostly_wrong
    for _ in range(64):
        conduct.right()
    assert not conduct.mostly_wrong
