from __future__ import annotations

import hashlib
import stat
import traceback

import pytest

from pyerlcoin.beam.dist import Cookie, check_mode, digest
from pyerlcoin.beam.errors import InvalidCookie


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"ABC", b"ABC"),
        (b"ABC\n", b"ABC"),
        (b"abc \n", b"abc "),  # auth keeps the spaces before the first other byte
        (b" a b\r\n \n", b" a b"),
        (b"x" * 255 + b"\n", b"x" * 255),
    ],
)
def test_a_cookie_file_is_read_as_auth_does(content: bytes, secret: bytes) -> None:
    assert Cookie.from_file(content, "f").secret == secret


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"a\tb", "bad characters"),
        (b"a\t", "bad characters"),
        (b"a\nb", "bad characters"),
        (b"a\xc3\xa9", "bad characters"),
        (b"x" * 256, "256 characters"),
    ],
)
def test_what_auth_refuses_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidCookie, match=sentence):
        Cookie.from_file(content, "f")


def test_a_cookie_of_the_command_line_is_not_trimmed() -> None:
    assert Cookie(" a ").secret == b" a "
    assert Cookie("é").secret == b"\xe9"


def test_an_invalid_cookie_is_not_shown() -> None:
    for text in ["s3cret" * 100, "s3cret☃", ""]:
        with pytest.raises(InvalidCookie) as caught:
            Cookie(text)
        assert "s3cret" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__cause__ is None


def test_a_cookie_does_not_show_itself() -> None:
    cookie = Cookie("s3cret")
    assert "s3cret" not in f"{cookie} {cookie!r}"
    assert cookie == Cookie("s3cret")
    assert cookie != Cookie("other")
    assert cookie != "s3cret"
    assert len({cookie, Cookie("s3cret")}) == 1


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_file_of_its_owner_alone_is_accepted(mode: int) -> None:
    check_mode(stat.S_IFREG | mode, "f")


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o410, 0o401, 0o620, 0o602])
def test_a_file_that_others_can_use_is_refused(mode: int) -> None:
    with pytest.raises(InvalidCookie, match="run chmod 400 /home/x/cookie"):
        check_mode(stat.S_IFREG | mode, "/home/x/cookie")


def test_a_directory_is_no_cookie_file() -> None:
    with pytest.raises(InvalidCookie, match="regular"):
        check_mode(stat.S_IFDIR | 0o700, "f")


def test_the_challenge_is_printed_unsigned() -> None:
    assert digest(Cookie("monster"), 0xFFFFFFFF) == hashlib.md5(b"monster4294967295").digest()
    # What OTP 25 answered to this challenge.
    assert digest(Cookie("monster"), 0x12345678).hex() == "27c17f975376e00523e910cae5eafa3c"
