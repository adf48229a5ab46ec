"""What OTP 25.2.3 wrote, taken down from its sockets: node otp25@127.0.0.1 with golden@127.0.0.1, cookie monster."""

from __future__ import annotations

__all__ = [
    "ACK",
    "ALIAS_REPLY",
    "ALIVE",
    "ALIVE2_DUPLICATE",
    "ALIVE2_OK",
    "ALIVE2_REQUEST",
    "CALL",
    "CHALLENGE",
    "CHALLENGE_REPLY",
    "COOKIE",
    "CREATION",
    "DEMONITOR",
    "DEMONITOR_PID",
    "EXIT",
    "EXIT2",
    "GIVEN_CREATION",
    "GIVEN_NUMBER",
    "GOLDEN",
    "GOLDEN_FLAGS",
    "LINK",
    "MONITOR",
    "MONITOR_PID",
    "NAME",
    "NAMED",
    "NAMED_ACK",
    "NAMED_CHALLENGE",
    "NAMES",
    "NAME_REQUEST",
    "NAME_REQUEST_REPLY",
    "NOT_ALLOWED",
    "OTP25",
    "OTP25_CREATION",
    "OTP25_FLAGS",
    "PORT2",
    "PORT2_UNKNOWN",
    "SEND",
    "UNLINK_ID",
    "frame",
    "message",
]

OTP25 = "otp25@127.0.0.1"
GOLDEN = "golden@127.0.0.1"
COOKIE = "monster"
CREATION = 0x6B03549B
OTP25_CREATION = 0x6B03549C
OTP25_FLAGS = 0xD07DF7FBC
GOLDEN_FLAGS = 0x2C07070FBC
"""What golden offered then: we offer NATIVE_RECORDS as well."""

_FROM = "58770f6f74703235403132372e302e302e3100000055000000006b03549c"
_OURS = "587710676f6c64656e403132372e302e302e3100000001000000006b03549b"
_REF_HEAD = "5a0003770f6f74703235403132372e302e302e316b03549c"
_CALL_REF = _REF_HEAD + "0002df896e99000108d761e1"
_PID_REF = _REF_HEAD + "0002df8d6e98000108d761e1"
_SERVER = "7718456c697869722e456c69786972436f696e2e536572766572"


def _hex(*parts: str) -> bytes:
    return bytes.fromhex("".join(parts))


def message(data: bytes, length_size: int = 2) -> bytes:
    """A handshake message with its length."""
    return len(data).to_bytes(length_size, "big") + data


def frame(data: bytes) -> bytes:
    """A frame with its length."""
    return message(data, 4)


# epmd's own replies. The third and the fourth are about `golden`, which `ALIVE2_REQUEST` had registered.
ALIVE2_REQUEST = _hex("0013789d2d4800000600060006676f6c64656e0000")
ALIVE2_OK = _hex("76006b03549b")
ALIVE2_DUPLICATE = _hex("760100000063")
NAMES = _hex("0000ad53") + b"name otp25 at port 37655\nname golden at port 40237\n"
PORT2 = _hex("77009d2d4800000600060006676f6c64656e0000")
PORT2_UNKNOWN = _hex("7701")

# otp25 dials golden, whose challenge is 0xDEADBEEF.
NAME = _hex("001e4e0000000d07df7fbc6b03549c000f6f74703235403132372e302e302e31")
CHALLENGE_REPLY = _hex("0015728b2dd35abf7f88f051f7f0529399994f5512d99c")

# golden dials otp25 with the challenge 0x12345678: status ok and the challenge, then the ack.
CHALLENGE = _hex("0003736f6b00224e0000000d07df7fbc1ea89e7d6b0354c2000f6f74703235403132372e302e302e31")
ACK = _hex("00116127c17f975376e00523e910cae5eafa3c")
ALIVE = _hex("000673616c697665")
NOT_ALLOWED = _hex("000c736e6f745f616c6c6f776564")

# `erl -name undefined@127.0.0.1` dials golden, is called by GIVEN_NUMBER from then on, and proves the cookie.
NAME_REQUEST = _hex("00184e0000000f07df7fbc0000000000093132372e302e302e31")
NAME_REQUEST_REPLY = _hex("0015727922d69abf7f88f051f7f0529399994f5512d99c")
GIVEN_NUMBER = 0x0123456789ABCDEF
GIVEN_CREATION = 0x77

# A node that asks for a name dials otp25 with the challenge 0x12345678.
NAMED = _hex("0024736e616d65643a00173139365334534c325944305331403132372e302e302e314a8e78f8")
NAMED_CHALLENGE = _hex("00224e0000000f07df7fbca9a208c26b03599d000f6f74703235403132372e302e302e31")
NAMED_ACK = _hex("00116127c17f975376e00523e910cae5eafa3c")

# GenServer.call({ElixirCoin.Server, :"golden@127.0.0.1"}, {:done, "Alice"}): what came, in this order, and the
# reply that made it return {:ok, 1}.
MONITOR = _hex("708368046113", _FROM, _SERVER, _CALL_REF)
CALL = _hex(
    "708368046106",
    _FROM,
    "7700",
    _SERVER,
    "83680377092467656e5f63616c6c6802",
    _FROM,
    "6c000000017705616c696173",
    _CALL_REF,
    "68027704646f6e656d00000005416c696365",
)
ALIAS_REPLY = _hex("708368036121", _OURS, _CALL_REF, "8368026c000000017705616c696173", _CALL_REF, "680277026f6b6101")
DEMONITOR = _hex("708368046114", _FROM, _SERVER, _CALL_REF)

# With X a pid of golden: X ! topid, link(X), unlink(X), exit(X, kill), a monitor of X, and the end with `boo`.
SEND = _hex("7083680361027700", _OURS, "837705746f706964")
LINK = _hex("708368036101", _FROM, _OURS)
UNLINK_ID = _hex("7083680461236101", _FROM, _OURS)
EXIT2 = _hex("708368046108", _FROM, _OURS, "77046b696c6c")
MONITOR_PID = _hex("708368046113", _FROM, _OURS, _PID_REF)
EXIT = _hex("708368046103", _FROM, _OURS, "7703626f6f")
DEMONITOR_PID = _hex("708368046114", _FROM, _OURS, _PID_REF)
