"""The game's messages: terms to typed requests and replies, and back.

The server reads requests and builds replies, the miner the other way round. Reading a request never raises: what cannot
be read is `Malformed`, with the sentence that goes back as `{:error, message}`. Names, integers and workloads pass
as the peer sent them (a binary that is UTF-8 as str): what they may be is the ledger's to say.

Reading a reply is as tolerant as a miner of ten-year-old servers has to be: a unit is an integer or a range, a text a
binary or a charlist. What still means nothing raises `UnreadableReply`, and so does a number that could not be shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Final, TypeAlias, TypeGuard

from pyerlcoin.beam.etf.terms import ERROR, OK, Atom, Map, Term
from pyerlcoin.coin.answers import ASK_AGAIN, Answer, Counted, Refusal, Welcome, Work, WorkloadSet
from pyerlcoin.coin.coin import WRITABLE
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.coin.unit import Unit
from pyerlcoin.errors import RefusedByPeer

__all__ = [
    "SERVER_NAME",
    "AskLeaderboard",
    "AskProgress",
    "AskWorth",
    "Coin",
    "Done",
    "Given",
    "Hello",
    "Malformed",
    "Refused",
    "Request",
    "SetWorkload",
    "UnreadableReply",
    "answer_term",
    "error_term",
    "leaderboard_term",
    "progress_term",
    "read_call",
    "read_cast",
    "read_count",
    "read_leaderboard",
    "read_progress",
    "read_unit",
    "read_welcome",
    "read_worth",
    "request_term",
    "worth_term",
]

SERVER_NAME: Final = "Elixir.ElixirCoin.Server"
"""The registered name of every server: how the BEAM spells the alias `ElixirCoin.Server`."""

_HELLO: Final = Atom("hello")
_COIN: Final = Atom("coin")
_DONE: Final = Atom("done")
_LEADERBOARD: Final = Atom("leaderboard")
_WORTH: Final = Atom("worth")
_PROGRESS: Final = Atom("progress")
_WORKLOAD: Final = Atom("workload")
_AUTO: Final = Atom("auto")
_MINERS: Final = Atom("miners")

_CALLS: Final = "{:hello, name}, {:coin, name, n}, {:done, name}, :leaderboard, :worth and :progress"


# In patterns a tuple is spelled `tuple((…))`: a bare `(…)` would match a list as well.


# Requests.


@dataclass(frozen=True, slots=True)
class Hello:
    """`{:hello, name}`."""

    name: object


@dataclass(slots=True)
class Coin:
    """`{:coin, name, n}`."""

    name: object
    n: object


@dataclass(frozen=True, slots=True)
class Done:
    """`{:done, name}`."""

    name: object


@dataclass(frozen=True, slots=True)
class AskLeaderboard:
    """`:leaderboard`."""


@dataclass(frozen=True, slots=True)
class AskWorth:
    """`:worth`."""


@dataclass(frozen=True, slots=True)
class AskProgress:
    """`:progress`, which the original server does not know."""


@dataclass(frozen=True, slots=True)
class SetWorkload:
    """The cast `{:workload, n}`; `"auto"` travels as `:auto`."""

    workload: object


@dataclass(frozen=True, slots=True)
class Malformed:
    """No request of the game. `message` says so to a person."""

    message: str


Request: TypeAlias = Hello | Coin | Done | AskLeaderboard | AskWorth | AskProgress | SetWorkload


def read_call(term: Term) -> Hello | Coin | Done | AskLeaderboard | AskWorth | AskProgress | Malformed:
    """What a `GenServer.call` asks."""
    if type(term) is tuple and len(term) == 3 and term[0] == _COIN:  # most of all requests
        return Coin(_as_text(term[1]), term[2])
    match term:
        case tuple((Atom("hello"), name)):
            return Hello(_as_text(name))
        case tuple((Atom("done"), name)):
            return Done(_as_text(name))
        case Atom("leaderboard"):
            return AskLeaderboard()
        case Atom("worth"):
            return AskWorth()
        case Atom("progress"):
            return AskProgress()
        case tuple((Atom("workload"), _)):
            return Malformed("workload is a cast: GenServer.cast(server, {:workload, n})")
        case _:
            return Malformed(f"not a request of this game: it knows {_CALLS}")


def read_cast(term: Term) -> SetWorkload | Malformed:
    """What a `GenServer.cast` asks."""
    match term:
        case tuple((Atom("workload"), Atom("auto"))):
            return SetWorkload("auto")
        case tuple((Atom("workload"), n)):
            return SetWorkload(n)
        case _:
            return Malformed("not a cast of this game: it knows {:workload, n} and {:workload, :auto}")


def request_term(request: Request) -> Term:
    """The term that a request travels as."""
    match request:
        case Hello(name):
            return (_HELLO, name)
        case Coin(name, n):
            return (_COIN, name, n)
        case Done(name):
            return (_DONE, name)
        case AskLeaderboard():
            return _LEADERBOARD
        case AskWorth():
            return _WORTH
        case AskProgress():
            return _PROGRESS
        case SetWorkload(workload):
            return (_WORKLOAD, _AUTO if workload == "auto" else workload)


def _as_text(term: Term) -> object:
    """A binary as the text it holds; anything else, and bytes that are no UTF-8, as they came."""
    if isinstance(term, bytes):
        try:
            return term.decode()
        except UnicodeDecodeError:
            return term
    return term


# Replies, as the server builds them.


def answer_term(answer: Answer) -> Term:
    """The reply that an answer of the ledger travels as.

    A unit of one integer is bare only while the workload is 1: one that was cut from a returned range
    under a larger workload goes out as `{i, i}`, for a worker that expects ranges then.
    """
    if type(answer) is Counted:  # the answer to most of all requests
        return (OK, answer.count)
    match answer:
        case Counted(count):
            return (OK, count)
        case Work():
            return (OK, _unit_term(answer))
        case Welcome(secret, work):
            return (OK, secret, _unit_term(work))
        case WorkloadSet():
            return OK
        case Refusal(_, message):
            return error_term(message)


def error_term(message: str) -> Term:
    """`{:error, message}`."""
    # A message may quote a peer's text: what UTF-8 cannot say must not keep the reply from going out.
    return (ERROR, message.encode(errors="replace"))


def leaderboard_term(board: Iterable[tuple[str, int]]) -> Term:
    """`{:ok, [{name, coins}]}`, in the order given."""
    return (OK, [(name.encode(), coins) for name, coins in board])


def worth_term(coins: int) -> Term:
    """`{:ok, coins}`."""
    return (OK, coins)


# Read one by one: ten thousand miners are told in a third of a second by way of a dictionary for each.
_KEYS: Final = [Atom(field.name) for field in fields(Progress)]
_values: Final = attrgetter(*(field.name for field in fields(Progress)))
_MINER_KEYS: Final = [Atom(field.name) for field in fields(MinerProgress)]
_miner_values: Final = attrgetter(*(field.name for field in fields(MinerProgress)))


def progress_term(progress: Progress) -> tuple[Atom, Map]:
    """`{:ok, map}` with the fields of `Progress` as atoms, `nil` for what is not known; `:auto` for that workload."""
    values = dict(zip(_KEYS, _values(progress), strict=True))
    values[_MINERS] = [Map(zip(_MINER_KEYS, _miner_values(miner), strict=True)) for miner in progress.miners]
    if progress.workload == "auto":
        values[_WORKLOAD] = _AUTO
    return (OK, Map(values))


def _unit_term(work: Work) -> Term:
    return work.unit.first if work.bare else (work.unit.first, work.unit.last)


# Replies, as the miner reads them.


class UnreadableReply(RefusedByPeer):
    """The server answered what no server of this game answers."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted

    def __str__(self) -> str:
        return f"the server's answer is no {self.wanted}: is it a server of this game, of a version that knows this?"


@dataclass(frozen=True, slots=True)
class Refused:
    """`{:error, message}`, in the server's words."""

    message: str

    @property
    def for_now(self) -> bool:
        """Whether the server only could not keep it, by the words of ours: asked again later, it may be granted."""
        return self.message.endswith(ASK_AGAIN)


@dataclass(frozen=True, slots=True)
class Given:
    """`{:ok, secret, unit}`."""

    secret: bytes
    unit: Unit

    def __repr__(self) -> str:
        return f"Given(unit={self.unit!r})"


def read_welcome(term: Term) -> Given | Refused:
    """The reply to hello. Raises `UnreadableReply`."""
    match term:
        case tuple((Atom("ok"), secret, unit)):
            return Given(_read_text(secret, "secret"), _read_unit(unit))
        case _:
            return _read_refusal(term, "reply to hello")


def read_unit(term: Term) -> Unit | Refused:
    """The reply to done. Raises `UnreadableReply`."""
    match term:
        case tuple((Atom("ok"), unit)):
            return _read_unit(unit)
        case _:
            return _read_refusal(term, "reply to done")


def read_count(term: Term) -> int | Refused:
    """The reply to a coin: how many the miner has. Raises `UnreadableReply`."""
    match term:
        case tuple((Atom("ok"), count)) if _is_count(count):
            return count
        case _:
            return _read_refusal(term, "reply to a coin")


def read_worth(term: Term) -> int | Refused:
    """How many coins are in the wallet. Raises `UnreadableReply`."""
    match term:
        case tuple((Atom("ok"), coins)) if _is_count(coins):
            return coins
        case _:
            return _read_refusal(term, "worth")


def read_leaderboard(term: Term) -> list[tuple[str, int]] | Refused:
    """Names and coins, in the server's order. Raises `UnreadableReply`."""
    match term:
        case tuple((Atom("ok"), list(rows))):
            board: list[tuple[str, int]] = []
            for row in rows:
                match row:
                    case tuple((name, coins)) if _is_count(coins):
                        board.append((_read_text(name, "leaderboard").decode(errors="replace"), coins))
                    case _:
                        raise UnreadableReply("leaderboard")
            return board
        case _:
            return _read_refusal(term, "leaderboard")


_PROGRESS_FIELDS: Final = {field.name for field in fields(Progress)}
_NUMBERS: Final = {field.name: str(field.type) for kind in (Progress, MinerProgress) for field in fields(kind)}


def read_progress(term: Term) -> dict[str, object] | Refused:
    """The fields of `Progress`, those of its miners too, as a newer server may tell more. Raises `UnreadableReply`."""
    match term:
        case tuple((Atom("ok"), Map() as told)):
            values = _plain(told)
            if isinstance(values, dict) and values.keys() >= _PROGRESS_FIELDS:
                return values
            raise UnreadableReply("progress")
        case _:
            return _read_refusal(term, "progress")


def _is_count(term: Term) -> TypeGuard[int]:
    return isinstance(term, int) and not isinstance(term, bool) and 0 <= term < WRITABLE


def _read_refusal(term: Term, wanted: str) -> Refused:
    match term:
        case tuple((Atom("error"), bytes(message))):
            return Refused(message.decode(errors="replace"))
        case tuple((Atom("error"), message)):
            try:
                return Refused(str(message))
            except ValueError:  # there is an integer in it that Python writes for nobody
                raise UnreadableReply(wanted) from None
        case _:
            raise UnreadableReply(wanted)


def _read_text(term: Term, wanted: str) -> bytes:
    """A binary, or a charlist as its UTF-8."""
    if isinstance(term, bytes):
        return term
    if isinstance(term, list) and all(_is_count(item) and item < 0x110000 for item in term):
        return "".join(map(chr, term)).encode(errors="replace")
    raise UnreadableReply(wanted)


def _read_unit(term: Term) -> Unit:
    match term:
        case int(n) if _is_count(n):
            return Unit(n, n)
        case tuple((int(first), int(last))) if _is_count(first) and _is_count(last) and first <= last:
            return Unit(first, last)
        case _:
            raise UnreadableReply("unit")


def _plain(term: Term, depth: int = 4) -> object:
    """A term of numbers, texts, lists and maps as JSON would hold it; not deeper than progress is."""
    match term:
        case bytes():
            return term.decode(errors="replace")
        case Atom("nil"):
            return None
        case Atom("true" | "false" as name):
            return name == "true"
        case Atom(name):
            return name
        case list() if depth:
            return [_plain(item, depth - 1) for item in term]
        case Map() if depth:
            told = {str(_plain(key, 0)): _plain(value, depth - 1) for key, value in term.items()}
            if not all(_fits(name, value) for name, value in told.items()):
                raise UnreadableReply("progress")
            return told
        case float():
            return term
        case int() if -WRITABLE < term < WRITABLE:
            return term
        case _:
            raise UnreadableReply("progress")


def _fits(name: str, value: object) -> bool:
    """Whether a number may be the field's: a whole one where those are told, else one that a float can be."""
    told = _NUMBERS.get(name, "")
    if isinstance(value, float):
        return told != "int"
    return not isinstance(value, int) or "float" not in told or value.bit_length() < 1000
