"""docs/benchmarks.md has a place for what each measuring program writes, and scripts/bench can start each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.document import PAGE, write

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(
    path.stem for path in (ROOT / "tests" / "bench").glob("*.py") if "--write" in path.read_text(encoding="utf-8")
)
SCRIPT = (ROOT / "scripts" / "bench").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "contenders"])
def test_each_program_has_its_section_and_its_option(name: str, tmp_path: Path) -> None:
    copy = tmp_path / PAGE.name
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write(name, "measured", copy)
    before, after = PAGE.read_text(encoding="utf-8"), copy.read_text(encoding="utf-8")
    assert f"<!-- {name}: written by scripts/bench -->\nmeasured\n<!-- /{name} -->" in after
    assert re.sub(rf"<!-- {name}:.*<!-- /{name} -->", "", before, flags=re.DOTALL) == re.sub(
        rf"<!-- {name}:.*<!-- /{name} -->", "", after, flags=re.DOTALL
    ), "the words around it stay"
    assert name == "search" or f"--{name}" in SCRIPT


def test_a_page_without_the_section_is_left_alone(tmp_path: Path) -> None:
    copy = tmp_path / "other.md"
    copy.write_text("words", encoding="utf-8")
    with pytest.raises(ValueError, match="has no <!-- search"):
        write("search", "measured", copy)
    assert copy.read_text(encoding="utf-8") == "words"
