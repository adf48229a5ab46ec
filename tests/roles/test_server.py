from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyerlcoin.beam.etf import ERROR, OK, Atom, Map, Pid, Term
from pyerlcoin.coin.coin import is_coin
from pyerlcoin.coin.facts import CoinAccepted, Fact, Finished, HandedOut, Registered, Returned
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.roles.cluster import Address
from pyerlcoin.roles.events import CommitFailed, Events, Unreadable
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.roles.sink import InMemory, Kept
from tests.support.manual_timing import ManualTiming, until
from tests.support.memory_cluster import MemoryCaller, MemoryCluster, MemoryNetwork
from tests.support.terms import terms

SERVER = Address(SERVER_NAME, "server@a.b")
HELLO, COIN, DONE = Atom("hello"), Atom("coin"), Atom("done")
SECRET = b"Serun+u"


class SlowSink:
    """Keeps when the test says so."""

    def __init__(self) -> None:
        self.commits: list[tuple[Sequence[Fact], Kept]] = []

    def gather(self, go: Callable[[], None]) -> None:
        go()

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        self.commits.append((list(facts), kept))


class Game:
    """A server and its neighbours."""

    def __init__(self, *, sink: SlowSink | None = None, **rules: object) -> None:
        self.timing = ManualTiming()
        self.events: list[object] = []
        events = Events()
        events.subscribe(self.events.append)
        rules = {"zeros": 1, "now": self.timing.now(), **rules}
        self.ledger = Ledger(SECRET, **rules)  # type: ignore[arg-type]  # each test's own
        self.role = ServerRole(self.ledger, events, sink=sink or InMemory(), timing=self.timing)
        self.network = MemoryNetwork()

    async def start(self) -> Game:
        await self.role.open(MemoryCluster(self.network, SERVER.node))
        return self

    async def caller(self, node: str = "a@a.b") -> MemoryCaller:
        return await MemoryCluster(self.network, node).caller()

    @property
    def watched(self) -> set[Pid]:
        return self.network.hosts[SERVER].watched

    def of(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]


async def test_the_six_requests_and_both_shapes_of_a_unit() -> None:
    game = await Game().start()
    alice = await game.caller()
    assert await alice.call(SERVER, (HELLO, b"Alice")) == (OK, SECRET, 1)
    assert await alice.call(SERVER, (DONE, b"Alice")) == (OK, 2)
    await alice.cast(SERVER, (Atom("workload"), 50))
    assert await alice.call(SERVER, (DONE, b"Alice")) == (OK, (3, 52))
    coin = next(n for n in range(3, 53) if is_coin(SECRET, n, 1))
    assert await alice.call(SERVER, (COIN, b"Alice", coin)) == (OK, 1)
    assert await alice.call(SERVER, Atom("leaderboard")) == (OK, [(b"Alice", 1)])
    assert await alice.call(SERVER, Atom("worth")) == (OK, 1)
    await alice.cast(SERVER, (Atom("workload"), 1))
    assert await alice.call(SERVER, (DONE, b"Alice")) == (OK, 53)
    reply = await alice.call(SERVER, Atom("progress"))
    assert isinstance(reply, tuple)
    assert reply[0] == OK
    told = reply[1]
    assert isinstance(told, Map)
    assert (told[Atom("frontier")], told[Atom("finished")], told[Atom("coins")]) == (54, 52, 1)


async def test_refusals_are_in_words() -> None:
    game = await Game().start()
    alice, bob = await game.caller(), await game.caller("b@a.b")
    await alice.call(SERVER, (HELLO, b"Alice"))
    assert await bob.call(SERVER, (HELLO, b"Alice")) == (ERROR, b"'Alice' is already registered")
    for request in [(COIN, b"Bob", 1), (DONE, b"Bob"), (HELLO, b"\xff"), (COIN, b"Alice", -1), Map({1: 2}), 7]:
        reply = await bob.call(SERVER, request)
        assert isinstance(reply, tuple)
        assert reply[0] == ERROR
        assert isinstance(reply[1], bytes)
        assert len(reply[1]) > 5


async def test_what_means_nothing_is_an_event() -> None:
    game = await Game().start()
    alice = await game.caller()
    await alice.call(SERVER, (Atom("hello"),))
    await alice.cast(SERVER, (Atom("workload"), 0))
    await alice.cast(SERVER, (Atom("stop"),))
    await until(lambda: len(game.of(Unreadable)) == 3)
    kinds = [event.kind for event in game.events if isinstance(event, Unreadable)]
    assert kinds == ["call", "cast", "cast"]
    game.role.handle_info((Atom("nobody"), 1))
    assert game.ledger.workload == 1


async def test_facts_are_told_in_order() -> None:
    game = await Game(workload=5).start()
    alice = await game.caller()
    await alice.call(SERVER, (HELLO, b"Alice"))
    await alice.call(SERVER, (DONE, b"Alice"))
    assert [type(event) for event in game.events] == [Registered, HandedOut, Finished, HandedOut]


async def test_a_holder_that_ends_gives_its_unit_back_and_its_name() -> None:
    game = await Game(workload=5, grace=10.0).start()
    alice, bob = await game.caller(), await game.caller("b@a.b")
    await alice.call(SERVER, (HELLO, b"Alice"))
    assert game.watched == {alice.pid}
    await alice.close()
    assert len(game.of(Returned)) == 1
    # Within the grace it is not for others; after it, it comes before anything new.
    assert await bob.call(SERVER, (HELLO, b"Bob")) == (OK, SECRET, (6, 10))
    game.timing.advance(10.5)
    assert await bob.call(SERVER, (DONE, b"Bob")) == (OK, (1, 5))
    again = await game.caller()
    welcome = await again.call(SERVER, (HELLO, b"Alice"))
    assert isinstance(welcome, tuple)
    assert welcome[0] == OK


async def test_a_holder_out_of_sight_is_a_holder_that_ended() -> None:
    game = await Game(workload=5).start()
    alice = await game.caller()
    await alice.call(SERVER, (HELLO, b"Alice"))
    game.network.cut("a@a.b")
    assert len(game.of(Returned)) == 1
    assert await alice.call(SERVER, (HELLO, b"Alice")) == (OK, SECRET, (1, 5))


async def test_a_caller_that_only_looks_is_not_watched() -> None:
    game = await Game().start()
    alice = await game.caller()
    await alice.call(SERVER, Atom("leaderboard"))
    await alice.call(SERVER, Atom("worth"))
    assert not game.watched


async def test_a_holder_that_came_before_the_server_was_open_is_watched() -> None:
    game = Game()
    answers: list[Term] = []
    alice = await game.caller()
    game.role.handle_call((HELLO, b"Alice"), alice.pid, answers.append)
    await game.start()
    assert len(answers) == 1
    assert game.watched == {alice.pid}


async def test_a_lease_ends_by_time_without_any_request() -> None:
    game = await Game(workload=5, lease=30.0).start()
    alice = await game.caller()
    await alice.call(SERVER, (HELLO, b"Alice"))
    game.timing.advance(29.0)
    assert not game.of(Returned)
    game.timing.advance(2.0)
    assert len(game.of(Returned)) == 1


async def test_leases_end_one_after_another_without_any_request() -> None:
    game = await Game(workload=5, lease=30.0).start()
    alice, bob = await game.caller(), await game.caller("b@a.b")
    await alice.call(SERVER, (HELLO, b"Alice"))
    game.timing.advance(10.0)
    await bob.call(SERVER, (HELLO, b"Bob"))
    game.timing.advance(20.0)
    assert len(game.of(Returned)) == 1
    game.timing.advance(10.0)
    assert len(game.of(Returned)) == 2


async def test_a_grace_that_ends_before_every_lease_ends_without_any_request() -> None:
    game = await Game(workload=5, grace=10.0, lease=100.0).start()
    alice, bob = await game.caller(), await game.caller("b@a.b")
    await alice.call(SERVER, (HELLO, b"Alice"))
    await bob.call(SERVER, (HELLO, b"Bob"))
    lease_ends = game.ledger.next_deadline()
    await alice.close()
    grace_ends = game.ledger.next_deadline()
    assert grace_ends == game.timing.now() + 10.0
    game.timing.advance(10.0)
    assert game.ledger.next_deadline() == lease_ends


async def test_one_timer_however_many_leases() -> None:
    game = await Game(workload=5, lease=30.0).start()
    alice = await game.caller()
    await alice.call(SERVER, (HELLO, b"Alice"))
    for _ in range(20):
        await alice.call(SERVER, (DONE, b"Alice"))
    assert len(game.timing.delays()) == 1


async def test_a_closed_server_is_gone_and_its_timer_too() -> None:
    game = await Game(workload=5, lease=30.0).start()
    alice = await game.caller()
    await alice.call(SERVER, (HELLO, b"Alice"))
    await game.role.close()
    await game.role.close()
    assert SERVER not in game.network.hosts
    assert not game.timing.delays()


async def test_a_reply_held_back_by_the_rules_comes_later() -> None:
    game = await Game().start()
    alice = await game.caller()
    await alice.call(SERVER, (HELLO, b"Alice"))
    wrong = next(n for n in range(1, 100) if not is_coin(SECRET, n, 1))
    delayed: list[Term] = []
    for _ in range(200):
        game.role.handle_call((COIN, b"Alice", wrong), alice.pid, delayed.append)
    sent = len(delayed)
    assert sent < 200
    game.timing.advance(60.0)
    assert len(delayed) == 200


async def test_no_reply_before_the_facts_are_kept_and_one_commit_for_all_that_waits() -> None:
    sink = SlowSink()
    game = await Game(sink=sink, workload=5).start()
    alice = await game.caller()
    replies: list[Term] = []

    def ask(request: Term) -> None:
        game.role.handle_call(request, alice.pid, replies.append)

    ask((HELLO, b"Alice"))
    ask((DONE, b"Alice"))
    ask(Atom("worth"))
    ask((DONE, b"Alice"))
    assert replies == []
    assert game.events == []
    assert len(sink.commits) == 1
    facts, kept = sink.commits[0]
    kept(None)
    assert replies == [(OK, SECRET, (1, 5))]
    assert game.events == facts
    assert len(sink.commits) == 2
    assert [type(fact) for fact in sink.commits[1][0]] == [Finished, HandedOut] * 2
    sink.commits[1][1](None)
    assert replies[1:] == [(OK, (6, 10)), (OK, 0), (OK, (11, 15))]


async def test_a_refused_commit_is_told_to_those_who_asked_and_undone() -> None:
    sink = SlowSink()
    game = await Game(sink=sink, workload=5).start()
    alice, bob = await game.caller(), await game.caller("b@a.b")
    replies: list[Term] = []
    game.role.handle_call((HELLO, b"Alice"), alice.pid, replies.append)
    sink.commits[0][1](None)
    game.role.handle_call((DONE, b"Alice"), alice.pid, replies.append)
    game.role.handle_call((HELLO, b"Bob"), bob.pid, replies.append)
    sink.commits[1][1]("the disk is full: make room")
    error = (ERROR, b"the disk is full: make room")
    assert replies[1:] == [error, error]
    assert game.of(CommitFailed) == [CommitFailed("the disk is full: make room", 2)]
    assert game.ledger.leaderboard() == [("Alice", 0)]
    # As if never asked: Alice still holds her first unit.
    game.role.handle_call((DONE, b"Alice"), alice.pid, replies.append)
    sink.commits[2][1](None)
    assert replies[-1] == (OK, (6, 10))


async def test_who_only_asks_is_told_what_is_on_the_disk_when_that_refuses_the_rest() -> None:
    sink = SlowSink()
    game = await Game(sink=sink, workload=100).start()
    alice = await game.caller()
    replies: list[Term] = []

    def ask(*requests: Term) -> None:
        for request in requests:
            game.role.handle_call(request, alice.pid, replies.append)

    def stands() -> tuple[Term, ...]:
        told = replies.pop()
        assert isinstance(told, tuple)
        return tuple(told[1][Atom(key)] for key in ("coins", "open", "returned"))

    ask((HELLO, b"Alice"))
    sink.commits[0][1](None)
    replies.clear()
    coin = next(n for n in range(1, 100) if is_coin(SECRET, n, 1))
    ask((COIN, b"Alice", coin))
    game.role.handle_down(alice.pid, Atom("noconnection"))
    ask(Atom("worth"), Atom("leaderboard"), Atom("hallo"), Atom("progress"))
    assert replies == []
    sink.commits[1][1]("the disk is full: make room")
    assert stands() == (0, 100, 0)
    refused, worth, board, unread = replies
    assert refused == (ERROR, b"the disk is full: make room")
    assert (worth, board) == ((OK, 0), (OK, [(b"Alice", 0)]))
    assert isinstance(unread, tuple)
    assert b"not a request of this game" in unread[1]
    assert game.of(CommitFailed) == [CommitFailed("the disk is full: make room", 1)]
    # Also while only what ended meanwhile waits for room.
    ask(Atom("progress"))
    sink.commits[2][1]("the disk is full: make room")
    assert stands() == (0, 100, 0)
    ask(Atom("progress"))
    sink.commits[3][1](None)
    assert stands() == (0, 0, 100)


async def test_an_end_that_could_not_be_kept_is_kept_later_by_itself() -> None:
    sink = SlowSink()
    game = await Game(sink=sink, workload=5).start()
    alice = await game.caller()
    game.role.handle_call((HELLO, b"Alice"), alice.pid, lambda term: None)
    sink.commits[0][1](None)
    game.role.handle_down(alice.pid, Atom("noconnection"))
    sink.commits[1][1]("no room")
    assert len(sink.commits) == 2, "a full disk is not asked again at once"
    game.timing.advance(1.5)
    assert any(isinstance(fact, Returned) for fact in sink.commits[2][0])
    sink.commits[2][1](None)
    assert len(game.of(Returned)) == 1


class Broken:
    """A ledger with a fault."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        def fails(*args: object) -> object:
            raise RuntimeError("a fault of ours")

        return fails


async def test_a_fault_of_ours_is_an_answer_and_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    role = ServerRole(Broken(), Events(), timing=ManualTiming())  # type: ignore[arg-type]  # broken on purpose
    pid = Pid.make("a@b", 1, 0, 4)
    replies: list[Term] = []
    with caplog.at_level(logging.ERROR):
        role.handle_call(Atom("worth"), pid, replies.append)
        role.handle_cast((Atom("workload"), 5))
        role.handle_down(pid, Atom("normal"))
    assert isinstance(replies[0], tuple)
    assert replies[0][0] == ERROR
    assert len(caplog.records) == 3


async def test_the_state_is_the_progress() -> None:
    game = await Game().start()
    state = game.role.state()
    assert isinstance(state, Map)
    assert state[Atom("frontier")] == 1


@given(st.lists(st.tuples(st.sampled_from(["call", "cast", "info", "down"]), terms), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_a_peer_sends_stops_it(messages: list[tuple[str, Term]]) -> None:
    game = Game()
    pid = Pid.make("a@b", 1, 0, 4)
    for kind, term in messages:
        replies: list[Term] = []
        if kind == "call":
            for request in (term, (HELLO, term), (COIN, b"A", term), (DONE, term)):
                game.role.handle_call(request, pid, replies.append)
            assert len(replies) + len(game.timing.delays()) >= 4
        elif kind == "cast":
            game.role.handle_cast((Atom("workload"), term))
        elif kind == "info":
            game.role.handle_info(term)
        else:
            game.role.handle_down(pid, term)
    answers: list[Term] = []
    game.role.handle_call(Atom("worth"), pid, answers.append)
    assert answers == [(OK, game.ledger.worth())]
    assert not game.of(CoinAccepted) or game.ledger.worth()
