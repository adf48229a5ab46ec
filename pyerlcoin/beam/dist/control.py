"""Control messages: how one is declared, and how every one is read and written from that declaration.

A control message is a tuple, its operation number first, and for some a second term, the payload, behind it
(OTP, Distribution Protocol, "Protocol between Connected Nodes"). In Python it is one object that holds both;
`control_messages` declares them all. The fields of a class stand in the order of the wire, so the encoder and the
decoder cannot disagree about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from pyerlcoin.beam.errors import MalformedMessage
from pyerlcoin.beam.etf import DEFAULT, Atom, Limits, Pid, Reference, Term, decode, encode_into
from pyerlcoin.beam.etf.tags import SMALL_INTEGER_EXT, SMALL_TUPLE_EXT

__all__ = [
    "PASS_THROUGH",
    "VERSION_MAGIC",
    "Control",
    "Payload",
    "Token",
    "control_message",
    "known_operations",
    "read_message",
    "unused",
]

#: The byte before a control message that needs no distribution header.
PASS_THROUGH: Final = 112
#: The byte before each term.
VERSION_MAGIC: Final = 131

_HEADER: Final = bytes((PASS_THROUGH, VERSION_MAGIC))
_EMPTY: Final = Atom("")
_WIRED: Final = frozenset((Atom, Pid, Reference))

_PAYLOAD: Final = "payload"
_OPTIONAL: Final = "optional"

#: The type of the field that travels behind the tuple. At most one, and the last.
Payload = Annotated[Term, _PAYLOAD]
#: The type of a last element that may be missing: None then.
Token = Annotated[Term, _OPTIONAL]


class Control:
    """The base of all control messages. `op` is the operation number, `name` OTP's name for it."""

    __slots__ = ()

    op: ClassVar[int]
    name: ClassVar[str]
    has_payload: ClassVar[bool]
    _form: ClassVar[_Form]

    def encode_into(self, out: bytearray) -> None:
        """Append `112, 131, Control [, 131, Message]`. Raises UnencodableTerm, and leaves `out` as it was."""
        form = self._form
        start = len(out)
        out += _HEADER
        try:
            elements = form.elements(self)
            if form.prefix:
                out += form.prefix
                for element in elements:
                    out += element.wire
            else:
                if form.optional and elements[-1] is None:
                    elements = elements[:-1]
                encode_into(out, (self.op, *elements))
            if form.payload is not None:
                out.append(VERSION_MAGIC)
                encode_into(out, getattr(self, form.payload))
        except BaseException:
            del out[start:]
            raise

    def encode(self) -> bytes:
        """The bytes of a frame, without its length. Raises UnencodableTerm."""
        out = bytearray()
        self.encode_into(out)
        return bytes(out)

    def is_consistent(self) -> bool:
        """Whether the fields agree with each other. Each by itself is already of its type."""
        return True


@dataclass(frozen=True, slots=True)
class _Form:
    """What a declaration says, ready for use."""

    cls: type[Control]
    elements: Callable[[Control], tuple[Any, ...]]
    """All fields of the tuple, after the operation."""
    prefix: bytes
    """The tuple up to its first field, if all its fields are terms that hold their bytes; else empty."""
    checks: tuple[tuple[int, str, Callable[[Any], bool] | None], ...]
    """Of the fields that carry something: place in the tuple, name, test."""
    least: int
    most: int
    """Sizes of the tuple that are taken."""
    optional: bool
    payload: str | None


_FORMS: Final[dict[int, _Form]] = {}

_C = TypeVar("_C", bound=Control)


def known_operations() -> frozenset[int]:
    """The operation numbers of all messages that are declared."""
    return frozenset(_FORMS)


def unused(*, init: Literal[False] = False) -> Any:
    """An element that once was the cookie: written as the empty atom, and read past."""
    return field(default=_EMPTY, init=init, repr=False, compare=False)


@dataclass_transform(field_specifiers=(unused,))
def control_message(op: int, name: str, *, open_ended: bool = False) -> Callable[[type[_C]], type[_C]]:
    """Make the class a slotted dataclass, and the control message with this number.

    open_ended: more elements than declared are read past, as the chapter says of that message.
    """

    def declare(plain: type[_C]) -> type[_C]:
        cls = dataclass(slots=True)(plain)
        hints = get_type_hints(cls, include_extras=True)
        payload = None
        optional = False
        names: list[str] = []
        checks: list[tuple[int, str, Callable[[Any], bool] | None]] = []
        for place, declared in enumerate(fields(cast(Any, cls)), start=1):
            hint = hints[declared.name]
            if hint == Payload:
                payload = declared.name
                continue
            optional = optional or hint == Token
            names.append(declared.name)
            if declared.init:
                checks.append((place, declared.name, _check_of(hint)))
        cls.op = op
        cls.name = name
        cls.has_payload = payload is not None
        size = len(names) + 1
        wired = all(_WIRED.issuperset(_kinds(hints[name])) for name in names)
        cls._form = _FORMS[op] = _Form(
            cls=cls,
            elements=attrgetter(*names),
            prefix=bytes((SMALL_TUPLE_EXT, size, SMALL_INTEGER_EXT, op)) if wired else b"",
            checks=tuple(checks),
            least=size - optional,
            most=256 if open_ended else size,
            optional=optional,
            payload=payload,
        )
        return cls

    return declare


def _check_of(hint: Any) -> Callable[[Any], bool] | None:
    """The test for an annotation: a class, a union of them, `Annotated[…, test]`, or none for any term."""
    if get_origin(hint) is Annotated:
        marker = hint.__metadata__[0]
        return marker if callable(marker) else None
    if hint is object:  # Term
        return None
    kinds = _kinds(hint)
    return lambda value: type(value) in kinds


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def read_message(frame: bytes, limits: Limits = DEFAULT) -> Control:
    """Read a whole frame, without its length: `112, 131, Control [, 131, Message]` and nothing behind.

    Raises:
        MalformedMessage: another framing, an unknown operation, a wrong size or type, bytes left over.
        MalformedTerm, LimitExceeded: as `etf.decode`.
    """
    if frame[:2] != _HEADER:
        raise MalformedMessage(f"a frame that starts with {frame[:2].hex(' ')}: only pass-through was offered")
    control, end = decode(frame, 2, limits)
    if not isinstance(control, tuple) or not control or type(control[0]) is not int:
        raise MalformedMessage("a control message that is no tuple with a number in front")
    form = _FORMS.get(control[0])
    if form is None:
        # Of a larger one not the digits: Python refuses to write more than some thousand.
        number = str(control[0]) if 0 <= control[0] <= 0xFF else "with a number of more than a byte"
        raise MalformedMessage(f"unknown control message {number}")
    name = form.cls.name
    if not form.least <= len(control) <= form.most:
        raise MalformedMessage(f"{name} with {len(control)} elements")
    values: dict[str, Term] = {}
    for place, field_name, check in form.checks:
        if place == len(control):
            values[field_name] = None
            break
        value = control[place]
        if check is not None and not check(value):
            raise MalformedMessage(f"{name} with a wrong {field_name}")
        values[field_name] = value
    if form.payload is not None:
        if frame[end : end + 1] != b"\x83":
            raise MalformedMessage(f"{name} without its message")
        values[form.payload], end = decode(frame, end + 1, limits)
    if end != len(frame):
        raise MalformedMessage(f"{len(frame) - end} bytes behind {name}")
    message = form.cls(**values)
    if not message.is_consistent():
        raise MalformedMessage(f"{name} with fields that contradict each other")
    return message
