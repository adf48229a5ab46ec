from pyerlcoin.coin.answers import Welcome, Work
from pyerlcoin.coin.unit import Unit


def test_a_welcome_does_not_tell_the_secret_to_a_log() -> None:
    assert "hush" not in repr(Welcome(b"hush", Work(Unit(1, 2), bare=False)))
