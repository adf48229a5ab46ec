from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyerlcoin.beam import Cookie, Node
from pyerlcoin.beam.errors import InvalidCookie
from pyerlcoin.beam.node import cookie_file
from pyerlcoin.beam.node.cookie_file import read_cookie


def write(path: Path, text: bytes, mode: int = 0o400) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    path.chmod(mode)


def test_the_file_in_the_home_directory_comes_first(tmp_path: Path) -> None:
    write(tmp_path / ".config/erlang/.erlang.cookie", b"other")
    write(tmp_path / ".erlang.cookie", b"abc \n", 0o600)
    assert read_cookie({"HOME": str(tmp_path)}) == Cookie("abc ")


def test_then_the_one_in_the_configuration(tmp_path: Path) -> None:
    write(tmp_path / ".config/erlang/.erlang.cookie", b"abc")
    assert read_cookie({"HOME": str(tmp_path)}) == Cookie("abc")
    write(tmp_path / "xdg/erlang/.erlang.cookie", b"xyz")
    assert read_cookie({"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}) == Cookie("xyz")
    assert not (tmp_path / ".erlang.cookie").exists()


def test_else_one_is_made_that_stays(tmp_path: Path) -> None:
    made = read_cookie({"HOME": str(tmp_path)})
    path = tmp_path / ".erlang.cookie"
    assert path.stat().st_mode & 0o777 == 0o400
    text = path.read_text()
    assert made == Cookie(text)
    assert len(text) == 20
    assert text.isascii()
    assert text.isupper()
    assert read_cookie({"HOME": str(tmp_path)}) == made


def test_two_nodes_that_make_it_at_once_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create = cookie_file._create

    def late(path: Path) -> Cookie:
        write(path, b"the other's")
        return create(path)

    monkeypatch.setattr(cookie_file, "_create", late)
    assert read_cookie({"HOME": str(tmp_path)}) == Cookie("the other's")


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o601])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path / ".erlang.cookie", b"secret", mode)
    with pytest.raises(InvalidCookie, match="chmod 400") as caught:
        read_cookie({"HOME": str(tmp_path)})
    assert "secret" not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".erlang.cookie", 0o400)
    with pytest.raises(InvalidCookie, match="not a regular file"):
        read_cookie({"HOME": str(tmp_path)})


@pytest.mark.parametrize("content", [b"", b"a\tb", b"\n"])
def test_a_file_that_erl_would_refuse(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / ".erlang.cookie", content)
    with pytest.raises(InvalidCookie):
        read_cookie({"HOME": str(tmp_path)})


def test_no_place_for_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidCookie, match="HOME is not set"):
        read_cookie({})
    (tmp_path / "file").touch()
    with pytest.raises(InvalidCookie, match="cannot be read"):
        read_cookie({"HOME": str(tmp_path / "file")})
    with pytest.raises(InvalidCookie, match="cannot be made"):
        read_cookie({"HOME": str(tmp_path / "missing")})


def test_a_node_without_a_cookie_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / ".erlang.cookie", b"abc")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert Node("a@127.0.0.1")._cookie == Cookie("abc")
