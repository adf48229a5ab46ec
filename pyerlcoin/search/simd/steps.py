"""MD5's steps (RFC 1321, 3.4) as LLVM IR, with whatever does not change computed once.

A value is an int, known while we write; *uniform*, an i32 that is the same for every candidate of a message row;
or *varying*, a vector with another candidate in each lane. An operation on ints is done here; one on uniforms is
written to the preamble, which runs once a row; only what depends on the varying message word is written to the
body. So the steps before that word's first use cost nothing, and each sum's constant part is one operand.

Vectors of width 1 are plain i32: a scalar compression is written by the same code, and so is a thread of a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, sin

__all__ = ["INITIAL", "Forms", "Uniform", "Value", "Varying", "Writer", "compress", "compress_to_a"]

INITIAL = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
"""The state before the first block: the words A, B, C, D."""

_SINES = [floor(2**32 * abs(sin(i + 1))) for i in range(64)]
_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_WORDS = ((1, 0), (5, 1), (3, 5), (7, 0))  # step i of a round uses word (x * i + y) mod 16
_STEPS_TO_A = 61
_M32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Uniform:
    """The name of an i32 that is the same in all lanes."""

    name: str


@dataclass(frozen=True, slots=True)
class Varying:
    """The name of a vector."""

    name: str


Value = int | Uniform | Varying


@dataclass(frozen=True, slots=True)
class Forms:
    """How the target's instructions like MD5's functions to be written; the result is the same."""

    ternary: bool
    """It has any function of three bits in one instruction, and a rotation (AVX-512), or at least a bit select."""

    def __str__(self) -> str:
        return "ternary" if self.ternary else "binary"


class Writer:
    """Writes operations; those on uniforms to `preamble`, shared by the streams, the others to each one's body."""

    def __init__(self, width: int, forms: Forms) -> None:
        self.type = "i32" if width == 1 else f"<{width} x i32>"
        self.width = width
        self.forms = forms
        self.preamble: list[str] = []
        self.body: list[str] = []
        self._known: dict[tuple[object, ...], Value] = {}
        self._names = 0

    def name(self) -> str:
        """A new one."""
        self._names += 1
        return f"%x{self._names}"

    def add(self, *terms: Value) -> Value:
        """The sum. The varying terms are added in their order: the one that is known last goes last."""
        constant = sum(term for term in terms if isinstance(term, int)) & _M32
        uniforms: list[Value] = [term for term in terms if isinstance(term, Uniform)]
        if constant:
            uniforms.append(constant)
        varying: list[Value] = [term for term in terms if isinstance(term, Varying)]
        if not uniforms and not varying:
            return 0
        uniform = self._chain("add", uniforms) if uniforms else None
        if uniform is None:
            return self._chain("add", varying)
        return self._chain("add", [varying[0], uniform, *varying[1:]]) if varying else uniform

    def sub(self, a: Value, b: Value) -> Value:
        """a - b."""
        if isinstance(a, int) and isinstance(b, int):
            return (a - b) & _M32
        return self._binary("sub", a, b)

    def xor(self, a: Value, b: Value) -> Value:
        """Their exclusive or."""
        if isinstance(a, int) and isinstance(b, int):
            return a ^ b
        return self._binary("xor", a, b)

    def and_(self, a: Value, b: Value) -> Value:
        """The bits that both have."""
        if isinstance(a, int) and isinstance(b, int):
            return a & b
        return self._binary("and", a, b)

    def or_(self, a: Value, b: Value) -> Value:
        """The bits that either has."""
        if isinstance(a, int) and isinstance(b, int):
            return a | b
        return self._binary("or", a, b)

    def rotate(self, a: Value, by: int) -> Value:
        """a, rotated left."""
        if isinstance(a, int):
            return (a << by | a >> (32 - by)) & _M32
        if isinstance(a, Varying) and self.width > 1:
            if self.forms.ternary:
                kind = self.type
                return self._write(
                    True,
                    f"call {kind} @llvm.fshl.v{self.width}i32({kind} {a.name}, {kind} {a.name}, "
                    f"{kind} splat (i32 {by}))",
                )
            if by == 16:
                return self._swap_halves(a)
        return self.or_(self._binary("shl", a, by), self._binary("lshr", a, 32 - by))

    def add_rotated(self, a: Value, b: Value, by: int) -> Value:
        """a, and b rotated left."""
        if not isinstance(b, Varying) or self.width == 1 or self.forms.ternary or by == 16:
            return self.add(a, self.rotate(b, by))
        # The halves of b share no bit either. This order measured 4 % faster than their or: one sum does not wait.
        return self._chain("add", [a, self._binary("shl", b, by), self._binary("lshr", b, 32 - by)])

    def operand(self, a: Value, varying: bool) -> str:
        """`a` as an operand among scalars or vectors; a uniform among vectors is spread over the lanes."""
        if isinstance(a, int):
            return f"splat (i32 {a})" if varying and self.width > 1 else str(a)
        if isinstance(a, Varying) or not varying or self.width == 1:
            return a.name
        key = ("splat", a)
        if key not in self._known:
            one, all_ = self.name(), self.name()
            self.preamble.append(f"{one} = insertelement {self.type} poison, i32 {a.name}, i64 0")
            self.preamble.append(
                f"{all_} = shufflevector {self.type} {one}, {self.type} poison, <{self.width} x i32> zeroinitializer"
            )
            self._known[key] = Varying(all_)
        known = self._known[key]
        assert isinstance(known, Varying)
        return known.name

    def _swap_halves(self, a: Varying) -> Value:
        # One byte shuffle where a rotation is three instructions.
        halves = f"<{2 * self.width} x i16>"
        split, swapped, joined = self.name(), self.name(), self.name()
        order = ", ".join(f"i32 {i ^ 1}" for i in range(2 * self.width))
        self.body.append(f"{split} = bitcast {self.type} {a.name} to {halves}")
        self.body.append(
            f"{swapped} = shufflevector {halves} {split}, {halves} poison, <{2 * self.width} x i32> <{order}>"
        )
        self.body.append(f"{joined} = bitcast {halves} {swapped} to {self.type}")
        return Varying(joined)

    def _chain(self, operation: str, terms: Sequence[Value]) -> Value:
        total = terms[0]
        for term in terms[1:]:
            total = self._binary(operation, total, term)
        return total

    def _binary(self, operation: str, a: Value, b: Value) -> Value:
        # What was computed once is not computed again: uniforms are there for all streams.
        key = (operation, a, b)
        if key not in self._known:
            varying = isinstance(a, Varying) or isinstance(b, Varying)
            kind = self.type if varying else "i32"
            left, right = self.operand(a, varying), self.operand(b, varying)
            self._known[key] = self._write(varying, f"{operation} {kind} {left}, {right}")
        return self._known[key]

    def _write(self, varying: bool, text: str) -> Value:
        name = self.name()
        (self.body if varying else self.preamble).append(f"{name} = {text}")
        return Varying(name) if varying else Uniform(name)


def compress(w: Writer, state: Sequence[Value], words: Sequence[Value]) -> list[Value]:
    """The state A, B, C, D after a block of 16 words."""
    return [w.add(old, new) for old, new in zip(state, _run(w, state, words, 64), strict=True)]


def compress_to_a(w: Writer, state: Sequence[Value], words: Sequence[Value]) -> Value:
    """Word A after the block, without the state's A: what must be its negative for the digest to start with zeros."""
    return _run(w, state, words, _STEPS_TO_A)[1]


def _run(w: Writer, state: Sequence[Value], words: Sequence[Value], steps: int) -> list[Value]:
    a, b, c, d = state
    for i in range(steps):
        turn, in_turn = divmod(i, 16)
        x, y = _WORDS[turn]
        total = _total(w, turn, a, b, c, d, words[(x * i + y) % 16], _SINES[i])
        a, b, c, d = d, w.add_rotated(b, total, _SHIFTS[turn][in_turn % 4]), b, c
    return [a, b, c, d]


def _total(w: Writer, turn: int, a: Value, b: Value, c: Value, d: Value, word: Value, sine: int) -> Value:
    """a + F(b, c, d) + word + sine, with the F of that turn. b is known last, so what needs it is added last."""
    if turn == 0:
        if w.forms.ternary:
            return w.add(a, word, sine, w.xor(d, w.and_(b, w.xor(c, d))))
        # The two halves of (b & c) | (d & ~b) share no bit, so that their sum is the same.
        return w.add(a, word, sine, w.and_(d, w.xor(b, _M32)), w.and_(b, c))
    if turn == 1:
        if w.forms.ternary:
            return w.add(a, word, sine, w.xor(c, w.and_(d, w.xor(b, c))))
        # Likewise, and only one half waits for b.
        return w.add(a, word, sine, w.and_(c, w.xor(d, _M32)), w.and_(b, d))
    if turn == 2:
        if w.forms.ternary:
            # Not (b ^ c) ^ d: LLVM would share b ^ c with a later step and need two instructions for each.
            return w.add(a, word, sine, w.xor(w.xor(b, d), c))
        # Only one operation waits for b. (b ^ c) ^ d would share b ^ c with the next step, which measured slower.
        return w.add(a, word, sine, w.xor(b, w.xor(c, d)))
    if w.forms.ternary:
        return w.add(a, word, sine, w.xor(c, w.or_(b, w.xor(d, _M32))))
    # c ^ (b | ~d) is the complement of c ^ (d & ~b), and adding ~x is subtracting x and 1.
    return w.sub(w.add(a, word, sine, _M32), w.xor(c, w.and_(d, w.xor(b, _M32))))
