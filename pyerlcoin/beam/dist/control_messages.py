"""Every control message, each declared once (OTP, Distribution Protocol, "Protocol between Connected Nodes").

The class names are OTP's. `_TT` messages carry a sequential trace token; nothing here traces, so they are read
as their plain twins are. Left out: UNLINK (4) and NODE_LINK (5), which no node of today sends and every one refuses.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Annotated, Any

from pyerlcoin.beam.dist.control import Control, Payload, Token, control_message, unused
from pyerlcoin.beam.etf import Atom, Pid, Reference, Term

__all__ = [
    "AliasSend",
    "AliasSendTT",
    "AltactFlags",
    "AltactSigSend",
    "DemonitorP",
    "Exit",
    "Exit2",
    "Exit2TT",
    "ExitTT",
    "GroupLeader",
    "Link",
    "MonitorP",
    "MonitorPExit",
    "PayloadExit",
    "PayloadExit2",
    "PayloadExit2TT",
    "PayloadExitTT",
    "PayloadMonitorPExit",
    "RegSend",
    "RegSendTT",
    "Send",
    "SendSender",
    "SendSenderTT",
    "SendTT",
    "SpawnReply",
    "SpawnReplyTT",
    "SpawnRequest",
    "SpawnRequestTT",
    "UnlinkId",
    "UnlinkIdAck",
]


def _is_unlink_id(value: object) -> bool:
    # "Id is an integer in the range [1, (1 bsl 64) - 1]"
    return type(value) is int and 0 < value < 1 << 64


def _is_natural(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_mfa(value: Any) -> bool:
    return type(value) is tuple and [type(part) for part in value] == [Atom, Atom, int]


def _is_list(value: object) -> bool:
    return type(value) is list


Number = Annotated[int, _is_natural]
UnlinkNumber = Annotated[int, _is_unlink_id]
MFA = Annotated[tuple[Atom, Atom, int], _is_mfa]
Options = Annotated[list[Term], _is_list]


@control_message(1, "LINK")
class Link(Control):
    from_pid: Pid
    to_pid: Pid


@control_message(2, "SEND")
class Send(Control):
    cookie: Atom = unused()
    to_pid: Pid
    message: Payload


@control_message(3, "EXIT")
class Exit(Control):
    from_pid: Pid
    to_pid: Pid
    reason: Term


@control_message(6, "REG_SEND")
class RegSend(Control):
    from_pid: Pid
    cookie: Atom = unused()
    to_name: Atom
    message: Payload


@control_message(7, "GROUP_LEADER")
class GroupLeader(Control):
    from_pid: Pid
    to_pid: Pid


@control_message(8, "EXIT2")
class Exit2(Control):
    from_pid: Pid
    to_pid: Pid
    reason: Term


@control_message(12, "SEND_TT")
class SendTT(Control):
    cookie: Atom = unused()
    to_pid: Pid
    token: Term
    message: Payload


@control_message(13, "EXIT_TT")
class ExitTT(Control):
    from_pid: Pid
    to_pid: Pid
    token: Term
    reason: Term


@control_message(16, "REG_SEND_TT")
class RegSendTT(Control):
    from_pid: Pid
    cookie: Atom = unused()
    to_name: Atom
    token: Term
    message: Payload


@control_message(18, "EXIT2_TT")
class Exit2TT(Control):
    from_pid: Pid
    to_pid: Pid
    token: Term
    reason: Term


@control_message(19, "MONITOR_P")
class MonitorP(Control):
    from_pid: Pid
    target: Pid | Atom
    ref: Reference


@control_message(20, "DEMONITOR_P")
class DemonitorP(Control):
    from_pid: Pid
    target: Pid | Atom
    ref: Reference


@control_message(21, "MONITOR_P_EXIT")
class MonitorPExit(Control):
    from_proc: Pid | Atom
    to_pid: Pid
    ref: Reference
    reason: Term


@control_message(22, "SEND_SENDER")
class SendSender(Control):
    from_pid: Pid
    to_pid: Pid
    message: Payload


@control_message(23, "SEND_SENDER_TT")
class SendSenderTT(Control):
    from_pid: Pid
    to_pid: Pid
    token: Term
    message: Payload


@control_message(24, "PAYLOAD_EXIT")
class PayloadExit(Control):
    from_pid: Pid
    to_pid: Pid
    reason: Payload


@control_message(25, "PAYLOAD_EXIT_TT")
class PayloadExitTT(Control):
    from_pid: Pid
    to_pid: Pid
    token: Term
    reason: Payload


@control_message(26, "PAYLOAD_EXIT2")
class PayloadExit2(Control):
    from_pid: Pid
    to_pid: Pid
    reason: Payload


@control_message(27, "PAYLOAD_EXIT2_TT")
class PayloadExit2TT(Control):
    from_pid: Pid
    to_pid: Pid
    token: Term
    reason: Payload


@control_message(28, "PAYLOAD_MONITOR_P_EXIT")
class PayloadMonitorPExit(Control):
    from_proc: Pid | Atom
    to_pid: Pid
    ref: Reference
    reason: Payload


@control_message(29, "SPAWN_REQUEST")
class SpawnRequest(Control):
    request_id: Reference
    from_pid: Pid
    group_leader: Pid
    mfa: MFA
    options: Options
    arguments: Payload


@control_message(30, "SPAWN_REQUEST_TT")
class SpawnRequestTT(Control):
    request_id: Reference
    from_pid: Pid
    group_leader: Pid
    mfa: MFA
    options: Options
    token: Term
    arguments: Payload


@control_message(31, "SPAWN_REPLY")
class SpawnReply(Control):
    request_id: Reference
    to_pid: Pid
    flags: Number
    result: Pid | Atom


@control_message(32, "SPAWN_REPLY_TT")
class SpawnReplyTT(Control):
    request_id: Reference
    to_pid: Pid
    flags: Number
    result: Pid | Atom
    token: Term


@control_message(33, "ALIAS_SEND")
class AliasSend(Control):
    from_pid: Pid
    alias: Reference
    message: Payload


@control_message(34, "ALIAS_SEND_TT")
class AliasSendTT(Control):
    from_pid: Pid
    alias: Reference
    token: Term
    message: Payload


@control_message(35, "UNLINK_ID")
class UnlinkId(Control):
    id: UnlinkNumber
    from_pid: Pid
    to_pid: Pid


@control_message(36, "UNLINK_ID_ACK")
class UnlinkIdAck(Control):
    id: UnlinkNumber
    from_pid: Pid
    to_pid: Pid


class AltactFlags(IntFlag):
    """What ALTACT_SIG_SEND's flags say: how `to` is meant, and what the payload is."""

    PRIO = 1
    TOKEN = 2
    ALIAS = 4
    NAME = 8
    EXIT = 16


@control_message(37, "ALTACT_SIG_SEND", open_ended=True)
class AltactSigSend(Control):
    """`to` is an alias if flags say ALIAS, a registered name if NAME, else a pid.

    With EXIT the payload is the reason of an exit signal, not a message. "Size of the tuple is at least 4":
    more elements may come, and so may more flags.
    """

    flags: Number
    from_pid: Pid
    to: Pid | Reference | Atom
    token: Token
    message: Payload

    def is_consistent(self) -> bool:
        kind = Reference if self.flags & AltactFlags.ALIAS else Atom if self.flags & AltactFlags.NAME else Pid
        return type(self.to) is kind and (self.token is not None or not self.flags & AltactFlags.TOKEN)
