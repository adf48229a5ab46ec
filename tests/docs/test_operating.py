"""docs/operating.md names every option, exit code and column that there is, and no other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from pyerlcoin.cli.app import make_app
from pyerlcoin.cli.export import COLUMNS
from pyerlcoin.coin.ledger import GRACE
from pyerlcoin.coin.limits import Limits
from pyerlcoin.errors import ExitCode
from pyerlcoin.roles.session import PATIENCE
from pyerlcoin.search.bench import Machine, Result

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def parameters_of(command: str) -> list[Any]:
    """Click's own, whichever click that is."""
    group = typer.main.get_command(make_app([command]))
    parameters: list[Any] = group.commands[command].params  # type: ignore[attr-defined]  # a group, by the app
    return parameters


@pytest.mark.parametrize("command", ["serve", "mine"])
def test_every_option_is_there(command: str) -> None:
    options = {
        name for one in parameters_of(command) for name in (*one.opts, *one.secondary_opts) if name.startswith("--")
    }
    told = set(re.findall(r"`(--[a-z-]+)`", section(f"Options of `{command}`")))
    assert told == options - {"--help"}


def test_every_exit_code_is_there() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)}
    assert codes == {code.value for code in ExitCode}


def test_bench_is_told_as_it_is() -> None:
    told = section("How fast a machine is")
    keys = {field.name for kind in (Machine, Result) for field in dataclasses.fields(kind)}
    keys |= {"pyerlcoin", "hashes_per_second_per_core", "correct", "machine", "engines", "unavailable", "reason"}
    assert set(re.findall(r"`([a-z_]+)`", told)) == keys
    options = {name for one in parameters_of("bench") for name in one.opts}
    assert options - {"--help"} == set(re.findall(r"`(--[a-z]+)", told))


def test_every_column_is_there() -> None:
    table = section("The ledger").partition("| `record` |")[2]
    assert {column for column in COLUMNS if f"`{column}`" in table} == {*COLUMNS} - {"record"}


def test_the_numbers_are_those_of_the_code() -> None:
    limits = Limits()
    assert f"For {GRACE:g} seconds it waits" in PAGE
    assert f"{limits.names_per_node:,} for each node and {limits.names:,} in all" in PAGE
    assert f"1 to {limits.name_bytes} bytes" in PAGE
    assert f"at most {limits.digits} digits" in PAGE
    assert f"a taken name is tried for {PATIENCE:g} seconds" in PAGE
