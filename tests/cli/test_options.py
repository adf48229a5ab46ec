from __future__ import annotations

import pytest

from pyerlcoin.cli import options
from pyerlcoin.errors import WrongUsage


@pytest.mark.parametrize(("text", "workload"), [("1", 1), ("1000000", 10**6), ("auto", "auto")])
def test_workloads(text: str, workload: object) -> None:
    assert options.read_workload(text) == workload


@pytest.mark.parametrize("text", ["", "0", "-1", "1e6", "AUTO", "٣", "1" * 5000])
def test_what_is_no_workload(text: str) -> None:
    with pytest.raises(WrongUsage, match="is no workload"):
        options.read_workload(text)
