"""A `pyerlcoin serve` as an Elixir node sees it: a node, a GenServer, and the game's server."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.support.beam import EvalFailed
from tests.support.clock import UNIT
from tests.support.game import SECRET, SERVER, Table, coins_in

pytestmark = pytest.mark.beam


async def test_connects_and_pings(table: Table) -> None:
    async with table.serve() as game:
        assert await table.beam.eval(f'Node.connect(:"{game.node}")') == "true"
        assert await table.beam.eval(f'Node.ping(:"{game.node}")') == ":pong"
        assert f':"{game.node}"' in await table.beam.eval("Node.list(:hidden)")
        assert f':"{game.node}"' not in await table.beam.eval("Node.list()")


async def test_the_six_requests_in_both_unit_shapes(table: Table) -> None:
    first, second = coins_in(1, 10_000)[:2]
    async with table.serve() as game:
        # One process asks for everything: a unit belongs to the pid that asked.
        said = await table.beam.eval(
            f"""
            server = {{{SERVER}, :"{game.node}"}}
            call = fn request -> GenServer.call(server, request, :infinity) end
            cast = fn request -> GenServer.cast(server, request) end
            [
              call.({{:hello, "Alice"}}),
              call.({{:done, "Alice"}}),
              cast.({{:workload, 100}}),
              call.({{:done, "Alice"}}),
              cast.({{:workload, 10_000}}),
              call.({{:done, "Alice"}}),
              call.({{:coin, "Alice", {first}}}),
              call.({{:coin, "Alice", {second}}}),
              call.(:worth),
              call.(:leaderboard),
              cast.({{:workload, 1}}),
              call.({{:done, "Alice"}}),
              call.({{:hello, "Bob Ø"}}),
              call.(:leaderboard)
            ]
            """
        )
        assert said == (
            f'[{{:ok, "{SECRET}", 1}}, {{:ok, 2}}, :ok, {{:ok, {{3, 102}}}}, :ok, {{:ok, {{103, 10102}}}}, '
            '{:ok, 1}, {:ok, 2}, {:ok, 2}, {:ok, [{"Alice", 2}]}, :ok, {:ok, 10103}, '
            f'{{:ok, "{SECRET}", 10104}}, {{:ok, [{{"Alice", 2}}, {{"Bob Ø", 0}}]}}]'
        )


async def test_a_call_to_an_unregistered_name_exits_noproc_at_once(table: Table) -> None:
    async with table.serve() as game:
        # No timeout of its own: only noproc can end it.
        with pytest.raises(EvalFailed) as failed:
            await table.beam.eval(f'GenServer.call({{Nobody, :"{game.node}"}}, :hello, :infinity)')
        assert failed.value.kind == "exit"
        assert failed.value.reason.startswith("{:noproc, {GenServer, :call,")


@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGINT, ":normal"), (signal.SIGTERM, ":normal"), (signal.SIGKILL, ":noconnection")],
)
async def test_a_monitor_sees_the_server_go(table: Table, number: signal.Signals, reason: str) -> None:
    async with table.serve() as game:
        name = f"watcher{game.node.partition('@')[0].rpartition('-')[2]}"
        # Only once the reply to a call is here is the monitor of the same process surely in place there.
        await table.beam.eval(
            f"""
            me = self()
            spawn(fn ->
              Process.register(self(), :{name})
              Process.monitor({{{SERVER}, :"{game.node}"}})
              {{:ok, 0}} = GenServer.call({{{SERVER}, :"{game.node}"}}, :worth)
              send(me, :ready)
              down = receive do {{:DOWN, _, :process, _, reason}} -> reason end
              receive do {{:tell, to}} -> send(to, {{:down, down}}) end
            end)
            receive do :ready -> :ok end
            """
        )
        game.child.signal(number)
        await game.child.wait()
        seen = await table.beam.eval(
            f"send(:{name}, {{:tell, self()}}); receive do {{:down, reason}} -> reason end", timeout=20 * UNIT
        )
        assert seen == reason


async def test_multi_call_and_sys_return(table: Table) -> None:
    async with table.serve() as game:
        assert (
            await table.beam.eval(f'GenServer.multi_call([:"{game.node}"], {SERVER}, :worth)')
            == f'{{["{game.node}": {{:ok, 0}}], []}}'
        )
        state = await table.beam.eval(f':sys.get_state({{{SERVER}, :"{game.node}"}})')
        # Until OTP 26.0, get_state takes whatever comes for the state; from 26.1 on it must be {ok, State}.
        assert state.startswith("{:ok, %{" if table.beam.otp < 26 else "%{")
        status = await table.beam.eval(f'elem(:sys.get_status({{{SERVER}, :"{game.node}"}}), 0)')
        assert status == ":status"
        # It may say no to what would change it, but says so, and lives.
        with pytest.raises(EvalFailed):
            await table.beam.eval(f'GenServer.stop({{{SERVER}, :"{game.node}"}}, :normal, 2000)')
        assert await game.call(":worth") == "{:ok, 0}"


async def test_many_callers_at_once_get_each_their_own_answer(table: Table) -> None:
    async with table.serve("--workload", "10") as game:
        units = await table.beam.eval(
            f"""
            server = {{{SERVER}, :"{game.node}"}}
            1..50
            |> Enum.map(fn k -> Task.async(fn ->
              {{:ok, _, first}} = GenServer.call(server, {{:hello, "team #{{k}}"}}, :infinity)
              [first | for(_ <- 1..20, do: elem(GenServer.call(server, {{:done, "team #{{k}}"}}, :infinity), 1))]
            end) end)
            |> Enum.flat_map(&Task.await(&1, :infinity))
            |> Enum.sort()
            |> Enum.map(&Tuple.to_list/1)
            |> Enum.chunk_every(2, 1, :discard)
            |> Enum.all?(fn [[_, last], [first, _]] -> first == last + 1 end)
            """
        )
        assert units == "true"


async def test_a_beam_that_dies_gives_its_unit_back(table: Table) -> None:
    async with table.serve("--workload", "100") as game:
        # A process of its own takes a unit and ends; when it says hello again, its unit still waits for it.
        hello = 'Task.await(Task.async(fn -> GenServer.call(server, {:hello, "Eve"}, :infinity) end), :infinity)'
        again = await table.beam.eval(f'server = {{{SERVER}, :"{game.node}"}}; [{hello}, {hello}]')
        assert again == f'[{{:ok, "{SECRET}", {{1, 100}}}}, {{:ok, "{SECRET}", {{1, 100}}}}]'


async def test_two_clients_of_the_same_name_at_once(table: Table) -> None:
    async with table.serve() as game:
        said = await asyncio.gather(game.call('{:hello, "Same"}'), game.call('{:hello, "Same"}'))
        # The evaluations are processes that end, so the second may also find the name free again.
        assert any(reply.startswith("{:ok,") for reply in said)
        taken = await table.beam.eval(
            f"""
            server = {{{SERVER}, :"{game.node}"}}
            {{:ok, _, _}} = GenServer.call(server, {{:hello, "Held"}})
            GenServer.call(server, {{:hello, "Held"}})
            """
        )
        assert taken == "{:error, \"'Held' is already registered\"}"
