from __future__ import annotations

import pytest

from tests.cli.conftest import serving
from tests.support.cli import Run, refused
from tests.support.ports import free_port, fresh_node


def test_ctrl_c_ends_it_with_the_board_and_130() -> None:
    with serving() as served:
        served.child.interrupt()
        assert served.child.wait_sync() == 130
        assert served.child.out[-1] == "no miners yet"
        assert served.child.err == []


def test_it_ends_by_the_clock_with_0(own_epmd: int, run: Run) -> None:
    code, out, err = run("serve", "--name", fresh_node(), "--secret", "s", "--seconds", "0.1", "--quiet")
    assert (code, err) == (0, "")
    assert "serving ElixirCoin.Server on" in out


@pytest.mark.parametrize("workload", ["0", "-3", "2.5", "lots"])
def test_a_bad_workload(own_epmd: int, run: Run, workload: str) -> None:
    answer = run("serve", "--name", fresh_node(), "--secret", "s", f"--workload={workload}")
    refused(answer, 2, f"'{workload}' is no workload")


@pytest.mark.parametrize(("secret", "words"), [("", "the secret is empty"), ("\udcff", "not UTF-8")])
def test_a_bad_secret(own_epmd: int, run: Run, secret: str, words: str) -> None:
    refused(run("serve", "--name", fresh_node(), "--secret", secret), 2, words)


def test_no_name(own_epmd: int, run: Run) -> None:
    refused(run("serve", "--secret", "s"), 2, "give --name server@ADDRESS, or --sname server")


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--name", "server@localhost", "a long name needs a dot"),
        ("--sname", "server@127.0.0.1", "a short name has no dot"),
        ("--name", "se rver@127.0.0.1", "letters, digits"),
    ],
)
def test_a_bad_name(own_epmd: int, run: Run, option: str, name: str, words: str) -> None:
    refused(run("serve", option, name, "--secret", "s"), 2, words)


def test_a_name_that_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as served:
        for key, value in served.env.items():
            monkeypatch.setenv(key, value)
        refused(run("serve", "--name", served.node, "--secret", "s"), 4, "is already running on this host")


def test_an_address_of_another_machine(own_epmd: int, run: Run) -> None:
    answer = run("serve", "--name", "server@127.0.0.1", "--secret", "s", "--bind", "192.0.2.1")
    refused(answer, 2, "cannot listen on 192.0.2.1")


def test_a_port_of_ones_own(own_epmd: int, run: Run) -> None:
    port = free_port()
    code, _, err = run(
        "serve", "--name", fresh_node(), "--secret", "s", "--port", str(port), "--seconds", "0.1", "--visible"
    )
    assert (code, err) == (0, "")
