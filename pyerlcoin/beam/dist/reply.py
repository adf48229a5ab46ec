"""Where a GenServer's reply goes, and in which control message.

`gen` sends `{Tag, Reply}` with the caller's tag untouched. A tag that holds an alias names where to: a reply sent
there is dropped when the caller has given up, while one sent to its pid stays in its mailbox for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from pyerlcoin.beam.dist.control_messages import AliasSend, AltactFlags, AltactSigSend, Send
from pyerlcoin.beam.dist.flags import DistributionFlags
from pyerlcoin.beam.etf import Atom, ImproperList, Pid, Reference, Term, encode

__all__ = ["address_alias", "address_reply", "alias_of", "alias_tag", "alias_writer"]

_ALIAS: Final = Atom("alias")
_ALIAS_ITEMS: Final = (_ALIAS,)
# A payload that is a pair of an `[alias | Ref]`, up to the reference.
_PAIR_WITH_ALIAS: Final = b"\x83h\2l\0\0\0\1" + _ALIAS.wire
_TO_ALIAS: Final = int(AltactFlags.ALIAS)
# Plain numbers: `&` of an IntFlag takes a microsecond.
_ALTACT_SIG_FLAG: Final = int(DistributionFlags.DFLAG_ALTACT_SIG)
_ALIAS_FLAG: Final = int(DistributionFlags.DFLAG_ALIAS)
# Flags differ by release, if at all; a writer for each connection would be a tenth of what an idle one costs.
_MOST_WRITERS: Final = 16


def alias_of(tag: Term) -> Reference | None:
    """The alias in the tag of a `{Pid, Tag}`, if it has one.

    ========================  ======================================================  ===========
    `[alias | Ref]`           `gen:call` and `send_request`                           Ref
    `[[alias | A] | Mon]`     `multi_call` of OTP 26 and later                        A
    `{Ref, Node}`             `multi_call` of OTP 25                                  none
    `Ref`, anything else      other callers                                           none
    ========================  ======================================================  ===========
    """
    if type(tag) is not ImproperList or len(tag.items) != 1 or type(tag.tail) is not Reference:
        return None
    head = tag.items[0]
    if head == _ALIAS:
        return tag.tail
    return alias_of(head)


def address_reply(flags: int, from_pid: Pid, caller: Pid, tag: Term, message: Term) -> Send | AliasSend | AltactSigSend:
    """The control message that brings `message`, usually `(tag, value)`, to the caller who gave `tag`.

    Args:
        flags: the negotiated ones. A node before OTP 28 closes the connection on an ALTACT_SIG_SEND.
        from_pid: our process that replies.
        caller: the pid beside the tag.
    """
    alias = alias_of(tag)
    to_alias = None if alias is None else address_alias(flags, from_pid, alias, message)
    return Send(caller, message) if to_alias is None else to_alias


def address_alias(flags: int, from_pid: Pid, alias: Reference, message: Term) -> AliasSend | AltactSigSend | None:
    """The control message that brings `message` to an alias of the peer's.

    None where the flags, the negotiated ones, know no alias. `from_pid` is our process that sends.
    """
    if flags & _ALTACT_SIG_FLAG:
        return AltactSigSend(_TO_ALIAS, from_pid, alias, None, message)
    if flags & _ALIAS_FLAG:
        return AliasSend(from_pid, alias, message)
    return None


def alias_tag(alias: bytes) -> ImproperList:
    """The tag of a GenServer.call, `[alias | Ref]`; `alias` is the wire of Ref."""
    return ImproperList(_ALIAS_ITEMS, Reference(alias))


@lru_cache(_MOST_WRITERS)
def alias_writer(flags: int) -> Callable[[Pid, bytes, Term], bytes] | None:
    """A function that makes the frame of `([alias | Ref], value)`, its length in front.

    It is given `(from_pid, alias, value)`.

    It writes what `address_reply` addresses to the tag `alias_tag(alias)`, where all bytes but the ids and the value
    are the same each time. It raises UnencodableTerm. None where the flags know no alias.
    """
    flags = int(flags)
    if flags & _ALTACT_SIG_FLAG:
        head = b"p\x83h\4" + encode(AltactSigSend.op) + encode(_TO_ALIAS)
    elif flags & _ALIAS_FLAG:
        head = b"p\x83h\3" + encode(AliasSend.op)
    else:
        return None

    same = len(head) + len(_PAIR_WITH_ALIAS)

    def write(from_pid: Pid, alias: bytes, value: Term) -> bytes:
        pid = from_pid.wire
        payload = encode(value)
        size = same + len(pid) + 2 * len(alias) + len(payload)
        return b"".join((size.to_bytes(4), head, pid, alias, _PAIR_WITH_ALIAS, alias, payload))

    return write
