from __future__ import annotations

import re

from tests.support.cli import Run
from tests.support.process import pyerlcoin


def test_it_plays_and_ends_by_itself_with_a_board(run: Run) -> None:
    code, out, err = run("demo", "--seconds", "3", "--quiet")
    assert (code, err) == (0, "")
    head, _, board = out.partition("the board after 3 s")
    assert "'Ada' registered" in head
    assert "'Grace' registered" in head
    # The integer 1 is a coin of this secret, so there is one at once.
    assert re.search(r"coin 1 of '(Ada|Grace)', 1 of theirs, 1 in the wallet", head)
    rows = [line.split() for line in board.splitlines()[1:]]
    assert {row[2] for row in rows} == {"Ada", "Grace"}
    assert sum(int(row[1]) for row in rows) >= 1


def test_ctrl_c_ends_it_with_130() -> None:
    with pyerlcoin("demo", "--seconds", "600") as child:
        child.wait_line_sync("'Grace' registered")
        child.interrupt()
        assert child.wait_sync() == 130
        assert child.err == []
