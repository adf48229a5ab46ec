from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator

import pytest

from pyerlcoin.beam import BeamError, Node
from pyerlcoin.beam import errors as beam
from pyerlcoin.beam.etf import OK, Atom
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.errors import CannotReach, ExitCode, GameError, RefusedByPeer, WrongUsage
from pyerlcoin.roles.cluster import Address, CallEnded, CallTimedOut, NodeLost, NoServer, ServerEnded
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.miner import MinerOptions, MinerRole
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.runtimes.native import NativeCluster, translate
from pyerlcoin.search.engine import Job
from tests.support.clock import UNIT
from tests.support.echo import Echo
from tests.support.hand_search import HandSearches
from tests.support.nodes import Cluster, settle, until
from tests.support.ports import fresh_name
from tests.support.search import expected

SECRET = b"Serun+u"


class Pair:
    """Two nodes, the service on one and callers on the other."""

    def __init__(self, nodes: Cluster) -> None:
        self.nodes = nodes
        self.there = nodes.make()
        self.here = nodes.make()
        self.server = NativeCluster(self.there)
        self.client = NativeCluster(self.here)
        self.to = Address(fresh_name("echo"), self.there.name)


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with Cluster() as nodes:
        pair = Pair(nodes)
        await pair.server.start()
        await pair.client.start()
        yield pair


async def test_calls_and_casts_arrive_with_the_pid_of_their_caller(pair: Pair) -> None:
    echo = Echo()
    await pair.server.host(pair.to.name, echo)
    one, two = await pair.client.caller(), await pair.client.caller()
    assert await one.call(pair.to, 1) == (OK, 1)
    assert await two.call(pair.to, b"2") == (OK, b"2")
    assert echo.calls == [(1, one.pid), (b"2", two.pid)]
    await one.cast(pair.to, (Atom("workload"), 3))
    assert await one.call(pair.to, 4) == (OK, 4)
    assert echo.casts == [(Atom("workload"), 3)]
    assert one.pid.node == pair.client.node == pair.here.name


async def test_a_reply_may_come_later_and_the_second_one_is_dropped(pair: Pair) -> None:
    echo = Echo()
    echo.silent = True
    await pair.server.host(pair.to.name, echo)
    caller = await pair.client.caller()
    call = asyncio.create_task(caller.call(pair.to, 1))
    await until(lambda: bool(echo.replies))
    echo.replies[0](5)
    echo.replies[0](6)
    assert await call == 5


async def test_a_reply_without_external_form_ends_nothing(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    echo = Echo()
    echo.silent = True
    await pair.server.host(pair.to.name, echo)
    caller = await pair.client.caller()
    call = asyncio.create_task(caller.call(pair.to, 1))
    await until(lambda: bool(echo.replies))
    echo.replies[0](object())
    echo.replies[0](7)
    assert await call == 7
    assert "could not be sent" in caplog.text


async def test_a_watched_caller_that_closes_is_told_once(pair: Pair) -> None:
    echo = Echo()
    host = await pair.server.host(pair.to.name, echo)
    caller = await pair.client.caller()
    await caller.call(pair.to, 1)
    host.watch(caller.pid)
    host.watch(caller.pid)
    await settle(pair.there, pair.here)
    await caller.close()
    await until(lambda: bool(echo.downs))
    assert echo.downs == [(caller.pid, Atom("normal"))]
    host.watch(caller.pid)
    await until(lambda: len(echo.downs) == 2)
    assert echo.downs[1] == (caller.pid, Atom("noproc"))


async def test_a_watched_caller_whose_node_is_lost_is_told(pair: Pair) -> None:
    echo = Echo()
    host = await pair.server.host(pair.to.name, echo)
    caller = await pair.client.caller()
    await caller.call(pair.to, 1)
    host.watch(caller.pid)
    pair.there.disconnect(pair.here.name)
    await until(lambda: bool(echo.downs))
    assert echo.downs == [(caller.pid, Atom("noconnection"))]


async def test_what_is_not_watched_any_more_is_not_told(pair: Pair) -> None:
    echo = Echo()
    host = await pair.server.host(pair.to.name, echo)
    caller, other = await pair.client.caller(), await pair.client.caller()
    await caller.call(pair.to, 1)
    host.watch(caller.pid)
    host.watch(other.pid)
    host.unwatch(caller.pid)
    host.unwatch(caller.pid)
    await settle(pair.there, pair.here)
    await caller.close()
    await other.close()
    await until(lambda: bool(echo.downs))
    assert [pid for pid, _ in echo.downs] == [other.pid]


async def test_a_call_ends_with_what_became_of_the_server(pair: Pair) -> None:
    caller = await pair.client.caller()
    with pytest.raises(NoServer):
        await caller.call(pair.to, 1)
    echo = Echo()
    echo.silent = True
    host = await pair.server.host(pair.to.name, echo)
    call = asyncio.create_task(caller.call(pair.to, 1))
    await until(lambda: bool(echo.calls))
    await host.close()
    with pytest.raises(ServerEnded) as ended:
        await call
    assert ended.value.reason == Atom("normal")
    await pair.server.host(pair.to.name, echo)
    call = asyncio.create_task(caller.call(pair.to, 1))
    await until(lambda: len(echo.calls) == 2)
    pair.there.disconnect(pair.here.name)
    with pytest.raises(NodeLost, match=pair.there.name):
        await call
    with pytest.raises(CallTimedOut):
        await caller.call(pair.to, 1, timeout=0.01)


async def test_a_request_ends_as_a_call_does(pair: Pair) -> None:
    caller = await pair.client.caller()
    with pytest.raises(NoServer):
        await caller.request(pair.to, 1)
    echo = Echo()
    host = await pair.server.host(pair.to.name, echo)
    sent = [caller.request(pair.to, number) for number in range(3)]
    assert [await answer for answer in sent] == [(OK, number) for number in range(3)]
    echo.silent = True
    unwanted, wanted = caller.request(pair.to, 3), caller.request(pair.to, 4)
    await until(lambda: len(echo.calls) == 5)
    unwanted.cancel()
    await host.close()
    with pytest.raises(ServerEnded):
        await wanted
    assert pair.here.tables().calls == 0


async def test_a_watched_server_tells_why_it_is_gone(pair: Pair) -> None:
    caller = await pair.client.caller()
    gone: list[CallEnded] = []
    await caller.watch(pair.to, gone.append)
    await until(lambda: len(gone) == 1)
    host = await pair.server.host(pair.to.name, Echo())
    await caller.watch(pair.to, gone.append)
    await caller.call(pair.to, 1)
    await host.close()
    await until(lambda: len(gone) == 2)
    await pair.server.host(pair.to.name, Echo())
    await caller.watch(pair.to, gone.append)
    await caller.call(pair.to, 1)
    pair.here.disconnect(pair.there.name)
    await until(lambda: len(gone) == 3)
    assert [type(error) for error in gone] == [NoServer, ServerEnded, NodeLost]


async def test_a_second_watch_takes_the_first_ones_place(pair: Pair) -> None:
    host = await pair.server.host(pair.to.name, Echo())
    caller = await pair.client.caller()
    first: list[CallEnded] = []
    second: list[CallEnded] = []
    await caller.watch(pair.to, first.append)
    await caller.watch(pair.to, second.append)
    await caller.call(pair.to, 1)
    await host.close()
    await until(lambda: bool(second))
    assert first == []


async def test_many_calls_leave_nothing_behind(pair: Pair) -> None:
    await pair.server.host(pair.to.name, Echo())
    caller = await pair.client.caller()
    for n in range(200):
        await caller.call(pair.to, n)
    # The last demonitor is still on its way.
    await until(lambda: pair.there.tables().monitors_on_us == 0)
    tables = pair.here.tables()
    assert (tables.calls, tables.monitors_by_us, tables.messages) == (0, 0, 0)


async def test_a_ping_takes_some_time_and_one_to_nobody_says_why(pair: Pair) -> None:
    assert 0 < await pair.client.ping(pair.server.node) < 20 * UNIT
    with pytest.raises(CannotReach, match="is it running, under that name"):
        await pair.client.ping("nobody-there@127.0.0.1")


async def test_another_cookie_is_refused(pair: Pair) -> None:
    stranger = NativeCluster(pair.nodes.make(cookie="another"))
    await stranger.start()
    caller = await stranger.caller()
    with pytest.raises(RefusedByPeer, match="same --cookie"):
        await caller.call(pair.to, 1)


async def test_short_names_and_long_ones_do_not_connect(pair: Pair) -> None:
    with pytest.raises(RefusedByPeer, match="--sname on both"):
        await pair.client.ping("server@localhost")


async def test_a_node_name_that_is_taken_is_refused(pair: Pair) -> None:
    with pytest.raises(RefusedByPeer, match="choose another name"):
        await NativeCluster(pair.nodes.make(pair.here.name)).start()


async def test_a_node_that_was_stopped_reaches_nobody(pair: Pair) -> None:
    await pair.client.stop()
    await pair.client.stop()
    with pytest.raises(CannotReach):
        await pair.client.caller()


ERRORS: list[BeamError] = [
    beam.InvalidNodeName("x", "why"),
    beam.InvalidCookie("why"),
    beam.UnencodableTerm("why"),
    beam.NameRegistered("x"),
    beam.NodeNotRunning(),
    beam.TooMuchAtOnce("what", 1),
    beam.InvalidCertificate("own.pem", "why"),
    beam.CannotListen("127.0.0.1", 1, "why"),
    beam.MalformedTerm("why", 1),
    beam.MalformedMessage("why"),
    beam.LimitExceeded("what", 2, 1),
    beam.HostUnknown("h"),
    beam.EpmdUnreachable("h", 1, "why"),
    beam.NodeNotFound("n@h"),
    beam.PortUnreachable("n@h", 1, "why"),
    beam.NoErlangNode("n@h", 1, "why"),
    beam.HungUp("n@h", "the status"),
    beam.SetupTimeout("n@h", 7.0),
    beam.CookieMismatch("n@h"),
    beam.NotAllowed("n@h"),
    beam.AlreadyConnected("n@h"),
    beam.NameInUse("n@h"),
    beam.NameFormMismatch("n@h", "n@h.x"),
    beam.WrongPeer("n@h", "m@h"),
    beam.TlsRefused("n@h", "why"),
    beam.NoProcess("S"),
    beam.NodeDown("n@h"),
    beam.ProcessDown("S", Atom("normal")),
    beam.CallTimeout("S", 5.0),
]


def test_every_error_of_the_node_wing_has_a_meaning_for_the_game() -> None:
    kinds = {kind for _, kind in inspect.getmembers(beam, inspect.isclass) if issubclass(kind, BeamError)}
    assert {type(error) for error in ERRORS} == {kind for kind in kinds if not kind.__subclasses__()}
    for error in ERRORS:
        for meaning in (translate(error), translate(error, Address("S", "n@h"))):
            assert isinstance(meaning, GameError)
            assert meaning.exit_code in (ExitCode.WRONG_USAGE, ExitCode.CANNOT_REACH, ExitCode.REFUSED)
            assert str(meaning)


def test_a_wrong_name_is_wrong_usage() -> None:
    with pytest.raises(beam.InvalidNodeName) as error:
        Node("nohost", "c")
    assert isinstance(translate(error.value), WrongUsage)


async def test_both_roles_over_two_real_nodes(pair: Pair) -> None:
    ledger = Ledger(SECRET, zeros=2, workload=500)
    server = ServerRole(ledger, Events())
    await server.open(pair.server)
    options = MinerOptions("Alice", Address(SERVER_NAME, pair.server.node), lanes=3, zeros=2)
    miner = MinerRole(pair.client, HandSearches(), options, Events(), chance=random.Random(1).random)
    run = asyncio.create_task(miner.run())
    await until(lambda: ledger.frontier > 5_000)
    # The connection goes in the middle of it all.
    pair.here.disconnect(pair.there.name)
    await until(lambda: ledger.frontier > 20_000)
    miner.stop()
    await run
    await until(lambda: ledger.progress(0.0).open == 0)
    await server.close()
    progress = ledger.progress(0.0)
    assert progress.finished + progress.returned == ledger.frontier - 1
    sure = expected(Job(SECRET, 1, 18_000, 2))
    assert ledger.worth() >= len(sure)
