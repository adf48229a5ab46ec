from __future__ import annotations

import subprocess
import sys

import pytest

from pyerlcoin.cli.descriptors import ENOUGH

resource = pytest.importorskip("resource")

# In a process of its own: a limit that was lowered cannot be raised again.
PROGRAM = """
import resource, sys
from pyerlcoin.cli.descriptors import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, tuple(map(int, sys.argv[1:])))
print(raise_limit(), raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "wanted"), [(64, 128, 128), (128, 128, 128), (64, ENOUGH + 1, ENOUGH)])
def test_what_the_system_grants_is_taken_up_to_enough(soft: int, hard: int, wanted: int) -> None:
    if 0 <= resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip("the system grants fewer here")
    command = [sys.executable, "-c", PROGRAM, str(soft), str(hard)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [int(word) for word in done.stdout.split()] == [wanted, wanted, wanted, hard]
