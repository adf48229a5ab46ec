from __future__ import annotations

import pytest

from pyerlcoin.web.hosts import host_allowed, is_loopback

NAMES = {"board.example"}


@pytest.mark.parametrize(
    "header",
    [
        "127.0.0.1",
        "127.0.0.1:8080",
        "192.168.0.13:8080",
        "[::1]:8080",
        "[fe80::1]",
        "localhost:8080",
        "LOCALHOST",
        "board.localhost",
        "board.example",
        "Board.Example.:80",
    ],
)
def test_addresses_and_our_own_names_are_welcome(header: str) -> None:
    assert host_allowed(header, NAMES)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "xlocalhost",
        "::1",
        "[127.0.0.1]",
        "[evil]",
        "127.0.0.1/x",
        "user@127.0.0.1",
        "127.0.0.1:port",
        "127.0.0.1 evil",
        "2130706433",
        "0x7f.1",
    ],
)
def test_every_other_name_is_somebody_else(header: str | None) -> None:
    assert not host_allowed(header, NAMES)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False), ("board", False)],
)
def test_loopback_is_told_from_the_room(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
