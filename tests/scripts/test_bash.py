"""The scripts run on every bash that a system brings, also on that of macOS, which is 3.2."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "scripts").iterdir())

LATER = re.compile(r"\b(mapfile|readarray|declare -A|local -n|wait -n)\b|&>>|\|&|\$\{\w+(,,|\^\^|@\w)\}")
"""What came after 3.2."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_nothing_that_came_after_it_is_used(script: Path) -> None:
    code = re.sub(r"^\s*#.*$", "", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert LATER.search(code) is None
    # There an array without an element is unset, so that all of it is an error under set -u.
    bare = re.sub(r'\$\{(\w+)\[@\]\+"\$\{\1\[@\]\}"\}', "", code)
    named = set(re.findall(r'"\$\{(\w+)\[@\]', bare))
    assert named <= set(re.findall(r"\b(\w+)=\([^)\s]", code)), "an array that may be empty"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_it_can_be_read(script: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    subprocess.run([bash, "-n", script], check=True)
