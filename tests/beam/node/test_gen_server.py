from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pyerlcoin.beam import NO_REPLY, Atom, GenServer, ImproperList, Node, NodeLimits, Pid, Sender, Term
from pyerlcoin.beam.dist import RegSend, Send
from pyerlcoin.beam.errors import CallTimeout, ProcessDown, UnencodableTerm
from pyerlcoin.beam.etf import ERROR, OK, Reference
from pyerlcoin.beam.node.events import MailboxFull, ProcessCrashed
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog, settle


class Counter(GenServer):
    """Plain handlers."""

    def __init__(self) -> None:
        self.count = 0
        self.casts: asyncio.Queue[Term] = asyncio.Queue()
        self.infos: asyncio.Queue[Term] = asyncio.Queue()
        self.ended: list[Term] = []

    def handle_call(self, request: Term, sender: Sender) -> Term:
        match request:
            case Atom("add"):
                self.count += 1
                return (OK, self.count)
            case Atom("crash"):
                raise ValueError("on purpose")
            case Atom("nonsense"):
                return object()
        return (ERROR, request)

    def handle_cast(self, request: Term) -> None:
        self.casts.put_nowait(request)

    def handle_info(self, message: Term) -> None:
        self.infos.put_nowait(message)

    def terminate(self, reason: Term) -> None:
        self.ended.append(reason)

    def state(self) -> Term:
        return self.count


class Later(GenServer):
    """Replies when the test says so."""

    def __init__(self) -> None:
        self.senders: asyncio.Queue[Sender] = asyncio.Queue()

    def handle_call(self, request: Term, sender: Sender) -> object:
        self.senders.put_nowait(sender)
        return NO_REPLY


class Large(GenServer):
    """Has a reply that fits in no message of 4096 bytes."""

    def handle_call(self, request: Term, sender: Sender) -> Term:
        return bytes(4096)


class Gate(GenServer):
    """A coroutine that waits, between others that do not."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.order: list[Term] = []

    async def handle_call(self, request: Term, sender: Sender) -> Term:
        if request == Atom("wait"):
            async with asyncio.timeout(20 * UNIT):
                await self.gate.wait()
        self.order.append(request)
        return request

    async def handle_cast(self, request: Term) -> None:
        self.order.append(request)


async def test_call_cast_and_info_between_nodes() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        server = Counter()
        process = there.spawn(server, "counter")
        target = ("counter", there.name)
        assert await here.call(target, Atom("add")) == (OK, 1)
        assert await here.call(process.pid, Atom("add")) == (OK, 2)
        await here.cast(target, [1, 2])
        await here.send(target, b"hello")
        assert await server.casts.get() == [1, 2]
        assert await server.infos.get() == b"hello"


async def test_call_on_the_same_node() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        node.spawn(Counter(), "counter")
        assert await node.call("counter", Atom("add")) == (OK, 1)
        assert await node.call(("counter", node.name), Atom("add")) == (OK, 2)


async def test_the_default_handlers_answer_and_ignore() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        process = there.spawn(GenServer(), "plain")
        await here.cast(process.pid, 1)
        await here.send(process.pid, 1)
        assert await here.call(process.pid, 1) == (ERROR, Atom("bad_request"))
        assert process.alive


async def test_a_reply_later_is_sent_once() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        server = Later()
        there.spawn(server, "later")
        call = asyncio.create_task(here.call(("later", there.name), 1))
        sender = await server.senders.get()
        sender.reply(b"first")
        sender.reply(b"second")
        assert await call == b"first"


async def test_a_waiting_handler_keeps_the_order_and_holds_nobody_else_up() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        server = Gate()
        gate = there.spawn(server, "gate")
        there.spawn(Counter(), "counter")
        first = asyncio.create_task(here.call(gate.pid, Atom("wait")))
        await asyncio.sleep(0)
        await here.cast(gate.pid, 2)
        third = asyncio.create_task(here.call(gate.pid, 3))
        assert await here.call(("counter", there.name), Atom("add")) == (OK, 1)
        assert server.order == []
        assert there.tables().messages == 2
        server.gate.set()
        assert await first == Atom("wait")
        assert await third == 3
        assert server.order == [Atom("wait"), 2, 3]
        assert there.tables().messages == 0


@pytest.mark.parametrize(("request_", "name"), [("crash", "ValueError"), ("nonsense", "UnencodableTerm")])
async def test_a_handler_that_raises_ends_its_process_alone(request_: str, name: str) -> None:
    async with Cluster() as cluster:
        events = EventLog()
        here, there = await cluster.start(), await cluster.start(on_event=events)
        server = Counter()
        process = there.spawn(server, "counter")
        with pytest.raises(ProcessDown) as caught:
            await here.call(process.pid, Atom(request_))
        assert caught.value.reason == (Atom("exception"), name.encode())
        assert server.ended == [(Atom("exception"), name)]
        assert (await events.wait(ProcessCrashed)).process == f"counter on {there.name}"
        assert not process.alive
        there.spawn(Counter(), "counter")
        assert await here.call(("counter", there.name), Atom("add")) == (OK, 1)


async def test_a_coroutine_that_raises_after_a_wait_ends_its_process() -> None:
    class Broken(GenServer):
        async def handle_call(self, request: Term, sender: Sender) -> Term:
            await asyncio.sleep(0)
            raise KeyError("on purpose")

    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Broken(), "broken")
        with pytest.raises(ProcessDown) as caught:
            await here.call(("broken", there.name), 1)
        assert caught.value.reason == (Atom("exception"), b"KeyError")


async def test_a_full_mailbox_drops_what_else_comes() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        here, there = await cluster.start(), await cluster.start(limits=NodeLimits(mailbox=3), on_event=events)
        server = Gate()
        gate = there.spawn(server, "gate")
        first = asyncio.create_task(here.call(gate.pid, Atom("wait")))
        await asyncio.sleep(0)
        for number in range(10):
            await here.cast(gate.pid, number)
        await here.ping(there.name)
        assert events.of(MailboxFull) == [MailboxFull(f"gate on {there.name}", 3)]
        server.gate.set()
        await first
        await here.call(gate.pid, 10)
        assert server.order == [Atom("wait"), 0, 1, 2, 10]


async def test_a_mailbox_is_full_of_a_few_long_messages() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        limits = NodeLimits(mailbox_bytes=1_000_000)
        here, there = await cluster.start(), await cluster.start(limits=limits, on_event=events)
        server = Gate()
        gate = there.spawn(server, "gate")
        first = asyncio.create_task(here.call(gate.pid, Atom("wait")))
        await asyncio.sleep(0)
        for _ in range(5):
            await here.cast(gate.pid, bytes(300_000))
        await here.cast(gate.pid, 1)  # for which there is room
        await here.ping(there.name)
        assert events.of(MailboxFull) == [MailboxFull(f"gate on {there.name}", 3)]
        server.gate.set()
        await first
        assert await here.call(gate.pid, 2) == 2
        assert server.order == [Atom("wait"), *[bytes(300_000)] * 3, 1, 2]
        # What was handled makes room.
        server.gate.clear()
        again = asyncio.create_task(here.call(gate.pid, Atom("wait")))
        await asyncio.sleep(0)
        await here.cast(gate.pid, bytes(900_000))
        await here.ping(there.name)
        server.gate.set()
        await again
        await here.call(gate.pid, 3)
        assert bytes(900_000) in server.order


async def test_that_a_monitor_or_a_link_fired_is_never_dropped() -> None:
    class Watching(Gate):
        def handle_down(self, target: Term, reference: Reference, reason: Term) -> None:
            self.order.append((Atom("down"), reason))

        def handle_exit(self, pid: Pid, reason: Term) -> None:
            self.order.append((Atom("exit"), reason))

    async with Cluster() as cluster:
        events = EventLog()
        here, there = await cluster.start(), await cluster.start(limits=NodeLimits(mailbox=3), on_event=events)
        server, target = Watching(), here.process()
        gate = there.spawn(server, "gate")
        gate.monitor(target.pid)
        gate.link(target.pid)
        await there.ping(here.name)
        first = asyncio.create_task(here.call(gate.pid, Atom("wait")))
        await asyncio.sleep(0)
        for number in range(10):
            await here.cast(gate.pid, number)
        target.exit(Atom("bye"))
        await here.ping(there.name)
        assert events.of(MailboxFull)
        server.gate.set()
        await first
        await here.call(gate.pid, 10)
        assert sorted(map(repr, server.order[4:6])) == sorted(
            map(repr, [(Atom("down"), Atom("bye")), (Atom("exit"), Atom("bye"))])
        )


_TAG = ImproperList([Atom("alias")], 7)


async def _asked(here: Node, to: tuple[str, str], label: str, request: Term, tag: Term = _TAG) -> Term:
    """What is answered to `{Label, {Pid, Tag}, Request}`: how `sys` and `gen` ask."""
    answers: asyncio.Queue[Term] = asyncio.Queue()

    class Asker(GenServer):
        def handle_info(self, message: Term) -> None:
            answers.put_nowait(message)

    with here.spawn(Asker()) as asker:
        await asker.send(to, (Atom(label), (asker.pid, tag), request))
        async with asyncio.timeout(20 * UNIT):
            answer = await answers.get()
        assert isinstance(answer, tuple)
        assert answer[0] == tag
        return answer[1]


async def test_system_messages() -> None:
    class Stoppable(Counter):
        allow_stop = True

    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        counter = there.spawn(Counter(), "counter")
        there.spawn(Stoppable(), "stoppable")
        await here.call(counter.pid, Atom("add"))

        async def system(name: str, request: Term) -> Term:
            return await _asked(here, (name, there.name), "system", request)

        assert await system("counter", Atom("get_state")) == (OK, 1)
        status = await system("counter", Atom("get_status"))
        assert isinstance(status, tuple)
        assert status[:3] == (Atom("status"), counter.pid, (Atom("module"), Atom("Counter")))
        assert await system("counter", Atom("suspend")) == (ERROR, (Atom("unknown_system_msg"), Atom("suspend")))
        assert await system("counter", (Atom("terminate"), OK)) == (ERROR, Atom("not_allowed"))
        assert await here.call(counter.pid, Atom("add")) == (OK, 2)
        assert await system("stoppable", (Atom("terminate"), Atom("bye"))) == OK
        await here.ping(there.name)
        assert "stoppable" not in there.registry.names


@pytest.mark.parametrize("question", ["get_state", "get_status"])
@pytest.mark.parametrize(
    ("state", "error"),
    [(lambda: 1 / 0, "ZeroDivisionError"), (object, "UnencodableTerm"), (lambda: bytes(5000), "UnencodableTerm")],
    ids=["raises", "no term", "too long"],
)
async def test_a_question_for_the_state_ends_no_process(question: str, state: Callable[[], Term], error: str) -> None:
    class Odd(Counter):
        def state(self) -> Term:
            return state()

    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start(limits=NodeLimits(frame_bytes=4096))
        there.spawn(Odd(), "odd")
        failed = (Atom("callback_failed"), (Atom(Odd.__qualname__), Atom("state")), (Atom("exception"), error.encode()))
        assert await _asked(here, ("odd", there.name), "system", Atom(question)) == (ERROR, failed)
        assert await here.call(("odd", there.name), Atom("add")) == (OK, 1)


async def test_a_question_that_fits_in_no_answer_ends_no_process() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(frame_bytes=4096))
        peer = await cluster.raw(node)
        asker = Pid.make(peer.name, 1, 0, peer.creation)
        # 3000 bytes as a STRING_EXT; the answer has it in it as a list of integers, of two bytes each.
        frame = RegSend(asker, Atom("net_kernel"), (Atom("system"), (asker, _TAG), [])).encode()
        frame = frame[:-1] + b"k" + (3000).to_bytes(2) + bytes(3000)
        peer.write(len(frame).to_bytes(4) + frame)
        answer = await peer.receive()
        assert isinstance(answer, Send)
        assert answer.message == (_TAG, (ERROR, Atom("unknown_system_msg")))
        assert node.registry.names.count("net_kernel") == 1


async def test_a_tag_that_leaves_no_room_for_the_reply_ends_no_process() -> None:
    async with Cluster() as cluster:
        log = EventLog()
        here, there = await cluster.start(), await cluster.start(limits=NodeLimits(frame_bytes=4096), on_event=log)
        there.spawn(Counter(), "counter")
        there.spawn(Large(), "large")
        to = ("counter", there.name)
        with here.spawn(Counter()) as caller:
            for label in ("$gen_call", "system"):
                # Come with no request worth the name; going back with a value.
                await caller.send(to, (Atom(label), (caller.pid, bytes(3950)), 1))
            assert await here.call(to, Atom("add")) == (OK, 1)
            assert not log.of(ProcessCrashed)
            # But one whose own value is too long has only itself to blame.
            await caller.send(("large", there.name), (Atom("$gen_call"), (caller.pid, b"tag"), 1))
            assert isinstance((await log.wait(ProcessCrashed)).error, UnencodableTerm)


async def test_down_and_exit_are_messages_by_default() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        watcher = Counter()
        process = here.spawn(watcher, "watcher")
        target = there.spawn(Counter(), "target")
        by_pid = process.monitor(target.pid)
        by_name = process.monitor(("target", there.name))
        process.link(target.pid)
        await here.ping(there.name)
        target.exit(Atom("bye"))
        down, exit_ = Atom("DOWN"), Atom("EXIT")
        got = [await watcher.infos.get() for _ in range(3)]
        assert (down, by_pid, Atom("process"), target.pid, Atom("bye")) in got
        named = (Atom("target"), Atom(there.name))
        assert (down, by_name, Atom("process"), named, Atom("bye")) in got
        assert (exit_, target.pid, Atom("bye")) in got
        assert process.alive
        assert isinstance(by_pid, Reference)


async def test_a_call_without_an_answer_times_out() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        server = Later()
        there.spawn(server, "later")
        # The clock covers connecting, too, and a request that was never sent has no sender to wait for.
        await here.connect(there.name)
        with pytest.raises(CallTimeout):
            await here.call(("later", there.name), 1, timeout=0.01)
        (await server.senders.get()).reply(1)
        await settle(there, here)
        assert here.tables().calls == 0
        assert there.tables().monitors_on_us == 0
