"""README.md shows the code that is there, and the answer that a server gives."""

from __future__ import annotations

from pathlib import Path

from pyerlcoin.coin.sizing import FIRST_SIZE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_node_for_anybody_is_the_example() -> None:
    assert (ROOT / "examples/python/greeter.py").read_text(encoding="utf-8") in PAGE


def test_the_first_unit_is_the_one_that_its_server_hands_out() -> None:
    serve = next(line for line in PAGE.splitlines() if line.startswith("pyerlcoin serve"))
    assert serve.endswith(" --workload auto")
    assert f'# => {{:ok, "Serun+u", {{1, {FIRST_SIZE}}}}}' in PAGE
