"""docs/protocol.md keeps to the code: what it names is there, and what there is it names."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from pyerlcoin.beam.dist import HANDSHAKE_FRAME_LIMIT, OFFERED, DistributionFlags, epmd, epmd_extra, epmd_server
from pyerlcoin.beam.dist.control import known_operations
from pyerlcoin.beam.etf import Limits, tags
from pyerlcoin.beam.node import epmd_addresses
from pyerlcoin.beam.node.limits import NodeLimits
from tests.support.control import MESSAGE_TYPES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows(header: str) -> Iterator[list[str]]:
    """The cells of the tables that have this header, row by row."""
    for table in re.findall(rf"^{re.escape(header)}\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        for line in table.splitlines():
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@functools.cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file below tests/."""
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("named", sorted(set(_TEST.findall(PAGE))), ids="::".join)
def test_every_named_test_exists(named: tuple[str, str]) -> None:
    path, name = named
    assert name in names_in(path)


def test_every_line_names_its_test() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    claims = [line for line in lines if not re.fullmatch(r"\|[-|]+\|", line) and not line.endswith("| test |")]
    assert len(claims) > 130
    assert [line for line in claims if not _TEST.search(line)] == []


def test_every_control_message_is_there() -> None:
    told = {int(number): name for number, name, *_ in rows("| number | message | from a peer | test |")}
    declared = {kind.op: kind.name for kind in MESSAGE_TYPES}
    assert set(declared) == known_operations()
    # The two that no node of today sends have a line as well.
    assert told == declared | {4: "UNLINK", 5: "NODE_LINK"}


def test_every_tag_is_there() -> None:
    told: dict[str, int] = {}
    for names, numbers, *_ in rows("| tag | number | | test |"):
        told |= zip(names.split(", "), map(int, numbers.split(", ")), strict=True)
    assert told == {name: value for name, value in vars(tags).items() if name.isupper() and name != "VERSION"}


def test_every_flag_is_there() -> None:
    told: dict[str, str] = {}
    for names, offered, *_ in rows("| flag | offered | why | test |"):
        told |= dict.fromkeys(names.split(", "), offered)
    flags = {name.removeprefix("DFLAG_"): flag for name, flag in DistributionFlags.__members__.items()}
    del told["bits without a name"]
    assert set(told) == set(flags)
    assert {name for name, offered in told.items() if offered == "yes"} == {
        name for name, flag in flags.items() if flag & OFFERED
    }
    assert f"0x{OFFERED:X}" in PAGE


def test_the_limits_are_those_of_the_code() -> None:
    told = {name: int(value.replace(",", "")) for name, value, *_ in rows("| limit | default | of | test |")}
    node = {f"`NodeLimits.{name}`": value for name, value in asdict(NodeLimits()).items() if name != "terms"}
    terms = {f"`Limits.{name}`": value for name, value in asdict(Limits()).items()}
    assert told == node | terms | {
        "`HANDSHAKE_FRAME_LIMIT`": HANDSHAKE_FRAME_LIMIT,
        "`epmd.REPLY_LIMIT`": epmd.REPLY_LIMIT,
        "`epmd_server.REQUEST_LIMIT`": epmd_server.REQUEST_LIMIT,
        "`epmd_server.MOST_NAMES`": epmd_server.MOST_NAMES,
        "`epmd_extra.MOST_ADDRESSES`": epmd_extra.MOST_ADDRESSES,
        "`epmd_addresses.MOST_ADDRESSES`": epmd_addresses.MOST_ADDRESSES,
    }
