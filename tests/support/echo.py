"""A service for any runtime's tests."""

from __future__ import annotations

from pyerlcoin.beam.etf.terms import OK, Pid, Term
from pyerlcoin.roles.cluster import Reply

__all__ = ["Echo"]


class Echo:
    """A `cluster.Service` that keeps what comes, and answers what the test says."""

    def __init__(self) -> None:
        self.calls: list[tuple[Term, Pid]] = []
        self.casts: list[Term] = []
        self.downs: list[tuple[Pid, Term]] = []
        self.replies: list[Reply] = []
        self.silent = False

    def handle_call(self, request: Term, caller: Pid, reply: Reply) -> None:
        self.calls.append((request, caller))
        self.replies.append(reply)
        if not self.silent:
            reply((OK, request))

    def handle_cast(self, request: Term) -> None:
        self.casts.append(request)

    def handle_info(self, message: Term) -> None:
        self.casts.append(message)

    def handle_down(self, pid: Pid, reason: Term) -> None:
        self.downs.append((pid, reason))

    def state(self) -> Term:
        return len(self.calls)
