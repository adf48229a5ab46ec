"""The Python node that has nothing to do with coins, as its own text says to use it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.beam import Beam
from tests.support.clock import UNIT
from tests.support.ports import fresh_node
from tests.support.process import Child

pytestmark = pytest.mark.beam

ROOT = Path(__file__).resolve().parents[2]
GREETER = ROOT / "examples" / "python/greeter.py"


async def test_a_greeter_answers_genserver_calls(beam: Beam) -> None:
    name = fresh_node("greeter")
    env = {"ERL_EPMD_PORT": str(beam.epmd_port), "PYTHONPATH": str(ROOT), "HOME": os.environ.get("HOME", "/")}
    async with Child([sys.executable, str(GREETER), name, beam.cookie], env=env, label="greeter") as greeter:
        await greeter.wait_line(f"^{name} is up$", timeout=60 * UNIT)
        assert await beam.eval(f'GenServer.call({{:greeter, :"{name}"}}, "Ada")') == '"Hello, Ada!"'
        assert await beam.eval(f'GenServer.call({{:greeter, :"{name}"}}, :hi)') == "{:error, :bad_request}"
        assert await beam.eval(f'GenServer.call({{:greeter, :"{name}"}}, <<255>>)') == '"Hello, \ufffd!"'
        greeter.interrupt()
        assert await greeter.wait() == 0
        assert greeter.err == []


def test_it_is_short() -> None:
    lines = [line for line in GREETER.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 20
