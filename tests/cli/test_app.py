"""Which commands there are, and what each of them has to import."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pyerlcoin.cli.app import COMMANDS, make_app


def test_help_lists_every_command_in_order() -> None:
    text = CliRunner().invoke(make_app(["--help"]), ["--help"]).output
    listed = [line.split()[0] for line in text.split("Commands:")[1].splitlines() if line.strip()]
    assert listed == list(COMMANDS)


def test_no_description_is_cut_on_eighty_columns() -> None:
    assert "..." not in CliRunner().invoke(make_app(["--help"]), ["--help"]).output.split("Commands:")[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_own_help(name: str) -> None:
    result = CliRunner().invoke(make_app([name]), [name, "--help"])
    assert result.exit_code == 0
    assert f"Usage: pyerlcoin {name}" in result.output


def test_searching_loads_neither_node_nor_store_nor_page() -> None:
    program = (
        "import sys; from pyerlcoin.cli.edge import main; main(['search', '--secret', 'Serun+u', '1', '1']);"
        "print(*(name for name in sys.modules if name.startswith('pyerlcoin.')), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("1  000000")
    loaded = run.stderr.splitlines()[-1].split()
    assert "pyerlcoin.search.pool" in loaded
    assert not [name for name in loaded if name.split(".")[1] in ("roles", "runtimes", "store", "web")]
    assert [name for name in loaded if name.startswith("pyerlcoin.beam.")] == ["pyerlcoin.beam.errors"]


def test_the_version_is_said_without_loading_a_command() -> None:
    program = (
        "import sys; from pyerlcoin.cli.edge import main; code = main(['--version']);"
        "print(code, *(name for name in sys.modules if name.startswith('pyerlcoin.')), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("pyerlcoin ")
    code, *loaded = run.stderr.split()
    assert code == "0"
    assert not {f"pyerlcoin.cli.{module}" for module in COMMANDS.values()} & set(loaded)
