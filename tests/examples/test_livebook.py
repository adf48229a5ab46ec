"""The notebook of an Elixir team, cell after cell, as Livebook runs it: it is elixir/worker.livemd."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.beam import Beam, EvalFailed, Release
from tests.support.clock import UNIT
from tests.support.game import ZEROS, Table, coins_in
from tests.support.ports import fresh_cookie, fresh_node
from tests.support.process import Child, run_pyerlcoin

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "elixir/worker.livemd"
TEXT = NOTEBOOK.read_text(encoding="utf-8")
CELLS = re.findall(r"^```elixir\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
TEAM = "Team Notebook"


def filled_in(server: str, cookie: str) -> list[str]:
    """The cells, as a team fills in the first of them."""
    settings = CELLS[0]
    for written, ours in {
        "server@192.168.0.13": server,
        ":workshop": f':"{cookie}"',
        "Your Team": TEAM,
        "192.168.0.20": "127.0.0.1",
        "zeros = 5": f"zeros = {ZEROS}",
    }.items():
        assert settings.count(written) == 1
        settings = settings.replace(written, ours)
    return [settings, *CELLS[1:]]


def running(cells: list[str]) -> str:
    """Elixir that evaluates cells one after the other, each with what those before it have named."""
    coded = ", ".join(f'"{b64encode(cell.encode()).decode()}"' for cell in cells)
    return f"""
    Enum.map_reduce([{coded}], [], fn cell, names ->
      {{value, names}} = Code.eval_string(Base.decode64!(cell), names)
      {{value, names}}
    end)
    |> elem(0)
    """


def test_it_is_a_notebook() -> None:
    outside = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^(#+) ", outside, re.MULTILINE)
    assert TEXT.startswith("# "), "the first line names it"
    assert headings[0] == "#"
    assert set(headings[1:]) == {"##"}, "each other heading is a section"
    assert len(CELLS) == TEXT.count("```elixir\n") > 0


@pytest.mark.beam
async def test_its_cells_are_formatted_as_livebook_saves_them(beam: Beam) -> None:
    for cell in CELLS:
        coded = b64encode(cell.encode()).decode()
        code = f'Base.encode64(IO.iodata_to_binary([Code.format_string!(Base.decode64!("{coded}")), "\\n"]))'
        assert await beam.eval(code) == f'"{coded}"'


@pytest.mark.beam
async def test_a_standalone_runtime_mines(table: Table) -> None:
    # As Livebook starts it: hidden, with a name and a cookie of its own.
    async with (
        table.serve("--workload", "100") as game,
        Beam(table.release, epmd_port=table.epmd_port, cookie=fresh_cookie(), hidden=True) as livebook,
    ):
        values = await livebook.eval(running(filled_in(game.node, table.cookie)), timeout=60 * UNIT)
        assert f"is connected to {game.node}" in values
        assert f'[{{"{TEAM}", ' in values, "the leaderboard"
        await game.coins_of(TEAM, 40)
        # A unit for each core: this node has two of them.
        await game.until(lambda told: told["open"] == 200)


@pytest.mark.beam
async def test_a_finished_unit_has_all_its_coins_told(table: Table, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    async with (
        table.serve("--workload", "50", "--ledger", str(ledger)) as game,
        Beam(table.release, epmd_port=table.epmd_port, cookie=fresh_cookie()) as livebook,
    ):
        cells = filled_in(game.node, table.cookie)
        enough = """
        Stream.repeatedly(fn -> GenServer.call(server, :leaderboard) end)
        |> Enum.find(&match?({:ok, [{_, count}]} when count >= 20, &1))
        """
        await livebook.eval(running([*cells, enough, "Miner.stop(pids)"]), timeout=60 * UNIT)
        await game.until(lambda told: told["open"] == 0)
        code, out, err = await run_pyerlcoin("export", str(ledger), "--format", "json")
        assert code == 0, err
        told = json.loads(out)
        assert len(told["coins"]) >= 20
        for first, last in told["finished"]:
            assert set(coins_in(first, last)) <= {coin["n"] for coin in told["coins"]}
        # And the name may be said again.
        assert f'[{{"{TEAM}", ' in await livebook.eval(running(cells), timeout=60 * UNIT)


@pytest.mark.beam
async def test_a_shell_without_a_node_becomes_one(table: Table, beam_release: Release) -> None:
    async with table.serve("--workload", "100") as game:
        code = running(filled_in(game.node, table.cookie)) + "|> IO.inspect()\nProcess.sleep(:infinity)"
        erl = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +sbwt none"
        command = beam_release.command("elixir", "--erl", erl, "-e", code)
        env = {"ERL_EPMD_PORT": str(table.epmd_port), "HOME": "/tmp", "LC_ALL": "C.UTF-8"}
        async with Child(command, env=env, label="notebook") as shell:
            await shell.wait_line(r"\"livebook\d+@127\.0\.0\.1 is connected to ", timeout=60 * UNIT)
            await shell.wait_line(r"^\d+ is a coin, our number 5$", timeout=60 * UNIT)
            await game.coins_of(TEAM, 5)


@pytest.mark.beam
async def test_a_second_hello_and_a_short_name_are_told(table: Table) -> None:
    async with table.serve("--workload", "100") as game:
        cells = filled_in(game.node, table.cookie)
        async with Beam(table.release, epmd_port=table.epmd_port) as livebook:
            await livebook.eval(running(cells), timeout=60 * UNIT)
            with pytest.raises(EvalFailed, match=f"'{TEAM}' is already registered"):
                await livebook.eval(running(cells), timeout=60 * UNIT)
        name = fresh_node("short").partition("@")[0] + "@localhost"
        async with Beam(table.release, epmd_port=table.epmd_port, name=name, short=True) as livebook:
            with pytest.raises(EvalFailed, match=r"is a short name, and .* is a long one: attach a node"):
                await livebook.eval(running(cells), timeout=60 * UNIT)


@pytest.mark.beam
async def test_a_wrong_cookie_is_told(table: Table) -> None:
    async with table.serve() as game, Beam(table.release, epmd_port=table.epmd_port) as livebook:
        with pytest.raises(EvalFailed, match=f"cannot connect to {game.node}: is its name right, the cookie"):
            await livebook.eval(running(filled_in(game.node, fresh_cookie())), timeout=60 * UNIT)
