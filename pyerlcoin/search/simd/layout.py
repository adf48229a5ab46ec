"""Where the digits of an integer go, so that a kernel needs to know none of them.

All integers of one length are written, behind their secret, as

    secret  P...P  p..p  I..I  J..J  0x80  0...  length

The last digits, at most 7, are the *low* ones: p, I and J. I (1 to 4 digits) ends where the last word ends that the
digits fill, so it lies in one 32-bit word, the varying word: a table has that word for every value of I. J (0 to 3
digits) is what reaches into the word behind it. p and J together number the rows: complete last blocks, each of
which a kernel runs through the whole table. P, the digits above, is written once per 10^7 integers, into every row;
so integers of any size cost the same.

Pure: bytes in, bytes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["GROUP_MAX", "Call", "Layout"]

GROUP_MAX = 128
"""No kernel takes more table entries than this in one turn."""

_LOW_DIGITS = 7
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Call:
    """Rows from `row` and table entries from `entry`, up to the two `until`, of the integers below one P."""

    row: int
    row_until: int
    entry: int
    entry_until: int


class Layout:
    """The layout of integers of `digits` digits (4 or more) behind a secret of `secret_length` bytes."""

    def __init__(self, secret_length: int, digits: int) -> None:
        if digits < 4:
            raise ValueError(f"{digits} digits: integers of 1 to 3 digits have no table")
        low = min(digits, _LOW_DIGITS)
        head = secret_length + digits - low
        self.low_size = 10**low
        """Integers that share their P."""
        self.absorbed = head // _BLOCK * _BLOCK
        """Bytes of secret and P in whole blocks, which the state before the row has seen."""
        self.message_length = secret_length + digits
        used = head - self.absorbed + low
        self.blocks = 1 if used + 9 <= _BLOCK else 2
        """Blocks in a row."""
        last_word, in_last = divmod(used - 1, 4)
        in_last += 1
        j = 0 if in_last == 4 else in_last
        self._j = j
        self.side_by_side: int = 10**j
        """Rows that consecutive integers are spread over: one for each J."""
        self._i = min(4, low - j)
        self._row_digits = low - self._i
        word = last_word if j == 0 else last_word - 1
        # A varying word in the second block leaves the first one to be absorbed row by row.
        self.rows_absorb = _BLOCK if word >= 16 else 0
        """Bytes of each row to absorb into a state of its own before the kernel runs over the rest."""
        self.word = word % 16
        """The varying word, of the first block that the kernel gets."""
        self.kernel_blocks = self.blocks - self.rows_absorb // _BLOCK
        """Blocks that the kernel gets, 1 or 2."""
        self.rows: int = 10**self._row_digits
        """Rows to one P, at most 1,000."""
        self.entries: int = 10**self._i
        """Entries of the table, at most 10,000."""
        self.row_length = self.blocks * _BLOCK
        self._low_at = used - low
        self._table: tuple[bytes | None, bytes] = (None, b"")  # the last one: a new secret may need another

    def table(self, rest: bytes) -> bytes:
        """The varying word for each value of I, and GROUP_MAX more of no meaning.

        `rest` is the head, secret and P, behind what is absorbed; where I fills only a part of its word, the
        bytes before it are from there.
        """
        at = self._low_at + self._row_digits - self._j
        before = rest[at - (4 - self._i) : at] if self._i < 4 else b""
        if self._table[0] != before:
            self._table = (before, self._write_table(before))
        return self._table[1]

    def _write_table(self, before: bytes) -> bytes:
        table = bytearray(4 * (self.entries + GROUP_MAX))
        used = table[: 4 * self.entries]
        for i, byte in enumerate(before):
            used[i::4] = bytes((byte,)) * self.entries
        for i, column in enumerate(_columns(self._i), len(before)):
            used[i::4] = column
        table[: len(used)] = used
        return bytes(table)

    def write(self, rest: bytes, row: int, until: int) -> bytearray:
        """The rows from `row` up to `until`, `row_length` bytes each; `rest` as for `table`."""
        one = bytearray(self.row_length)
        one[: len(rest)] = rest
        one[self._low_at + self._row_digits + self._i] = 0x80
        one[-8:] = (8 * self.message_length % 2**64).to_bytes(8, "little")
        rows = one * (until - row)
        in_p = self._row_digits - self._j
        for i, column in enumerate(_columns(self._row_digits)):
            at = self._low_at + (i if i < in_p else i + self._i)
            rows[at :: self.row_length] = column[row:until]
        return rows

    def calls(self, first: int, last: int) -> Iterator[tuple[int, Call]]:
        """What covers the low parts `first` to `last`, ascending: how many of them, and their rows and entries.

        A call may cover some more, outside of `first` to `last`, where J's digits are many.
        """
        per_p = self.entries * self.side_by_side
        while first <= last:
            p, start = divmod(first, per_p)
            if start == 0 and last + 1 - first >= per_p:
                p_until = (last + 1) // per_p
                end = p_until * per_p - 1
                entry, entry_until = 0, self.entries
            else:
                p_until = p + 1
                end = min(last, p_until * per_p - 1)
                entry, entry_until = start // self.side_by_side, end % per_p // self.side_by_side + 1
            yield end - first + 1, Call(p * self.side_by_side, p_until * self.side_by_side, entry, entry_until)
            first = end + 1

    def low(self, row: int, entry: int) -> int:
        """The low part that has this entry in this row."""
        p, j = divmod(row, self.side_by_side)
        return (p * self.entries + entry) * self.side_by_side + j


@lru_cache
def _columns(digits: int) -> list[bytes]:
    """The decimal digits of 0, 1, 2…, all of that many digits, column by column."""
    columns = []
    for i in range(digits):
        once = b"".join(bytes((0x30 + digit,)) * 10 ** (digits - 1 - i) for digit in range(10))
        columns.append(once * 10**i)
    return columns
