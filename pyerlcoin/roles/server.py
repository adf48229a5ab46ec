"""The server: messages in, the ledger's rules, facts to the sink, replies out.

A reply leaves only when every fact up to it is kept. While a commit is under way further requests are answered by the
ledger but their replies wait; they and their facts make the next commit. When the disk refuses one, whoever asked for
what would have to be kept is told so, and whoever asked how the game stands is told how it does on the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from pyerlcoin.beam.etf.terms import Pid, Term
from pyerlcoin.coin.answers import Answer, Outcome, Refusal
from pyerlcoin.coin.facts import Fact
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.roles import messages
from pyerlcoin.roles.cluster import Cluster, Host, Reply
from pyerlcoin.roles.events import CommitFailed, Events, Unreadable
from pyerlcoin.roles.identity import IDENTITY_NAME, Identity
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.sink import FactSink, InMemory
from pyerlcoin.roles.timing import Handle, LoopTiming, Timing

__all__ = ["ServerRole"]

log = logging.getLogger(__name__)

_RETRY: float = 1.0
"""Seconds until the ledger's own facts are tried again after the disk refused them: a full disk fills no log."""


class _Waiting(NamedTuple):
    reply: Reply
    term: Term
    delay: float = 0.0
    question: Callable[[], Term] | None = None
    """What gave the term, if that asks only how the game stands."""


class ServerRole:
    """Implements `cluster.Service` over a ledger. No request, however malformed, stops it or makes it raise.

    `events` gets every fact once it is kept, and `Unreadable` and `CommitFailed`. `timing` is where the
    ledger's `now` comes from, and its deadlines are kept by it.
    """

    def __init__(
        self,
        ledger: Ledger,
        events: Events,
        *,
        sink: FactSink | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.ledger = ledger
        self._events = events
        self._sink: FactSink = InMemory() if sink is None else sink
        self._timing: Timing = LoopTiming() if timing is None else timing
        self._host: Host | None = None
        self._identity: Host | None = None
        self._watched: list[Pid] = []
        self._facts: list[Fact] = []
        self._replies: list[_Waiting] = []
        self._committing = False
        self._refused = False
        self._timer: Handle | None = None
        self._timer_at = 0.0

    async def open(self, cluster: Cluster) -> None:
        """Serve under the game's name on `cluster`. Raises what `Cluster.host` raises."""
        self._identity = await cluster.host(IDENTITY_NAME, Identity())
        host = await cluster.host(SERVER_NAME, self)
        # Callers may have come in while the name was registered.
        self._host = host
        for pid in self._watched:
            host.watch(pid)
        self._watched.clear()
        self._arm()

    async def close(self) -> None:
        """Stop serving: the process ends and its callers' monitors fire. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        hosts = (self._host, self._identity)
        self._host = self._identity = None
        for host in hosts:
            if host is not None:
                await host.close()

    # cluster.Service

    def handle_call(self, request: Term, caller: Pid, reply: Reply) -> None:
        """One reply each, `{:error, message}` for what cannot be read."""
        try:
            self._call(request, caller, reply)
        except Exception:
            log.exception("a call was not handled")
            reply(messages.error_term("the server could not handle this request: its log says why"))

    def handle_cast(self, request: Term) -> None:
        """A workload, or an `Unreadable` event."""
        try:
            self._cast(request)
        except Exception:
            log.exception("a cast was not handled")

    def handle_info(self, message: Term) -> None:
        """Nothing: no other message belongs to the game."""

    def handle_down(self, pid: Pid, reason: Term) -> None:
        """What the process held comes back."""
        try:
            self._happened(self.ledger.down(pid.wire, self._timing.now()))
        except Exception:
            log.exception("the end of a process was not handled")

    def state(self) -> Term:
        """The game's progress, as a map."""
        reply = messages.progress_term(self.ledger.progress(self._timing.now()))
        return reply[1]

    # requests

    def _call(self, request: Term, caller: Pid, reply: Reply) -> None:
        now = self._timing.now()
        ledger = self.ledger
        asked = messages.read_call(request)
        if type(asked) is messages.Coin:  # most of all requests
            self._settle(ledger.coin(caller.wire, caller.node, asked.name, asked.n, now), caller, reply)
            return
        match asked:
            case messages.Hello(name):
                self._settle(ledger.hello(caller.wire, caller.node, name, now), caller, reply)
            case messages.Done(name):
                self._settle(ledger.done(caller.wire, caller.node, name, now), caller, reply)
            case messages.AskLeaderboard():
                self._answer(reply, lambda: messages.leaderboard_term(ledger.leaderboard()))
            case messages.AskWorth():
                self._answer(reply, lambda: messages.worth_term(ledger.worth()))
            case messages.AskProgress():
                self._answer(reply, lambda: messages.progress_term(ledger.progress(now)))
            case messages.Malformed(message):
                self._answer(reply, lambda: messages.error_term(message))
                self._events.publish(Unreadable("call", message))

    def _cast(self, request: Term) -> None:
        match messages.read_cast(request):
            case messages.SetWorkload(workload):
                outcome = self.ledger.set_workload(workload, self._timing.now())
                self._happened(outcome.facts)
                if isinstance(outcome.answer, Refusal):
                    self._events.publish(Unreadable("cast", outcome.answer.message))
            case messages.Malformed(message):
                self._events.publish(Unreadable("cast", message))

    def _settle(self, outcome: Outcome[Answer], caller: Pid, reply: Reply) -> None:
        if outcome.watch:
            if self._host is None:
                self._watched.append(caller)
            else:
                self._host.watch(caller)
        self._facts += outcome.facts
        self._replies.append(_Waiting(reply, messages.answer_term(outcome.answer), outcome.delay))
        if not self._committing:
            self._commit()

    def _answer(self, reply: Reply, question: Callable[[], Term]) -> None:
        # It waits like everything else: what it tells may be of facts that are not kept yet.
        self._replies.append(_Waiting(reply, question(), question=question))
        self._commit()

    def _happened(self, facts: Sequence[Fact]) -> None:
        self._facts += facts
        self._commit()

    # commits

    def _commit(self) -> None:
        if self._committing:
            return
        if not self._facts:
            self._refused = False
            replies, self._replies = self._replies, []
            self._send(replies)
            return
        self._committing = True
        self._sink.gather(self._write)

    def _write(self) -> None:
        facts, self._facts = self._facts, []
        replies, self._replies = self._replies, []
        self._sink.commit(facts, partial(self._kept, facts, replies, self.ledger.mark()))

    def _kept(self, facts: list[Fact], replies: list[_Waiting], mark: int, error: str | None) -> None:
        self._committing = False
        self._refused = error is not None
        if error is None:
            self.ledger.keep(mark)
            for fact in facts:
                self._events.publish(fact)
            self._send(replies)
            if self._facts or self._replies:
                self._commit()
        else:
            # What was asked meanwhile stood on what is undone now, so it is undone as well.
            replies += self._replies
            self._replies = []
            self.ledger.undo()
            undone = messages.error_term(error)
            answers = [_Waiting(reply, undone if question is None else question()) for reply, _, _, question in replies]
            self._facts = self.ledger.rollback(self._timing.now())
            self._send(answers)
            self._events.publish(CommitFailed(error, sum(waiting.question is None for waiting in replies)))
        self._arm()

    def _send(self, replies: list[_Waiting]) -> None:
        for reply, term, delay, _ in replies:
            if delay > 0:
                self._timing.later(delay, partial(reply, term))
            else:
                reply(term)

    # time

    def _arm(self) -> None:
        """One timer, at the ledger's next deadline. Ringing too early is harmless, so it is only ever moved nearer."""
        if self._host is None:
            return
        now = self._timing.now()
        deadline = self.ledger.next_deadline()
        if self._refused:
            deadline = now + _RETRY
        if deadline is None or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._timing.later(max(0.0, deadline - now), self._ring)

    def _ring(self) -> None:
        self._timer = None
        try:
            self._happened(self.ledger.expire(self._timing.now()))
        except Exception:
            log.exception("the leases were not looked at")
        self._arm()
