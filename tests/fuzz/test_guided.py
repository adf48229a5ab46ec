"""A minute of `scripts/fuzz`, and that it would tell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.guided import NAMES
from tests.support.fuzzing import PARSERS

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the fuzzer is built for Linux only"),
]


def _fuzz(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run([ROOT / "scripts/fuzz", *arguments], capture_output=True, text=True, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


def test_it_knows_all_parsers() -> None:
    assert set(NAMES) == set(PARSERS)


def test_a_minute_finds_nothing(tmp_path: Path) -> None:
    status, said = _fuzz("--seconds", "15", "--findings", tmp_path)
    assert status == 0, said
    counts = [int(count) for count in re.findall(r"^\w+: (\d+) inputs, no findings$", said, re.MULTILINE)]
    assert len(counts) == len(NAMES) + 1
    assert all(count > len(PARSERS[name].seeds) for name, count in zip(NAMES, counts, strict=False))


def test_it_says_what_it_found(tmp_path: Path) -> None:
    # The same in an interpreter whose decoder is broken from the start.
    (tmp_path / "sitecustomize.py").write_text(
        "import pyerlcoin.beam.etf as etf\n"
        "def broken(*_):\n"
        "    raise KeyError('broken on purpose')\n"
        "etf.binary_to_term = broken\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", "codec", "--seconds", "60", "--findings", tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert re.search(r"^codec: \d+ inputs, 1 finding$", done.stdout, re.MULTILINE)
    assert "broken on purpose" in done.stdout
    assert list(tmp_path.glob("codec-crash-*"))
