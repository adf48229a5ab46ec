"""What each event of a miner and each fact of a server is in words: one line, or None for what is too frequent."""

from __future__ import annotations

from typing import Final

from pyerlcoin.cli.text import count, counted, duration, rate, shown
from pyerlcoin.coin import facts
from pyerlcoin.roles import events

__all__ = ["FREQUENT", "of_miner", "of_server", "report"]

FREQUENT: Final = (
    facts.Registered,
    facts.Resumed,
    facts.Left,
    facts.Returned,
    facts.CoinAccepted,
    facts.Rejected,
    events.Unreadable,
    events.CoinAccepted,
    events.CoinRejected,
)
"""What comes in thousands a second from a room of quick miners, from one that asks from a new process each time, or
from one that means harm."""


def of_miner(event: object) -> str | None:
    """The line of a miner's event."""
    match event:
        case events.SearchStarted(engine, workers, reason):
            return f"searching on {workers} {'core' if workers == 1 else 'cores'}: {shown(reason, 300) or engine}"
        case events.Joined(name, server, again):
            return f"{'joined again' if again else 'joined'} {server} as {shown(name)!r}"
        case events.NameTaken(_, message, has_work):
            then = "going on with the units in hand" if has_work else "trying again, in case that was us"
            return f"the server says: {shown(message, 200)}; {then}"
        case events.SecretChanged(dropped):
            return f"the server plays with another secret now; {counted(dropped, 'unit')} dropped"
        case events.UnitAbandoned(_, first, last, reason):
            return f"unit {first}-{last} given up: {reason}"
        case events.CoinAccepted(_, n, coins):
            return f"coin {n} accepted, {coins} in all"
        case events.CoinRejected(_, n, message):
            return f"coin {n} rejected: {shown(message, 200)}"
        case events.CoinLost(_, n):
            return f"the engine found {n}, which hashlib says is no coin: use --engine python and tell its authors"
        case events.StillWaiting(_, request, seconds):
            return f"no answer to {request} after {seconds:g} s: still waiting"
        case events.Paused():
            return "paused: nothing is searched, nothing given back; r resumes"
        case events.Resumed():
            return "resumed"
        case events.ServerGone(reason):
            return f"the server is gone: {shown(reason, 300)}; the search goes on"
        case events.Retrying(attempt, delay, reason):
            return f"attempt {attempt} in {delay:.1f} s: {shown(reason, 300)}"
        case events.Stopped():
            return f"{event.reason}: {report(event)}"
        case _:
            return None


def report(stopped: events.Stopped) -> str:
    """What a run of a miner did."""
    per_second = stopped.hashes / stopped.seconds if stopped.seconds else 0.0
    return (
        f"{counted(stopped.coins, 'coin')} accepted, {count(stopped.rejected)} rejected, "
        f"{counted(stopped.hashes, 'integer')} in {duration(stopped.seconds)}, {rate(per_second)}"
    )


def of_server(event: object) -> str | None:
    """The line of a server's fact or event."""
    match event:
        case facts.Registered(_, name, node):
            return f"{shown(name)!r} registered from {shown(node, 100)}"
        case facts.Resumed(_, name, node):
            return f"{shown(name)!r} is back from {shown(node, 100)}"
        case facts.Left(_, name, _):
            return f"{shown(name)!r} left"
        case facts.Returned(_, unit, name, _, reason):
            return f"unit {unit} of {shown(name)!r} comes back: {reason}"
        case facts.CoinAccepted(_, n, name, coins, worth):
            return f"coin {n} of {shown(name)!r}, {coins} of theirs, {worth} in the wallet"
        case facts.WorkloadChanged(_, workload):
            return f"the workload is {workload}"
        case facts.Rejected(node=""):
            # A cast, whose sender nobody knows: it is told as `Unreadable`.
            return None
        case facts.Rejected(_, name, node, _, message):
            return f"refused {repr(shown(name)) if name else 'somebody'} on {shown(node, 100)}: {shown(message, 200)}"
        case events.Unreadable(kind, message):
            return f"a {kind} that means nothing: {shown(message, 200)}"
        case events.CommitFailed(reason, callers):
            return f"nothing could be kept: {reason}; {callers} callers were told so"
        case _:
            return None
