"""Each way in which a team may try to get more than it found: an answer in words, and a board that does not move."""

from __future__ import annotations

import pytest

from tests.support.beam import Beam
from tests.support.clock import UNIT
from tests.support.game import SECRET, SERVER, Game, Table, coins_in
from tests.support.process import run_pyerlcoin

pytestmark = pytest.mark.beam

WORKLOAD = 2000
MINE, MINE_TOO = coins_in(1, WORKLOAD)[:2]
NO_COIN = next(n for n in range(1, WORKLOAD) if not coins_in(n, n))
THEIRS, THEIRS_TOO = coins_in(WORKLOAD + 1, 2 * WORKLOAD)[:2]


async def play(game: Game, requests: str, *, beam: Beam | None = None, timeout: float = 60 * UNIT) -> str:
    """What `requests` is, in Elixir, for a game in which Alice has the first unit and Eve the next, in this process."""
    return await (beam or game.table.beam).eval(
        f"""
        server = {{{SERVER}, :"{game.node}"}}
        call = fn request -> GenServer.call(server, request, :infinity) end
        result = (
          {requests}
        )
        # A list of answers would be shown as a keyword list.
        if is_list(result), do: List.to_tuple(result), else: result
        """,
        timeout=timeout,
    )


BOTH = f"""
{{:ok, "{SECRET}", {{1, {WORKLOAD}}}}} = call.({{:hello, "Alice"}})
{{:ok, "{SECRET}", _}} = call.({{:hello, "Eve"}})
{{:ok, 1}} = call.({{:coin, "Alice", {MINE}}})
"""


async def test_a_coin_of_a_foreign_range(table: Table) -> None:
    async with table.serve("--workload", str(WORKLOAD)) as game:
        said = await play(game, f'{BOTH} [call.({{:coin, "Eve", {MINE_TOO}}}), call.(:leaderboard)]')
    assert said == (
        '{{:error, "that integer is in no unit that was handed to \'Eve\'"}, {:ok, [{"Alice", 1}, {"Eve", 0}]}}'
    )


@pytest.mark.parametrize("accept", ["handed", "any"])
async def test_another_s_coin(table: Table, accept: str) -> None:
    async with table.serve("--workload", str(WORKLOAD), "--accept", accept) as game:
        said = await play(game, f'{BOTH} [call.({{:coin, "Eve", {MINE}}}), call.(:worth)]')
    assert said == '{{:error, "that coin counts for another miner already"}, {:ok, 1}}'


async def test_ones_own_coin_again_gets_the_same_answer(table: Table) -> None:
    async with table.serve("--workload", str(WORKLOAD)) as game:
        said = await play(
            game,
            f'{BOTH} [call.({{:coin, "Alice", {MINE}}}), call.({{:coin, "Alice", {MINE_TOO}}}), '
            f'call.({{:coin, "Alice", {MINE}}}), call.(:worth)]',
        )
    assert said == "{{:ok, 1}, {:ok, 2}, {:ok, 1}, {:ok, 2}}"


async def test_another_s_name(table: Table) -> None:
    async with table.serve("--workload", str(WORKLOAD)) as game:
        # Alice's process lives as long as her node.
        await play(
            game,
            f"""
            me = self()
            spawn(fn -> {BOTH}
              send(me, :joined)
              receive do :never -> nil end
            end)
            receive do :joined -> :ok end
            """,
        )
        with Beam(table.release, epmd_port=table.epmd_port, cookie=table.cookie) as thief:
            said = await play(
                game,
                f'[call.({{:hello, "Alice"}}), call.({{:coin, "Alice", {MINE_TOO}}}), call.({{:done, "Alice"}})]',
                beam=thief,
            )
        elsewhere = "{:error, \"'Alice' is registered on another node\"}"
        assert said == f"{{{{:error, \"'Alice' is already registered\"}}, {elsewhere}, {elsewhere}}}"
        assert await table.board(game.node) == {"Alice": 1, "Eve": 0}
        told = await game.progress()
        assert (told["finished"], told["open"]) == (0, 2 * WORKLOAD)


async def test_done_without_a_unit_finishes_nothing(table: Table) -> None:
    async with table.serve("--workload", str(WORKLOAD)) as game:
        said = await play(
            game,
            f"""
            {BOTH}
            other = Task.await(Task.async(fn ->
              given = call.({{:done, "Alice"}})
              {{given, elem(call.(:progress), 1).finished}}
            end), :infinity)
            [other, call.({{:done, "Nobody"}}), elem(call.(:progress), 1).finished]
            """,
        )
    # It is work like any other's, and the unit that Alice's first process holds stays hers.
    given = f"{{{{:ok, {{{2 * WORKLOAD + 1}, {3 * WORKLOAD}}}}}, 0}}"
    assert said == f"{{{given}, {{:error, \"unknown miner 'Nobody'\"}}, 0}}"


async def test_a_hit_told_by_a_friend(table: Table) -> None:
    """It stays with whose range it is, who may tell it also when the unit is done."""
    async with table.serve("--workload", str(WORKLOAD)) as game:
        said = await play(
            game,
            f"""
            {BOTH}
            [call.({{:coin, "Alice", {THEIRS}}}), call.({{:coin, "Eve", {THEIRS}}}),
             call.({{:done, "Eve"}}), call.({{:coin, "Eve", {THEIRS_TOO}}})]
            """,
        )
    assert said == (
        "{{:error, \"that integer is in no unit that was handed to 'Alice'\"}, {:ok, 1}, "
        f"{{:ok, {{{2 * WORKLOAD + 1}, {3 * WORKLOAD}}}}}, {{:ok, 2}}}}"
    )


async def test_ten_thousand_names_from_one_node(table: Table) -> None:
    async with table.serve("--workload", "1") as game:
        said = await play(
            game,
            """
            1..10_000
            |> Task.async_stream(fn k -> call.({:hello, "name #{k}"}) end,
                 max_concurrency: 100, timeout: :infinity, ordered: false)
            |> Enum.map(fn
              {:ok, {:ok, _, _}} -> :welcome
              {:ok, {:error, message}} -> message
            end)
            |> Enum.frequencies()
            |> Enum.sort_by(&elem(&1, 1))
            """,
            timeout=120 * UNIT,
        )
        full = f"1000 names are registered on {table.beam.node}, and it may have no more"
        assert said == f'{{{{:welcome, 1000}}, {{"{full}", 9000}}}}'
        # Whoever comes from elsewhere is welcome.
        with Beam(table.release, epmd_port=table.epmd_port, cookie=table.cookie) as other:
            assert (await play(game, 'call.({:hello, "Bob"})', beam=other)).startswith(f'{{:ok, "{SECRET}", ')


async def test_names_of_ten_megabytes_and_integers_of_ten_thousand_digits(table: Table) -> None:
    async with table.serve("--workload", str(WORKLOAD)) as game:
        said = await play(
            game,
            f"""
            {BOTH}
            name = String.duplicate("a", 10_000_000)
            n = String.to_integer(String.duplicate("7", 10_000))
            [call.({{:hello, name}}), call.({{:done, name}}), call.({{:coin, name, {MINE}}}),
             call.({{:coin, "Alice", n}}), call.({{:coin, "Alice", -n}}), call.(:worth)]
            """,
        )
        name = '{:error, "a name is UTF-8 text of 1 to 256 bytes"}'
        integer = '{:error, "a coin is an integer from 0 up, of at most 1000 digits"}'
        assert said == f"{{{name}, {name}, {name}, {integer}, {integer}, {{:ok, 1}}}}"


async def test_the_audit_finds_nothing_and_the_export_tells_who_tried(table: Table, tmp_path: object) -> None:
    ledger = f"{tmp_path}/x"
    async with table.serve("--workload", str(WORKLOAD), "--ledger", ledger) as game:
        await play(
            game, f'{BOTH} for n <- [{MINE}, {MINE_TOO}, {NO_COIN}], do: {{:error, _}} = call.({{:coin, "Eve", n}})'
        )
    assert (await run_pyerlcoin("audit", ledger))[0] == 0
    _, out, _ = await run_pyerlcoin("export", ledger, "--format", "csv")
    tried = [line.split(",") for line in out.splitlines() if line.startswith("refused,Eve,")]
    assert {cells[7].partition(":")[0] for cells in tried} == {
        "coin of another miner",
        "range of another miner",
        "verification failed",
    }
