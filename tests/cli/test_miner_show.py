from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from pyerlcoin.cli.miner_show import show_miner
from pyerlcoin.cli.view import Form
from pyerlcoin.roles.cluster import Address
from pyerlcoin.roles.events import Events, Joined, Retrying, StillWaiting, Stopped
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.miner import MinerOptions, MinerRole, MinerView
from tests.support.manual_timing import ManualTiming

OVER = Stopped(0, 0, 0, 0, 0.0, "why")


@dataclass
class Role:
    """A miner that stands as it is told to."""

    now: MinerView = field(default_factory=lambda: MinerView(False, 0, 0, 0, 0, None, 0.0, ()))

    def view(self) -> MinerView:
        return self.now


class Shown:
    """What a miner's log says."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *, joined: bool = False, stopped: bool = False) -> None:
        self._capsys = capsys
        self._events = Events()
        role = Role(MinerView(joined, 1, 1, 1, 0, None, 0.0, (), stopped=stopped))
        options = MinerOptions("Ada", Address(SERVER_NAME, "s@h"))
        self._show = show_miner(cast(MinerRole, role), options, self._events, ManualTiming(), Form.LINES)

    def after(self, *events: object, status: bool = False) -> str:
        for event in events:
            self._events.publish(event)
        if status:
            self._show.status()
        return self._capsys.readouterr().out


def test_the_status_says_what_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    said = Shown(capsys).after(Retrying(6, 1.0, "nobody is there"), status=True)
    assert "1 integer in 1 unit, 1 coin, not connected: attempt 6 in 1 s: nobody is there\n" in said
    said = Shown(capsys, joined=True).after(StillWaiting(0, "done", 5.0), status=True)
    assert "1 coin, the server has not answered done yet\n" in said


def test_who_failed_before_it_joined_has_no_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert Shown(capsys).after(OVER) == ""
    assert "why: 0 coins" in Shown(capsys, stopped=True).after(OVER), "it was told to"
    assert "why: 0 coins" in Shown(capsys).after(Joined("Ada", "s@h", False), OVER)
