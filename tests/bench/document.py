"""The page of docs/ that the measuring programs write: each its own section, between two marks."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PAGE", "write"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def write(name: str, section: str, page: Path = PAGE) -> None:
    """Replace the section `name` of the page, whose other words are written by hand.

    The page has to hold the two marks already. Raises ValueError where it does not: text that is measured for minutes
    must not fall into a gap.
    """
    begin, end = f"<!-- {name}: written by scripts/bench -->", f"<!-- /{name} -->"
    text = page.read_text(encoding="utf-8")
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"{page.name} has no {begin} … {end}")
    page.write_text(f"{before}{begin}\n{section}\n{end}{after}", encoding="utf-8")
