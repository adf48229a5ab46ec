"""No example without a test: each file below examples/ is named in one of the files beside this one."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [
    path for path in sorted((ROOT / "examples").rglob("*")) if path.is_file() and "__pycache__" not in path.parts
]
SOURCES = [*Path(__file__).parent.glob("test_*.py"), ROOT / "tests/support/game.py"]


@pytest.mark.parametrize("example", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in EXAMPLES])
def test_is_run_by_a_test(example: Path) -> None:
    name = str(example.relative_to(ROOT / "examples"))
    assert any(name in source.read_text(encoding="utf-8") for source in SOURCES), f"no test runs examples/{name}"
