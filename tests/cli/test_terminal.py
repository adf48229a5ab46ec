"""The commands in a terminal, at a pipe, and for a program."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import termios

import pytest

from tests.cli.conftest import Served, serving
from tests.support.clock import UNIT
from tests.support.ports import fresh_node
from tests.support.process import at_least, pyerlcoin
from tests.support.terminal import Terminal

MINE = ("--zeros", "3", "--engine", "python", "--workers", "1")
WIDTHS = pytest.mark.parametrize("columns", [80, 200])


def mining(served: Served, team: str, columns: int, *options: str, **env: str) -> Terminal:
    return Terminal("mine", served.node, "--as", team, *MINE, *options, env={**served.env, **env}, columns=columns)


def job(served: Served, team: str, columns: int) -> Terminal:
    return Terminal("mine", served.node, "--as", team, *MINE, env=served.env, columns=columns, in_shell=True)


def echoes(terminal: Terminal) -> bool:
    """A type checker knows no terminal that changes its mind."""
    return terminal.echoes


def coins_of(screen: str) -> int:
    """As many as the miner's picture says."""
    return int(re.findall(r"coins   ([\d,]+) accepted", screen)[-1].replace(",", ""))


@WIDTHS
def test_a_miner_shows_all_of_it_and_obeys_its_keys(served: Served, columns: int) -> None:
    team = f"Team {columns}"
    with mining(served, team, columns) as terminal:
        terminal.wait(r"coins   [1-9]\d* accepted, 0 rejected")
        shown = terminal.text
        assert re.search(rf"^{team}  mining  ", shown, re.MULTILINE)
        assert re.search(rf"^server  {served.node}, a call takes [\d.,]+ ms$", shown, re.MULTILINE)
        assert re.search(r"^speed   10 s .*H/s   60 s .*H/s   15 min .*H/s$", shown, re.MULTILINE)
        assert re.search(r"^in all  .*H/s, [\d,]+ integers?, [\d,]+ units?$", shown, re.MULTILINE)
        assert re.search(r"^lane 2  .*", shown, re.MULTILINE)
        assert "h help   p pause   r resume   s status   f finish   q quit" in shown
        assert not terminal.echoes
        assert os.get_blocking(terminal.slave), "the shell and our own output share it"
        terminal.press("h")
        terminal.wait("keep the units in hand")
        terminal.press("p")
        terminal.wait(f"{team}  paused")
        terminal.press("s")
        terminal.wait(r"\d\d:\d\d:\d\d [\d.]+ .?H/s, [\d,]+ coins?, [\d,]+ integers in [\d,]+ units?")
        terminal.press("r")
        terminal.wait(f"{team}  mining")
        # No key at all: an arrow ends in a letter, and other letters mean nothing.
        terminal.press("x")
        terminal.press("\x1b[q")
        terminal.press("Q")
        assert terminal.end() == 0
        assert re.search(r"quit: [\d,]+ coins? accepted", terminal.text)
        assert terminal.wrapped == []
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l"), "the cursor is back"


def test_f_finishes_the_units_in_hand_also_from_a_pause(served: Served) -> None:
    with mining(served, "Fin", 80) as terminal:
        terminal.wait(r"coins   [1-9]")
        terminal.press("p")
        terminal.wait("Fin  paused")
        terminal.press("f")
        assert terminal.end() == 0
        assert re.search(r"finished: [\d,]+ coins? accepted", terminal.text)
        assert "Fin  stopped" in terminal.text
        assert "given up" not in terminal.text
        assert terminal.wrapped == []


def test_ctrl_c_is_ctrl_c(served: Served) -> None:
    with mining(served, "Cut", 80) as terminal:
        terminal.wait(r"coins   [1-9]")
        terminal.press("\x03")
        assert terminal.end() == 130
        assert termios.tcgetattr(terminal.slave) == terminal.before


@WIDTHS
def test_it_says_what_reconnecting_waits_for(columns: int) -> None:
    with serving() as served, mining(served, "Lost", columns) as terminal:
        terminal.wait(r"coins   [1-9]")
        served.child.kill()
        terminal.wait(rf"server  {served.node}  attempt \d+ (in \d+ s|now): ")
        terminal.wait("Lost  not connected")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.wrapped == []


@WIDTHS
def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(served: Served, columns: int) -> None:
    team = f"Stop {columns}"
    with job(served, team, columns) as terminal:
        terminal.wait(r"coins   [1-9]")
        assert not echoes(terminal)
        terminal.press("\x1a")
        terminal.wait(r"\[stopped\]")
        assert echoes(terminal)
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l"), "the cursor is back"
        before = terminal.text
        frozen = len(terminal.raw)
        # In the background it goes on, and leaves keys, cursor and screen to the shell.
        terminal.press("bg\n")
        terminal.wait(r"(?s)\[stopped\].*\[stopped\]")
        served.child.wait_line_sync(rf"coin \d+ of '{team}', {at_least(coins_of(before) + 3)} of theirs")
        assert echoes(terminal)
        assert "H/s" not in terminal.raw[frozen:]
        terminal.press("fg\n")
        terminal.wait(rf"(?s)fg.*{team}  mining .*speed   10 s .*coins   ")
        assert not echoes(terminal)
        assert terminal.raw.rindex("\x1b[?25l") > terminal.raw.rindex("\x1b[?25h")
        assert terminal.text.startswith(before), "nothing above was drawn over"
        terminal.press("p")
        terminal.wait(f"{team}  paused")
        terminal.press("\x1a")
        terminal.wait(r"(?s)fg.*\[stopped\]")
        terminal.press("fg\n")
        terminal.wait(rf"(?s)fg.*fg.*{team}  paused")
        terminal.press("q")
        terminal.wait(r"\[ended 0\]")
        assert terminal.end() == 0
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert terminal.wrapped == []


def test_after_a_stop_that_it_could_not_foresee_it_has_its_modes_again(served: Served) -> None:
    with job(served, "Hold", 80) as terminal:
        terminal.wait(r"coins   [1-9]")
        os.killpg(terminal.front, signal.SIGSTOP)
        terminal.wait(r"\[stopped\]")
        assert echoes(terminal)
        terminal.press("fg\n")
        terminal.press("p")
        terminal.wait("Hold  paused")
        assert not echoes(terminal)
        terminal.press("q")
        terminal.wait(r"\[ended 0\]")
        assert termios.tcgetattr(terminal.slave) == terminal.before


def test_a_server_is_stopped_and_goes_on(own_epmd: int) -> None:
    env = {key: os.environ[key] for key in ("ERL_EPMD_PORT", "PYERLCOIN_COOKIE")}
    options = ("--secret", "Serun+u", "--ledger", ":memory:")
    with Terminal("serve", "--name", fresh_node("server"), *options, env=env, columns=80, in_shell=True) as terminal:
        terminal.wait("the next is 1, workload 1")
        terminal.press("\x1a")
        terminal.wait(r"\[stopped\]")
        assert termios.tcgetattr(terminal.slave) == terminal.before
        terminal.press("fg\n")
        terminal.wait("(?s)fg.*the next is 1, workload 1")
        terminal.press("\x03")
        terminal.wait(r"\[ended 130\]")
        assert terminal.wrapped == []


def test_where_there_are_no_jobs_ctrl_z_does_nothing(served: Served) -> None:
    # Without a shell nobody could continue it, so the system does not stop it.
    with mining(served, "Alone", 80) as terminal:
        terminal.wait(r"coins   [1-9]")
        terminal.press("\x1a")
        terminal.press("p")
        terminal.wait("Alone  paused")
        assert not terminal.echoes
        terminal.press("q")
        assert terminal.end() == 0


def test_an_error_leaves_the_terminal_as_it_was(served: Served) -> None:
    env = {**served.env, "PYERLCOIN_COOKIE": "another"}
    with Terminal("mine", served.node, "--as", "A", *MINE, env=env, columns=80) as terminal:
        assert terminal.end() == 4
        assert termios.tcgetattr(terminal.slave) == terminal.before


@WIDTHS
def test_a_server_shows_the_board(columns: int, own_epmd: int) -> None:
    node = fresh_node("server")
    env = {key: os.environ[key] for key in ("ERL_EPMD_PORT", "PYERLCOIN_COOKIE")}
    options = ("--secret", "Serun+u", "--zeros", "3", "--workload", "500", "--ledger", ":memory:")
    with Terminal("serve", "--name", node, *options, env=env, columns=columns) as terminal:
        terminal.wait(f"ElixirCoin.Server on {node}")
        name = "﷽" * 10 + "\u202e[red]\x1b[2J" + "W" * 40
        with pyerlcoin("mine", node, "--as", name, *MINE, env=env) as miner:
            miner.wait_line_sync(r"coin \d+ accepted")
            terminal.wait(r"│ 1 │ ﷽.* │ +[1-9]\d* │ +100% │")
        terminal.wait(r"[1-9]\d* coins? of [\d.,]+ to expect \(luck \d+%\)")
        terminal.wait(r"integers finished, [\d,]+ out, [\d,]+ returned")
        terminal.press("\x03")
        assert terminal.end() == 130
        assert terminal.wrapped == []
        assert "\x1b[2J" not in terminal.raw


@pytest.mark.parametrize(("options", "env"), [(("--quiet",), {}), ((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"})])
def test_plain_lines_on_a_terminal(served: Served, options: tuple[str, ...], env: dict[str, str]) -> None:
    with mining(served, "Plain", 80, *options, **env) as terminal:
        terminal.wait(r"coin \d+ accepted")
        terminal.press("s")
        terminal.wait(r"\d\d:\d\d:\d\d speed .*H/s / .*H/s / .*H/s / .*H/s, ")
        terminal.press("q")
        assert terminal.end() == 0
        assert "\x1b" not in terminal.raw


def test_at_a_pipe_each_line_has_its_time_and_no_key_is_read(served: Served) -> None:
    command = [sys.executable, "-m", "pyerlcoin", "mine", served.node, "--as", "Pipe", *MINE, "--coins", "3"]
    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | served.env
    done = subprocess.run(command, input="q", capture_output=True, text=True, env=env, timeout=60 * UNIT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(re.match(r"\d\d:\d\d:\d\d \S", line) for line in done.stdout.splitlines())
    assert "\x1b" not in done.stdout
    assert " 3 coins are mined: " in done.stdout


def test_a_miner_for_a_program(served: Served) -> None:
    arguments = ("mine", served.node, "--as", "Prog", *MINE, "--json-events")
    with pyerlcoin(*arguments, env=served.env) as child:
        child.wait_line_sync(r'"event": "coin_accepted"')
        child.wait_line_sync(r'"event": "unit_finished"')
        child.interrupt()
        assert child.wait_sync() == 130
        told = [json.loads(line) for line in child.out]
        assert child.err == []
    kinds = [each["event"] for each in told]
    assert kinds[0] == "search_started"
    assert kinds[-1] == "stopped"
    assert {"joined", "unit_taken", "coin_found", "coin_accepted", "unit_finished"} <= set(kinds)
    assert all(type(each["at"]) is float for each in told)
    coin = next(each for each in told if each["event"] == "coin_accepted")
    assert (type(coin["n"]), coin["count"]) == (int, 1)
    assert type(told[-1]["seconds"]) is float
    everything = "\n".join(child.out)
    assert "Serun+u" not in everything
    assert served.cookie not in everything


def test_a_server_for_a_program(own_epmd: int) -> None:
    node = fresh_node("server")
    env = {key: os.environ[key] for key in ("ERL_EPMD_PORT", "PYERLCOIN_COOKIE")}
    first = 10**30
    options = ("--secret", "Serun+u", "--zeros", "3", "--first", str(first), "--workload", "500")
    with pyerlcoin("serve", "--name", node, *options, "--ledger", ":memory:", "--json-events", env=env) as child:
        child.wait_line_sync('"event": "serving"')
        with pyerlcoin("mine", node, "--as", "Big", *MINE, env=env) as miner:
            miner.wait_line_sync(r"coin \d+ accepted")
        child.wait_line_sync('"event": "returned"')
        child.signal(signal.SIGTERM)
        assert child.wait_sync() == 130
        told = [json.loads(line) for line in child.out]
        assert child.err == []
    assert told[0]["event"] == "serving"
    assert (told[0]["node"], told[0]["ledger"], told[0]["board"]) == (node, None, None)
    handed = next(each for each in told if each["event"] == "handed_out")
    assert handed["unit"] == {"first": first, "last": first + 499}
    coin = next(each for each in told if each["event"] == "coin_accepted")
    assert coin["n"] >= first
    # What was on its way to the disk at the end may be told after it.
    boards = [each for each in told if each["event"] == "board"]
    assert [board["miners"][0]["name"] for board in boards] == ["Big"]
    everything = "\n".join(child.out)
    assert "Serun+u" not in everything
    assert env["PYERLCOIN_COOKIE"] not in everything
