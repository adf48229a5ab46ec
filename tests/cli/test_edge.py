from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import Run, refused
from tests.support.clock import UNIT
from tests.support.games import commit, open_store
from tests.support.ports import free_port, fresh_node
from tests.support.process import run_pyerlcoin


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say what to do"),
        (["dig"], "No such command 'dig'"),
        (["mine"], "Missing argument 'SERVER'"),
        (["mine", "a@b.c"], "Missing option '--as'"),
        (["serve", "--name", "a@b.c"], "Missing option '--secret'"),
        (["search", "1"], "Missing argument 'TO'"),
        (["search", "1", "x", "--secret", "s"], "'TO'"),
        (["mine", "a@b.c", "--as", "A", "--zeros", "33"], "'--zeros'"),
        (["mine", "a@b.c", "--as", "A", "--lanes", "0"], "'--lanes'"),
        (["mine", "a@b.c", "--as", "A", "--runtime", "jvm"], "'--runtime'"),
        (["mine", "a@b.c", "--as", "A", "--engine", "steam"], "there is no engine 'steam'"),
        (["serve", "--frobnicate"], "--frobnicate"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(run: Run, arguments: list[str], words: str) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert words in out + err
    assert err.startswith("pyerlcoin: ")
    assert err.count("\n") == 1


def test_help_is_no_error(run: Run) -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for command in ("serve", "mine", "leaderboard", "worth", "progress", "workload", "ping", "search", "epmd", "demo"):
        assert f"\n  {command}" in out
        assert run(command, "--help")[0] == 0


def test_the_version(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("pyerlcoin ")


def test_a_cookie_is_not_shown(run: Run, own_epmd: int) -> None:
    refused(run("ping", "a@127.0.0.1", "--cookie", "hush" * 100), 2, "the cookie has 400 characters")


def test_a_cookie_in_no_error(run: Run, own_epmd: int) -> None:
    _, out, err = run("ping", "nobody@127.0.0.1", "--cookie", "hushhush")
    assert "hushhush" not in out + err


@pytest.mark.parametrize("mode", [0o444, 0o440, 0o604])
def test_a_cookie_file_that_others_can_read(
    run: Run, own_epmd: int, monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str], mode: int
) -> None:
    path = os.path.join(tmp_path, ".erlang.cookie")
    with open(path, "w") as file:
        file.write("secret\n")
    os.chmod(path, mode)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYERLCOIN_COOKIE")
    refused(run("ping", "a@127.0.0.1"), 2, "is open to others than its owner: run chmod 400")


def test_an_empty_variable_is_no_cookie(
    run: Run, own_epmd: int, monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
) -> None:
    path = os.path.join(tmp_path, ".erlang.cookie")
    with open(path, "w") as file:
        file.write("")
    os.chmod(path, 0o400)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYERLCOIN_COOKIE", "")
    refused(run("ping", "a@127.0.0.1"), 2, "is empty")


def test_nobody_reads_the_output() -> None:
    """As `pyerlcoin search … | head -1`: no traceback, and no complaint at exit either."""
    script = (
        f"{sys.executable} -m pyerlcoin search 1 200000 --secret s --zeros 1 --engine python 2>err.$$ | head -1; "
        "echo ${PIPESTATUS[0]}; grep -v ' coins in ' err.$$; rm err.$$"
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=60 * UNIT, check=False, cwd=os.getcwd()
    )
    lines = done.stdout.splitlines()
    assert lines[1:] == ["0"], done.stdout + done.stderr


def in_shell(script: str, **env: str) -> list[str]:
    """What bash says to it; `pyerlcoin` is this one, and `ledger` a game with a name that is not ASCII."""
    program = f"{sys.executable} -m pyerlcoin"
    done = subprocess.run(
        ["bash", "-c", f'pyerlcoin() {{ {program} "$@"; }}; {script}'],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=60 * UNIT,
        check=False,
        cwd=os.getcwd(),
        env={**os.environ, **env},
    )
    return (done.stdout + done.stderr).splitlines()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    with open_store(tmp_path / "x") as store:
        commit(store, store.ledger.hello(1, "a@h", "Zoë ☃", 1001.0).facts)
    return tmp_path / "x"


FULL = "pyerlcoin: cannot write to standard output (No space left on device): send it elsewhere"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "command", ["audit $x", "export $x", "search 1 9 --zeros 0 --engine python --secret s", "--help", "--version"]
)
def test_an_output_without_room_is_one_sentence(ledger: Path, command: str, unbuffered: str) -> None:
    said = in_shell(f"pyerlcoin {command} >/dev/full; echo $?", x=str(ledger), PYTHONUNBUFFERED=unbuffered)
    assert [line for line in said if " coins in " not in line] == ["2", FULL]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("form", ["--quiet", "--json-events"])
def test_a_game_goes_on_although_its_lines_have_no_room(tmp_path: Path, form: str, unbuffered: str) -> None:
    serve = f"serve --name {fresh_node('server')} --cookie c --secret s --ledger $x --seconds 0.2 {form}"
    env = {"ERL_EPMD_PORT": str(free_port()), "x": str(tmp_path / "x")}
    said = in_shell(f"pyerlcoin {serve} >/dev/full; echo $?; pyerlcoin audit $x", **env, PYTHONUNBUFFERED=unbuffered)
    assert said == ["0", "0 coins of 0 miners hashed again, 0 units, 0 integers finished: every promise kept"]


def test_an_error_is_the_one_sentence_although_the_output_has_no_room(tmp_path: Path) -> None:
    said = in_shell("pyerlcoin audit $x >/dev/full; echo $?", x=str(tmp_path / "none"))
    assert said[0] == "6"
    assert len(said) == 2
    assert "there is no ledger" in said[1]


@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_an_output_that_is_closed_is_nobody_s(ledger: Path, closed: str) -> None:
    assert in_shell(f"pyerlcoin audit $x {closed}; echo $?; pyerlcoin dig {closed}; echo $?", x=str(ledger)) == [
        "0",
        "2",
        "pyerlcoin: No such command 'dig': see pyerlcoin --help",
    ]


def test_errors_without_a_place_have_their_exit_code(tmp_path: Path) -> None:
    assert in_shell("pyerlcoin dig 2>/dev/full; echo $?; pyerlcoin dig 2>&-; echo $?") == ["2", "2"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_name_is_told_in_any_encoding(ledger: Path, encoding: str) -> None:
    said = in_shell(
        "pyerlcoin export $x --format csv; echo $?; pyerlcoin export $x", x=str(ledger), PYTHONIOENCODING=encoding
    )
    assert "0" in said
    assert [one["name"] for one in json.loads(said[-1])["miners"]] == ["Zoë ☃"]


@pytest.mark.parametrize(
    ("listens", "number"),
    [
        ("nobody", signal.SIGINT),
        ("nobody", signal.SIGTERM),
        ("asyncio", signal.SIGINT),
        ("asyncio", signal.SIGTERM),
        ("ignored", signal.SIGTERM),
    ],
)
def test_a_signal_is_an_interruption_whoever_listens(listens: str, number: signal.Signals) -> None:
    """Also where the shell had Ctrl-C ignored, as it does for what a script runs in the background."""
    program = (
        "import asyncio, os, signal, sys\n"
        "from pyerlcoin import cli\n"
        "from pyerlcoin.cli import app, edge\n"
        f"number, listens = {number.value}, {listens!r}\n"
        "async def hear():\n"
        "    os.kill(os.getpid(), number)\n"
        "    await asyncio.Event().wait()\n"
        "def command(**_):\n"
        "    asyncio.run(hear()) if listens == 'asyncio' else os.kill(os.getpid(), number)\n"
        "    print('nobody heard')\n"
        "if listens == 'ignored': signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "edge.make_app = lambda arguments: command\n"
        "sys.exit(cli.main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60 * UNIT)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


async def test_module_and_command_are_the_same() -> None:
    code, out, err = await run_pyerlcoin("--version")
    assert code == 0
    assert out.startswith("pyerlcoin ")
    assert err == ""
