from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.cli import Run, refused
from tests.support.clock import UNIT
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


async def test_module_and_command_are_the_same() -> None:
    code, out, err = await run_pyerlcoin("--version")
    assert code == 0
    assert out.startswith("pyerlcoin ")
    assert err == ""
