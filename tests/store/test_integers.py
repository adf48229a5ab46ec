import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.store.integers import from_column, to_column

SIZES = st.one_of(
    st.integers(0, 2**70),
    st.integers(0, 10**1000),
    st.integers(2**63 - 3, 2**63 + 3),
    st.integers(1, 3000).map(lambda bits: 2**bits),
)


@given(SIZES)
def test_what_goes_in_comes_out(n: int) -> None:
    assert from_column(to_column(n)) == n


@given(st.lists(SIZES, min_size=1, max_size=20))
def test_sqlite_sorts_and_finds_them_as_integers(numbers: list[int]) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (n)")
    connection.executemany("INSERT INTO t VALUES (?)", [(to_column(n),) for n in numbers])
    assert [from_column(n) for (n,) in connection.execute("SELECT n FROM t ORDER BY n")] == sorted(numbers)
    pivot = numbers[0]
    found = connection.execute("SELECT n FROM t WHERE n <= ? ORDER BY n DESC LIMIT 1", (to_column(pivot),)).fetchone()
    assert from_column(found[0]) == pivot
    connection.close()


def test_what_has_no_column() -> None:
    with pytest.raises(OverflowError):
        to_column(-1)
    with pytest.raises(OverflowError):
        to_column(2 ** (8 * 65536))
