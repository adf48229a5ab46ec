"""Our node and a real BEAM, in both directions, with our own tables in view."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pyerlcoin.beam import Atom, GenServer, ImproperList, Map, Node, Pid, Record, Reference, Sender, Term
from pyerlcoin.beam.errors import CallTimeout, CookieMismatch, NodeDown, NoProcess, ProcessDown
from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.epmd_client import names
from tests.support.beam import Beam, EvalFailed, RealEpmd, Release
from tests.support.clock import UNIT, eventually
from tests.support.ports import free_port, fresh_cookie, fresh_name, fresh_node

pytestmark = pytest.mark.beam


class Echo(GenServer):
    """Answers with the request; keeps what came otherwise, and tells who waits for it."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Term] = asyncio.Queue()

    def handle_call(self, request: Term, sender: Sender) -> object:
        return request

    def handle_cast(self, request: Term) -> None:
        self.heard.put_nowait(("cast", request))

    def handle_info(self, message: Term) -> None:
        self.heard.put_nowait(message)

    async def next(self) -> Term:
        """The next thing heard."""
        return await asyncio.wait_for(self.heard.get(), 20 * UNIT)


@pytest.fixture
async def node(beam: Beam) -> AsyncIterator[Node]:
    """A node of ours in the cluster of the BEAM."""
    async with Node(fresh_node("py"), beam.cookie, epmd_port=beam.epmd_port) as running:
        yield running


@pytest.fixture
def echo(node: Node) -> Echo:
    """A process of that node, registered as `echo`."""
    server = Echo()
    node.spawn(server, "echo")
    return server


async def elixir_process(beam: Beam, name: str, body: str) -> None:
    """A process of the BEAM registered under `name`, once it is."""
    await beam.eval(
        f"me = self(); spawn(fn -> Process.register(self(), :{name}); send(me, :up); {body} end); "
        "receive do :up -> :ok end"
    )


async def test_ten_thousand_calls_leave_nothing_behind(beam: Beam, node: Node, echo: Echo) -> None:
    before = node.tables()
    counted = await beam.eval(
        f'to = {{:echo, :"{node.name}"}}; Enum.count(1..10_000, &(GenServer.call(to, &1, :infinity) == &1))',
        timeout=120 * UNIT,
    )
    assert counted == "10000"
    connection = node.route_if_up(beam.node)
    assert isinstance(connection, Connection)
    # One caller's frames come together, but where a read ends between them.
    assert connection.fast_hits["whole call"] > 5_000
    # Calls to nobody, as well.
    await beam.eval(
        f"""
        for _ <- 1..100 do
          try do
            GenServer.call({{:nobody, :"{node.name}"}}, 1)
          catch
            :exit, {{:noproc, _}} -> :ok
          end
        end
        """
    )
    # The caller's last DEMONITOR is on the way: what comes on the same connection after it is behind it.
    await beam.eval(f'GenServer.cast({{:echo, :"{node.name}"}}, :last)')
    assert await echo.next() == ("cast", Atom("last"))
    after = node.tables()
    assert after.monitors_on_us == before.monitors_on_us == 0
    assert after.processes == before.processes
    assert after.messages == after.calls == after.links == 0


async def test_terms_survive_the_way_there_and_back(beam: Beam, node: Node, echo: Echo) -> None:
    same = await beam.eval(
        f"""
        to = {{:echo, :"{node.name}"}}
        terms = [
          0, 255, 256, -1, 2_147_483_648, :erlang.bsl(1, 2000), -:erlang.bsl(1, 64), 1.5, -0.0,
          :ok, nil, true, :"é∂", String.to_atom(String.duplicate("é", 255)), "", "é", <<1::3>>, <<255, 1::1>>,
          [], [1, 2, 3], [1 | 2], Enum.to_list(1..300), Enum.to_list(1..70_000), {{}}, {{1, {{2}}}},
          List.to_tuple(Enum.to_list(1..300)), %{{}}, %{{1 => 2, 1.0 => 3, :a => %{{"b" => []}}}}, 1..5,
          self(), make_ref(), :erlang.alias(), hd(Port.list()), &Enum.map/2, fn x -> x end,
          String.duplicate("x", 1_000_000)
        ]
        for term <- terms, GenServer.call(to, term, 20_000) !== term, do: term
        """,
        timeout=60 * UNIT,
    )
    assert same == "[]"


async def test_native_records_survive_the_way_there_and_back(beam: Beam, node: Node, echo: Echo) -> None:
    if beam.otp < 29:
        pytest.skip(f"OTP {beam.otp} has no native records")
    coin = ':records.create(:c, :coin, [name: "Alice", n: 255], %{is_exported: true})'
    same = await beam.eval(
        f"""
        to = {{:echo, :"{node.name}"}}
        coin = {coin}
        terms = [
          coin,
          :records.create(:c, :coin, [], %{{is_exported: false}}),
          :records.create(:c, :"é∂", (for i <- 1..300, do: {{:"f#{{i}}", i}}), %{{is_exported: true}}),
          :records.create(:c, :used, [coin: coin, list: [1, 2, coin], ref: make_ref()], %{{is_exported: false}}),
          [coin], {{:ok, coin}}, %{{coin => [coin]}}, [coin | coin], fn -> coin end
        ]
        for term <- terms, GenServer.call(to, term, 20_000) !== term, do: term
        """
    )
    assert same == "[]"
    # The other way: one of theirs in a call of ours, which they take apart, and give back.
    await beam.eval(f'send({{:echo, :"{node.name}"}}, {coin})')
    record = await echo.next()
    assert isinstance(record, Record)
    assert (record.module, record.name) == (Atom("c"), Atom("coin"))
    assert record.fields == {Atom("name"): b"Alice", Atom("n"): 255}
    name = fresh_name("records").replace("-", "_")
    await elixir_process(
        beam,
        name,
        'receive do {:"$gen_call", from, {:look, r}} -> '
        f"GenServer.reply(from, {{:records.get(:name, r), r === {coin}, r}}) end; Process.sleep(:infinity)",
    )
    with node.process() as process:
        looked = await process.call((name, beam.node), (Atom("look"), record))
    assert looked == (b"Alice", Atom("true"), record)


async def test_sends_casts_and_plain_messages_arrive_in_order(beam: Beam, node: Node, echo: Echo) -> None:
    await beam.eval(
        f'to = {{:echo, :"{node.name}"}}; send(to, 1); GenServer.cast(to, 2); send(to, "3"); GenServer.cast(to, [])'
    )
    assert [await echo.next() for _ in range(4)] == [1, ("cast", 2), b"3", ("cast", [])]


async def test_our_calls_to_a_gen_server_there(beam: Beam, node: Node) -> None:
    name = fresh_name("agent").replace("-", "_")
    await beam.eval(f"{{:ok, pid}} = Agent.start(fn -> 7 end, name: :{name}); Process.unlink(pid)")
    with node.process() as process:
        state = await process.call(("net_kernel", beam.node), (Atom("is_auth"), Atom(node.name)))
        assert state == Atom("yes")
        answers = await asyncio.gather(
            *(process.call(("net_kernel", beam.node), (Atom("is_auth"), Atom(f"x@{k}"))) for k in range(200))
        )
        assert set(answers) == {Atom("yes")}
        connection = node.route_if_up(beam.node)
        assert isinstance(connection, Connection)
        # The replies took the short way.
        assert connection.fast_hits["SEND"] >= 201
        with pytest.raises(NoProcess):
            await process.call(("nobody_of_that_name", beam.node), 1, None)
        # Reasons of an exit come as they are.
        await elixir_process(beam, f"{name}_dies", "receive do _ -> exit({:because, 5}) end")
        with pytest.raises(ProcessDown) as down:
            await process.call((f"{name}_dies", beam.node), 1, None)
        assert down.value.reason == (Atom("because"), 5)
        await elixir_process(beam, f"{name}_mute", "receive do :never -> 1 end")
        with pytest.raises(CallTimeout):
            await process.call((f"{name}_mute", beam.node), 1, 0.05 * UNIT)
    # The BEAM was told of each end: nobody monitors that mute process any more. (Once the ping is answered, all that
    # went before it on the connection has arrived.)
    await node.ping(beam.node)
    assert await beam.eval(f"Process.info(Process.whereis(:{name}_mute), :monitored_by)") == "{:monitored_by, []}"
    assert node.tables().monitors_by_us == node.tables().calls == 0


async def test_a_late_reply_is_dropped(beam: Beam, node: Node, echo: Echo) -> None:
    name = fresh_name("late").replace("-", "_")
    await elixir_process(
        beam,
        name,
        'receive do {:"$gen_call", from, _} -> receive do :now -> GenServer.reply(from, :late) end end; '
        f'send({{:echo, :"{node.name}"}}, :replied)',
    )
    await node.connect(beam.node)  # the call must be on its way when its time is over
    with node.process() as process:
        with pytest.raises(CallTimeout):
            await process.call((name, beam.node), 1, 0.05 * UNIT)
        await process.send((name, beam.node), Atom("now"))
        assert await echo.next() == Atom("replied")
        assert node.tables().messages == 0


async def test_monitors_both_ways(beam: Beam, node: Node, echo: Echo) -> None:
    name = fresh_name("watched").replace("-", "_")
    await elixir_process(beam, name, "receive do reason -> exit(reason) end")
    process = echo.process
    reference = process.monitor((name, beam.node))
    await process.send((name, beam.node), Atom("enough"))
    down = await echo.next()
    assert isinstance(down, tuple)
    assert down[:3] == (Atom("DOWN"), reference, Atom("process"))
    assert down[4] == Atom("enough")
    gone = process.monitor((name, beam.node))
    down = await echo.next()
    assert isinstance(down, tuple)
    assert (down[1], down[4]) == (gone, Atom("noproc"))


async def test_a_monitor_of_ours_sees_the_reason(beam: Beam, node: Node, echo: Echo) -> None:
    assert (
        await beam.eval(
            f"""
        monitor = Process.monitor({{:leaver, :"{node.name}"}})
        receive do {{:DOWN, ^monitor, :process, _, reason}} -> reason end
        """
        )
        == ":noproc"
    )
    leaver = node.spawn(GenServer(), "leaver")
    ends = asyncio.create_task(
        beam.eval(
            f"""
            monitor = Process.monitor({{:leaver, :"{node.name}"}})
            send({{:echo, :"{node.name}"}}, :watching)
            receive do {{:DOWN, ^monitor, :process, _, reason}} -> reason end
            """
        )
    )
    assert await echo.next() == Atom("watching")
    leaver.exit((Atom("done"), 1))
    assert await ends == "{:done, 1}"


async def test_links_both_ways(beam: Beam, node: Node, echo: Echo) -> None:
    await beam.eval(
        "{gone, monitor} = spawn_monitor(fn -> :ok end); receive do {:DOWN, ^monitor, _, _, _} -> :ok end; "
        f'send({{:echo, :"{node.name}"}}, gone)'
    )
    dead = await echo.next()
    assert isinstance(dead, Pid)
    echo.process.link(dead)
    assert await echo.next() == (Atom("EXIT"), dead, Atom("noproc"))

    name = fresh_name("linked").replace("-", "_")
    await elixir_process(beam, name, f'send({{:echo, :"{node.name}"}}, self()); receive do reason -> exit(reason) end')
    alive = await echo.next()
    assert isinstance(alive, Pid)
    echo.process.link(alive)
    await echo.process.send(alive, Atom("bye"))
    assert await echo.next() == (Atom("EXIT"), alive, Atom("bye"))

    leaver = node.process()
    ends = asyncio.create_task(
        beam.eval(
            f"""
            Process.flag(:trap_exit, true)
            send({{:echo, :"{node.name}"}}, self())
            receive do pid -> Process.link(pid); send({{:echo, :"{node.name}"}}, :linked) end
            receive do {{:EXIT, _, reason}} -> reason end
            """
        )
    )
    there = await echo.next()
    assert isinstance(there, Pid)
    await leaver.send(there, leaver.pid)
    assert await echo.next() == Atom("linked")
    leaver.exit(Atom("tired"))
    assert await ends == ":tired"
    assert node.tables().links == 0


async def test_a_beam_that_is_killed_is_noticed(beam_release: Release, epmd: RealEpmd) -> None:
    cookie = fresh_cookie()
    async with (
        Beam(beam_release, epmd_port=epmd.port, cookie=cookie) as victim,
        Node(fresh_node("py"), cookie, epmd_port=epmd.port) as node,
    ):
        echo = Echo()
        process = node.spawn(echo, "echo")
        await elixir_process(victim, "mute", "receive do :never -> 1 end")
        reference = process.monitor(("mute", victim.node))
        call = asyncio.create_task(process.call(("mute", victim.node), 1, None))
        await node.ping(victim.node)
        assert node.nodes() == [victim.node]
        victim.kill()
        with pytest.raises(NodeDown):
            await asyncio.wait_for(call, 20 * UNIT)
        down = await echo.next()
        assert isinstance(down, tuple)
        assert (down[1], down[4]) == (reference, Atom("noconnection"))
        assert node.nodes() == []


async def test_a_node_that_comes_back_under_its_name(beam: Beam) -> None:
    name = fresh_node("phoenix")

    async def forgotten() -> bool:
        # The port mapper and the BEAM notice an end when they next look at their sockets.
        known = await names("127.0.0.1", "127.0.0.1", beam.epmd_port)
        return name.partition("@")[0] not in known and await beam.eval(f':"{name}" in Node.list(:hidden)') == "false"

    for life in range(3):
        async with Node(name, beam.cookie, epmd_port=beam.epmd_port) as node:
            echo = Echo()
            node.spawn(echo, "echo")
            assert await beam.eval(f'GenServer.call({{:echo, :"{name}"}}, {life})') == str(life)
        await eventually(forgotten)


async def test_a_wrong_cookie_is_named_on_both_sides(beam: Beam) -> None:
    async with Node(fresh_node("py"), "not-the-cookie", epmd_port=beam.epmd_port) as node:
        with pytest.raises(CookieMismatch):
            await node.connect(beam.node)
        assert await beam.eval(f'Node.connect(:"{node.name}")') == "false"
        assert node.tables().handshakes == node.tables().dials == 0


async def test_both_dial_at_once(beam: Beam) -> None:
    """Whichever connection wins, one is left, and it works in both directions."""
    for prefix in ("aa", "zz"):  # below and above the BEAM's name: the two sides of the rule
        async with Node(fresh_node(prefix), beam.cookie, epmd_port=beam.epmd_port) as node:
            node.spawn(Echo(), "echo")
            theirs, _ = await asyncio.gather(
                beam.eval(f'GenServer.call({{:echo, :"{node.name}"}}, 1)'), node.connect(beam.node)
            )
            assert theirs == "1"
            assert await node.ping(beam.node) >= 0
            assert node.tables().connections == 1


async def test_our_epmd_serves_beams(beam_release: Release) -> None:
    """No epmd of OTP anywhere: ours registers two BEAMs, and they find each other."""
    port, cookie = free_port(), fresh_cookie()
    async with Node(fresh_node("py"), cookie, epmd_port=port) as node:
        assert node.serves_epmd
        async with (
            Beam(beam_release, epmd_port=port, cookie=cookie) as one,
            Beam(beam_release, epmd_port=port, cookie=cookie) as two,
        ):
            assert await one.eval(f'Node.connect(:"{two.node}")') == "true"
            assert await node.ping(one.node) >= 0
            assert await two.eval(f'Node.ping(:"{node.name}")') == ":pong"
            names = await two.eval(":erl_epmd.names({127, 0, 0, 1}) |> elem(1) |> length()")
            assert names == "3"
            await two.stop()
            assert await one.eval(":erl_epmd.names({127, 0, 0, 1}) |> elem(1) |> length()") == "2"


async def test_a_visible_node_holds_nobody_up(beam_release: Release, epmd: RealEpmd) -> None:
    cookie = fresh_cookie()
    async with (
        Beam(beam_release, epmd_port=epmd.port, cookie=cookie) as one,
        Beam(beam_release, epmd_port=epmd.port, cookie=cookie) as two,
        Node(fresh_node("py"), cookie, epmd_port=epmd.port, hidden=False) as node,
    ):
        node.spawn(Echo(), "echo")
        assert await one.eval(f'Node.connect(:"{node.name}")') == "true"
        assert f':"{node.name}"' in await one.eval("Node.list()")
        assert await one.eval(f'Node.connect(:"{two.node}")') == "true"
        called = await one.eval("GenServer.multi_call(Node.list(), :echo, 5)")
        assert f'"{node.name}": 5' in called
        assert await one.eval(":global.register_name(:somebody, self())") == ":yes"


async def test_system_messages(beam: Beam, node: Node, echo: Echo) -> None:
    to = f'{{:echo, :"{node.name}"}}'
    # Until OTP 26.0, get_state takes whatever comes for the state; from 26.1 on it must be {ok, State}.
    assert await beam.eval(f":sys.get_state({to})") == ("{:ok, nil}" if beam.otp < 26 else "nil")
    assert (await beam.eval(f":sys.get_status({to})")).startswith("{:status, ")
    for refused in (
        f":sys.replace_state({to}, fn s -> s end)",
        f"GenServer.stop({to}, :normal, 2000)",
    ):
        with pytest.raises(EvalFailed):
            await beam.eval(refused)
    assert await beam.eval(f"GenServer.call({to}, 1)") == "1"


async def test_maps_and_improper_lists_are_terms_of_ours(beam: Beam, node: Node, echo: Echo) -> None:
    await beam.eval(
        f'send({{:echo, :"{node.name}"}}, %{{1 => [:a | :b]}}); send({{:echo, :"{node.name}"}}, make_ref())'
    )
    told = await echo.next()
    assert isinstance(told, Map)
    assert isinstance(told[1], ImproperList)
    assert isinstance(await echo.next(), Reference)


async def test_a_message_to_an_alias(beam: Beam, node: Node, echo: Echo) -> None:
    answered = asyncio.create_task(
        beam.eval(
            f'''
            alias = :erlang.alias([:explicit_unalias])
            send({{:echo, :"{node.name}"}}, alias)
            receive do message -> :erlang.unalias(alias); message after 20_000 -> :nothing end
            '''
        )
    )
    alias = await echo.next()
    assert isinstance(alias, Reference)
    await echo.process.send(alias, (Atom("to"), 1))
    echo.process.cast_nowait(alias, 2)  # to nobody, or as a second message
    assert await answered == "{:to, 1}"


async def test_old_ways_of_rpc_are_answered(beam: Beam, node: Node, echo: Echo) -> None:
    """`rpc:sbcast/3` waits for every node for as long as it is connected."""
    there = f'[:"{node.name}"]'
    assert await beam.eval(f":rpc.sbcast({there}, :echo, :hi)") == f'{{[:"{node.name}"], []}}'
    assert await echo.next() == Atom("hi")
    assert await beam.eval(f":rpc.sbcast({there}, :nobody, :hi)") == f'{{[], [:"{node.name}"]}}'
    assert await beam.eval(f":rpc.multi_server_call({there}, :nobody, :hi)") == f'{{[], [:"{node.name}"]}}'
