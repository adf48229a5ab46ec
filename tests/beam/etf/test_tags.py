"""The tag table."""

from __future__ import annotations

from pyerlcoin.beam.etf import tags
from pyerlcoin.beam.etf.scalars import READERS, REFUSED


def test_no_two_tags_share_a_byte() -> None:
    values = [value for name, value in vars(tags).items() if name.isupper()]
    assert len(set(values)) == len(values)


def test_no_tag_is_both_read_and_refused() -> None:
    assert not READERS.keys() & REFUSED.keys()
