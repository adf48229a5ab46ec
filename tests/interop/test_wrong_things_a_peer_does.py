"""Whatever a BEAM sends: an `{:error, message}` or a closed link, and the node lives."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from tests.support.beam import EvalFailed
from tests.support.clock import UNIT
from tests.support.game import SERVER, Table, coins_in

pytestmark = pytest.mark.beam

COIN = coins_in(1, 20_000)[0]
NO_COIN = next(n for n in range(1, 20_000) if not coins_in(n, n))
COIN_BEYOND = coins_in(20_001, 40_000)[0]

ERRORS = {
    "an unknown miner's coin": f'{{:coin, "Nobody", {COIN}}}',
    "an unknown miner is done": '{:done, "Nobody"}',
    "a coin out of range": f'{{:coin, "Alice", {COIN_BEYOND}}}',
    "no coin at all": f'{{:coin, "Alice", {NO_COIN}}}',
    "a negative integer": '{:coin, "Alice", -1}',
    "a huge integer": '{:coin, "Alice", :erlang.bsl(1, 8000)}',
    "a float": '{:coin, "Alice", 17.0}',
    "a name that is no UTF-8": "{:hello, <<255, 254>>}",
    "an empty name": '{:hello, ""}',
    "a name as an atom": "{:hello, :alice}",
    "a name of a megabyte": '{:hello, String.duplicate("a", 1_000_000)}',
    "a map": "%{[1] => %{}, hello: 1}",
    "a fun": "fn x -> x end",
    "a pid": "self()",
    "a bit string": "<<1::3>>",
    "an improper list": "[1 | 2]",
    "a list": "[:hello, 1]",
    "the empty tuple": "{}",
    "a workload by call": "{:workload, 5}",
    "a long atom": '{:hello, String.to_atom(String.duplicate("é", 255))}',
}


async def test_each_wrong_request_is_answered_with_an_error(table: Table) -> None:
    async with table.serve("--workload", "20000") as game:
        said = await table.beam.eval(
            f"""
            server = {{{SERVER}, :"{game.node}"}}
            {{:ok, _, _}} = GenServer.call(server, {{:hello, "Alice"}})
            {{:ok, 1}} = GenServer.call(server, {{:coin, "Alice", {COIN}}})
            {{:ok, _, _}} = Task.await(Task.async(fn -> GenServer.call(server, {{:hello, "Eve"}}) end))
            twice = [
              GenServer.call(server, {{:coin, "Alice", {COIN}}}),
              elem(GenServer.call(server, {{:coin, "Eve", {COIN}}}), 0),
              GenServer.call(server, :worth)
            ]
            wrong = for request <- [{", ".join(ERRORS.values())}] do
              {{:error, message}} = GenServer.call(server, request, 20_000)
              true = String.valid?(message)
              message
            end
            [twice, length(Enum.filter(wrong, &(byte_size(&1) in 1..1000)))]
            """,
            timeout=60 * UNIT,
        )
        assert said == f"[[{{:ok, 1}}, :error, {{:ok, 1}}], {len(ERRORS)}]"


async def test_a_wrong_workload_changes_nothing(table: Table) -> None:
    wrong = ["0", "-5", "1.5", ":many", '"10"', "%{}", ":erlang.bsl(1, 8000)"]
    async with table.serve("--workload", "7") as game:
        for workload in wrong:
            await table.cast(game.node, f"{{:workload, {workload}}}")
        await table.cast(game.node, "make_ref()")
        await table.beam.eval(f'send({{{SERVER}, :"{game.node}"}}, {{:what, :is, self()}})')
        assert (await game.call('{:hello, "Alice"}')).endswith(", {1, 7}}")


async def _closes_the_link_and_lives(table: Table, sending: str) -> None:
    """`sending` makes the server's node close the link; a new one is welcome."""
    async with table.serve() as game:
        gone = await table.beam.eval(
            f"""
            node = :"{game.node}"
            true = Node.connect(node)
            Node.monitor(node, true)
            server = {{{SERVER}, node}}
            {sending}
            receive do {{:nodedown, ^node}} -> :nodedown end
            """,
            timeout=60 * UNIT,
        )
        assert gone == ":nodedown"
        assert game.child.running
        assert await table.beam.eval(f'Node.ping(:"{game.node}")') == ":pong"
        assert await game.call(":worth") == "{:ok, 0}"


async def test_a_frame_of_a_hundred_megabytes(table: Table) -> None:
    await _closes_the_link_and_lives(table, "send(server, :binary.copy(<<0>>, 100_000_000))")


async def test_a_term_nested_a_hundred_thousand_deep(table: Table) -> None:
    await _closes_the_link_and_lives(table, "send(server, Enum.reduce(1..100_000, [], fn _, inner -> [inner] end))")


async def test_an_integer_of_half_a_megabyte(table: Table) -> None:
    await _closes_the_link_and_lives(table, "send(server, :erlang.bsl(1, 4_000_000))")


async def test_many_atoms_many_pids_many_messages(table: Table) -> None:
    """A chatty peer is no wrong one: everything is read, and the calls in between are answered."""
    async with table.serve() as game:
        answered = await table.beam.eval(
            f"""
            server = {{{SERVER}, :"{game.node}"}}
            for k <- 1..20_000 do
              send(server, {{String.to_atom("atom#{{k}}"), self(), make_ref(), 1.5, %{{k => [k]}}}})
              if rem(k, 1000) == 0, do: GenServer.call(server, :worth, 30_000)
            end
            |> Enum.count(&(&1 == {{:ok, 0}}))
            """,
            timeout=120 * UNIT,
        )
        assert answered == "20"


async def test_remote_code_is_refused_at_once(table: Table) -> None:
    async with table.serve() as game:
        said = await table.beam.eval(f':rpc.call(:"{game.node}", :erlang, :node, [])')
        assert said == "{:badrpc, :notsup}" or said.startswith("{:badrpc, {:EXIT")
        with pytest.raises(EvalFailed):
            await table.beam.eval(f':erpc.call(:"{game.node}", :erlang, :node, [])')
        assert await game.call(":worth") == "{:ok, 0}"


async def _distribution_port(table: Table, node: str) -> int:
    name, _, _ = node.partition("@")
    ports = await table.beam.eval(
        f'{{:ok, names}} = :erl_epmd.names({{127, 0, 0, 1}}); for {{n, p}} <- names, n == ~c"{name}", do: p'
    )
    (port,) = json.loads(ports)
    return int(port)


HALF_HANDSHAKES = {
    "silence": b"",
    "half a length": b"\0",
    "half a name": b"\0\x20N\0\0\0",
    "an empty frame": b"\0\0",
    "64 kB": b"\xff\xffN" + b"x" * 65534,
    "nonsense": b"\0\x05hello",
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


async def _until_closed(port: int, said: bytes) -> bytes:
    """What comes back before the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        return await asyncio.wait_for(reader.read(), 30 * UNIT)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_half_a_handshake(table: Table) -> None:
    """Each such socket is closed without a word, by the setup timer at the latest, and nobody else notices."""
    async with table.serve() as game:
        port = await _distribution_port(table, game.node)
        *answers, worth = await asyncio.gather(
            *(_until_closed(port, half) for half in HALF_HANDSHAKES.values()), game.call(":worth")
        )
        assert dict(zip(HALF_HANDSHAKES, answers, strict=True)) == dict.fromkeys(HALF_HANDSHAKES, b"")
        assert worth == "{:ok, 0}"
        assert await game.call(":worth") == "{:ok, 0}"


async def test_a_wrong_cookie(table: Table) -> None:
    async with table.serve() as game:
        # erl with another cookie for this one node: our side closes, its side sees false.
        node = f':"{game.node}"'
        await table.beam.eval(f":erlang.set_cookie({node}, :wrong)")
        assert await table.beam.eval(f"Node.connect({node})") == "false"
        await table.beam.eval(f":erlang.set_cookie({node}, Node.get_cookie())")
        assert await table.beam.eval(f"Node.connect({node})") == "true"
        # The log names the node that was refused, and no cookie.
        log = "\n".join(game.child.out + game.child.err)
        assert table.cookie not in log


async def test_a_flood_of_idle_sockets_touches_no_connection(table: Table) -> None:
    async with table.serve() as game:
        assert await game.call(":worth") == "{:ok, 0}"
        port = await _distribution_port(table, game.node)
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
        try:
            assert await game.call(":worth") == "{:ok, 0}"
        finally:
            for each in sockets:
                each.close()
        assert await table.beam.eval(f'Node.disconnect(:"{game.node}")') == "true"
        assert await game.call(":worth") == "{:ok, 0}"
