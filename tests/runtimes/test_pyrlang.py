from __future__ import annotations

import asyncio
import random
import re
import sys
import warnings
from collections.abc import AsyncIterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest

from pyerlcoin.beam import Atom, BitString, Cookie, ImproperList, Map, NodeName, Pid, Reference, Term
from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf.terms import FALSE, OK, TRUE, UNDEFINED, Export
from pyerlcoin.cli.edge import main
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.errors import CannotReach, ExitCode, RefusedByPeer, WrongUsage
from pyerlcoin.roles.cluster import Address, CallEnded, CallTimedOut, Cluster, NodeLost, NoServer, ServerEnded
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.miner import MinerOptions, MinerRole
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.runtimes.native import NativeCluster
from pyerlcoin.runtimes.pyrlang import make_pyrlang_cluster
from pyerlcoin.runtimes.pyrlang.finding import find_pyrlang
from pyerlcoin.search.engine import Job
from tests.support import nodes
from tests.support.clock import UNIT
from tests.support.echo import Echo
from tests.support.hand_search import HandSearches
from tests.support.nodes import until
from tests.support.ports import fresh_name, fresh_node
from tests.support.real_pyrlang import CANNOT, OUR_NODE, why_not_here
from tests.support.search import expected

INTEROP = Path(__file__).parents[1] / "interop"
ASKED = ("--name", "s@127.0.0.1", "--secret", "Serun+u", "--cookie", "c", "--runtime", "pyrlang")

_absent = why_not_here()
real = pytest.mark.skipif(_absent is not None, reason=f"the real Pyrlang is not here: {_absent}")


# Without it.


class OnlyIn:
    """Finds the two names in one folder, and everything else where it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None and name in ("pyrlang", "term"):
            return PathFinder.find_spec(name, [str(self._folder)])
        return PathFinder.find_spec(name, path, target)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The one folder in which Pyrlang and Term are looked for; empty."""
    finders = [OnlyIn(tmp_path) if each is PathFinder else each for each in sys.meta_path]
    monkeypatch.setattr(sys, "meta_path", finders)
    ours = "pyerlcoin.runtimes.pyrlang.cluster"
    for name in [name for name in sys.modules if name.partition(".")[0] in ("pyrlang", "term") or name == ours]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def stand_in(folder: Path, name: str, *modules: str) -> Path:
    """A package that fails the test when it is imported."""
    package = folder / name
    package.mkdir()
    for module in ("__init__", *modules):
        (package / f"{module}.py").write_text("raise AssertionError('its code is not run')\n")
    return package / "__init__.py"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == ExitCode.WRONG_USAGE
    out, err = capsys.readouterr()
    assert not out
    (line,) = err.splitlines()
    return line


@pytest.mark.parametrize("command", [("serve", *ASKED), ("mine", "s@127.0.0.1", "--as", "Alice", *ASKED[4:])])
def test_asked_for_and_absent(bare: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    line = said(capsys, *command)
    assert "no pyrlang is installed here" in line
    assert "github.com/Pyrlang/Pyrlang" in line
    assert "github.com/Pyrlang/Term" in line


@pytest.mark.parametrize("command", [("serve", *ASKED), ("mine", "s@127.0.0.1", "--as", "Alice", *ASKED[4:])])
def test_asked_for_and_another_project_of_that_name(
    bare: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    found = stand_in(bare, "pyrlang", "interpreter")
    line = said(capsys, *command)
    assert f"the pyrlang installed here, {found}, is another project of that name" in line
    assert "github.com/Pyrlang/Pyrlang" in line


def test_the_other_project_may_be_a_module_or_a_namespace(bare: Path) -> None:
    (bare / "pyrlang").mkdir()
    with pytest.raises(WrongUsage, match=re.escape(str(bare / "pyrlang"))):
        find_pyrlang()
    (bare / "pyrlang").rmdir()
    (bare / "pyrlang.py").write_text("")
    with pytest.raises(WrongUsage, match="is another project"):
        find_pyrlang()


def test_term_is_looked_at_as_well(bare: Path) -> None:
    stand_in(bare, "pyrlang", "node", "process", "dist_proto")
    with pytest.raises(WrongUsage, match="no term is installed"):
        find_pyrlang()
    found = stand_in(bare, "term", "tty")
    with pytest.raises(WrongUsage, match=f"the term installed here, {re.escape(str(found))}, is another project"):
        find_pyrlang()


def test_one_that_cannot_be_imported_is_said_so(bare: Path) -> None:
    stand_in(bare, "pyrlang", "node", "process", "dist_proto")
    stand_in(bare, "term", "atom", "pid", "codec")
    (bare / "term/__init__.py").write_text("raise ImportError('it is broken')\n")
    with pytest.raises(WrongUsage, match=r"cannot be used \(it is broken\).*github\.com/Pyrlang/Term"):
        make(fresh_node(), 1)


def test_what_it_cannot_do_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for option in (("--bind", "127.0.0.1"), ("--port", "5000")):
        assert "leave out --bind and --port" in said(capsys, "serve", *ASKED, *option)


def test_each_test_that_it_cannot_do_is_there() -> None:
    source = "".join(path.read_text() for path in INTEROP.glob("test_*.py") if path.name not in OUR_NODE)
    assert all((INTEROP / name).exists() for name in OUR_NODE)
    for name in CANNOT:
        assert f"def {name.partition('[')[0]}(" in source


# The real thing.


def make(name: str, epmd_port: int, cookie: str = "c") -> Cluster:
    with warnings.catch_warnings():
        # At its import, Pyrlang uses what it deprecates itself.
        warnings.simplefilter("ignore", DeprecationWarning)
        return make_pyrlang_cluster(NodeName.parse(name), Cookie(cookie), epmd_port=epmd_port)


class Pair:
    """A node of ours, which is the epmd as well, and Pyrlang's."""

    def __init__(self, theirs: nodes.Cluster) -> None:
        self.native_node = theirs.make()
        self.native: Cluster = NativeCluster(self.native_node)
        self.pyrlang = make(fresh_node("pyrlang"), theirs.epmd_port, theirs.cookie)
        self.epmd_port = theirs.epmd_port
        self.cookie = theirs.cookie

    def to(self, cluster: Cluster) -> Address:
        return Address(fresh_name("echo"), cluster.node)


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with nodes.Cluster() as theirs:
        pair = Pair(theirs)
        await pair.native.start()
        await pair.pyrlang.start()
        try:
            yield pair
        finally:
            await pair.pyrlang.stop()


@real
def test_terms_go_there_and_back() -> None:
    from pyerlcoin.runtimes.pyrlang.terms import from_term, to_term

    same: list[Term] = [
        *(0, -1, 255, 2**31, -(2**64), 2**2000, 1.5, b"", b"\xff", "é".encode()),
        *(Atom("ok"), Atom("nil"), Atom(""), [], [1, 2, 3], [b"a", [Atom("b")]], (), (1, (2, [])), Map({1: {}}), Map()),
        Pid.make("a@b", 2**32 - 1, 7, 9),
        Reference.make("a@b", 3, [1, 2, 2**32 - 1]),
        ImproperList([Atom("alias")], Reference.make("a@b", 3, [1, 2, 3])),
        ImproperList([1, 2], 0),
    ]
    for term in same:
        assert from_term(to_term(term)) == term
    assert [from_term(each) for each in (True, False, None, "abc")] == [TRUE, FALSE, UNDEFINED, [97, 98, 99]]
    assert from_term(to_term(["text", None, True])) == [b"text", Atom("nil"), TRUE]
    for wrong in (Map({(1, Map()): 1}), Export(Atom("m"), Atom("f"), 1)):
        with pytest.raises(UnencodableTerm):
            to_term(wrong)
    with pytest.raises(UnencodableTerm):
        from_term(object())
    deep: list[Term] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UnencodableTerm, match="too deep"):
        to_term(deep)
    with pytest.raises(UnencodableTerm, match="too deep"):
        from_term(deep)
    assert to_term(BitString(b"\x80", 1)) is not None


@real
@pytest.mark.parametrize("served", ["native", "pyrlang"])
async def test_calls_and_casts_arrive_with_the_pid_of_their_caller(pair: Pair, served: str) -> None:
    server, client = (pair.native, pair.pyrlang) if served == "native" else (pair.pyrlang, pair.native)
    echo, to = Echo(), pair.to(server)
    await server.host(to.name, echo)
    one, two = await client.caller(), await client.caller()
    assert await one.call(to, 1) == (OK, 1)
    assert await two.call(to, b"2") == (OK, b"2")
    assert echo.calls == [(1, one.pid), (b"2", two.pid)]
    await one.cast(to, (Atom("workload"), 3))
    assert await one.call(to, 4) == (OK, 4)
    assert echo.casts == [(Atom("workload"), 3)]
    assert one.pid.node == client.node
    assert await asyncio.gather(*(one.call(to, n) for n in range(50))) == [(OK, n) for n in range(50)]


@real
@pytest.mark.parametrize("served", ["native", "pyrlang"])
async def test_a_call_ends_with_what_became_of_the_server(pair: Pair, served: str) -> None:
    server, client = (pair.native, pair.pyrlang) if served == "native" else (pair.pyrlang, pair.native)
    caller, to = await client.caller(), pair.to(server)
    with pytest.raises(NoServer):
        await caller.call(to, 1)
    echo = Echo()
    echo.silent = True
    host = await server.host(to.name, echo)
    with pytest.raises(CallTimedOut):
        await caller.call(to, 1, timeout=0.01)
    call = asyncio.create_task(caller.call(to, 1))
    await until(lambda: len(echo.calls) == 2)
    await host.close()
    with pytest.raises(ServerEnded) as ended:
        await call
    assert ended.value.reason == Atom("normal")
    await server.host(to.name, echo)
    call = asyncio.create_task(caller.call(to, 1))
    await until(lambda: len(echo.calls) == 3)
    pair.native_node.disconnect(pair.pyrlang.node)
    with pytest.raises(NodeLost):
        await call
    # And on a new connection.
    echo.silent = False
    assert await caller.call(to, 2) == (OK, 2)


@real
@pytest.mark.parametrize("served", ["native", "pyrlang"])
async def test_a_watched_server_tells_why_it_is_gone(pair: Pair, served: str) -> None:
    server, client = (pair.native, pair.pyrlang) if served == "native" else (pair.pyrlang, pair.native)
    caller, to = await client.caller(), pair.to(server)
    gone: list[CallEnded] = []
    await caller.watch(to, gone.append)
    await until(lambda: len(gone) == 1)
    host = await server.host(to.name, Echo())
    await caller.watch(to, gone.append)
    await caller.call(to, 1)
    await host.close()
    await until(lambda: len(gone) == 2)
    await server.host(to.name, Echo())
    await caller.watch(to, gone.append)
    await caller.call(to, 1)
    pair.native_node.disconnect(pair.pyrlang.node)
    await until(lambda: len(gone) == 3)
    assert [type(error) for error in gone] == [NoServer, ServerEnded, NodeLost]


@real
async def test_a_watched_caller_is_told_of_once_however_it_ends(pair: Pair) -> None:
    echo, to = Echo(), pair.to(pair.pyrlang)
    host = await pair.pyrlang.host(to.name, echo)
    caller, other = await pair.native.caller(), await pair.native.caller()
    for each in (caller, other):
        await each.call(to, 1)
        host.watch(each.pid)
        host.watch(each.pid)
    host.unwatch(other.pid)
    await other.call(to, 1)
    await other.close()
    await caller.close()
    await until(lambda: bool(echo.downs))
    assert echo.downs == [(caller.pid, Atom("normal"))]
    host.watch(caller.pid)
    await until(lambda: len(echo.downs) == 2)
    assert echo.downs[1] == (caller.pid, Atom("noproc"))
    third = await pair.native.caller()
    await third.call(to, 1)
    host.watch(third.pid)
    pair.native_node.disconnect(pair.pyrlang.node)
    await until(lambda: len(echo.downs) == 3)
    assert echo.downs[2] == (third.pid, Atom("noconnection"))


@real
async def test_many_calls_leave_nothing_behind(pair: Pair) -> None:
    echo, to = Echo(), pair.to(pair.pyrlang)
    host = await pair.pyrlang.host(to.name, echo)
    caller = await pair.native.caller()
    for n in range(200):
        await caller.call(to, n)
    # Behind the last demonitor.
    await caller.cast(to, 0)
    await until(lambda: bool(echo.casts))
    assert not host._server._monitored_by  # type: ignore[attr-defined]  # Pyrlang's own table
    # The other way, one monitor serves them all.
    there = pair.to(pair.native)
    await pair.native.host(there.name, Echo())
    ours = await pair.pyrlang.caller()
    for n in range(200):
        await ours.call(there, n)
    assert pair.native_node.tables().monitors_on_us == 1
    await ours.close()


@real
async def test_a_ping_takes_some_time_and_one_to_nobody_says_why(pair: Pair) -> None:
    assert 0 < await pair.pyrlang.ping(pair.native.node) < 20 * UNIT
    assert 0 < await pair.native.ping(pair.pyrlang.node) < 20 * UNIT
    with pytest.raises(CannotReach, match="is it running, under that name"):
        await pair.pyrlang.ping("nobody-there@127.0.0.1")
    with pytest.raises(CannotReach, match="not known here"):
        await pair.pyrlang.ping("x@no-such-host.invalid")
    with pytest.raises(RefusedByPeer, match="--sname on both"):
        await pair.pyrlang.ping("server@localhost")


@real
async def test_what_is_wrong_is_said_in_the_words_of_the_other_runtime() -> None:
    async with nodes.Cluster() as theirs:
        server = NativeCluster(theirs.make())
        with pytest.raises(CannotReach, match=r"no epmd answers at 127\.0\.0\.1.*Pyrlang brings no epmd along"):
            await make(fresh_node(), theirs.epmd_port).start()
        await server.start()
        with pytest.raises(RefusedByPeer, match="choose another name"):
            await make(server.node, theirs.epmd_port).start()
        stranger = make(fresh_node(), theirs.epmd_port, "another")
        await stranger.start()
        caller = await stranger.caller()
        with pytest.raises(RefusedByPeer, match="same --cookie"):
            await caller.call(Address("echo", server.node), 1)
        await stranger.stop()
        await stranger.stop()
        with pytest.raises(CannotReach):
            await caller.call(Address("echo", server.node), 1)
        with pytest.raises(CannotReach):
            await stranger.caller()


@real
def test_a_cookie_that_it_cannot_send_is_refused_before_anything_shows_it() -> None:
    with pytest.raises(WrongUsage, match="plain ASCII") as error:
        make(fresh_node(), 1, "Käse")
    assert "Käse" not in str(error.value)


@real
@pytest.mark.parametrize("served", ["native", "pyrlang"])
async def test_both_roles_over_two_nodes(pair: Pair, served: str) -> None:
    there, here = (pair.native, pair.pyrlang) if served == "native" else (pair.pyrlang, pair.native)
    ledger = Ledger(b"Serun+u", zeros=2, workload=500)
    server = ServerRole(ledger, Events())
    await server.open(there)
    options = MinerOptions("Alice", Address(SERVER_NAME, there.node), lanes=3, zeros=2)
    miner = MinerRole(here, HandSearches(), options, Events(), chance=random.Random(1).random)
    run = asyncio.create_task(miner.run())
    await until(lambda: ledger.frontier > 5_000)
    # The connection goes in the middle of it all.
    pair.native_node.disconnect(pair.pyrlang.node)
    await until(lambda: ledger.frontier > 20_000)
    miner.stop()
    await run
    await until(lambda: ledger.progress(0.0).open == 0)
    await server.close()
    progress = ledger.progress(0.0)
    assert progress.finished + progress.returned == ledger.frontier - 1
    assert ledger.worth() >= len(expected(Job(b"Serun+u", 1, 18_000, 2)))
