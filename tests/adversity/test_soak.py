"""A few cycles of what scripts/soak does for an hour; and that it would tell."""

from __future__ import annotations

import dataclasses
import gc

import pytest

from tests.adversity.levels import Keeping, Levels
from tests.adversity.soak import soak
from tests.support.beam import Release
from tests.support.clock import UNIT


async def test_nothing_is_lost_and_nothing_grows(beam_release: Release) -> None:
    held = len(gc.get_objects())
    result = await soak(beam_release, 3, talk=1.0, idle=2.6 * UNIT, tick_time=max(round(2 * UNIT), 1))
    assert result.wrong == []
    assert set(result.cuts) == {"cut by the proxy", "Node.disconnect", "cut while idle"}
    assert result.ours["answered"] > 0
    assert result.theirs["answered"] > 0
    assert result.tick_bytes > 0
    # A look takes no longer for what was there before: the connection would not live through it.
    assert max(look.objects for look in result.levels.looks) < held / 2


@pytest.mark.long
async def test_two_minutes(beam_release: Release) -> None:
    result = await soak(beam_release, 6, talk=10.0, idle=10.0, tick_time=4)
    assert result.wrong == []
    assert result.cuts.total() == 6


async def test_what_would_show_nothing_is_refused() -> None:
    for cycles, idle in ((2, 100.0), (3, 2.5)):
        with pytest.raises(ValueError, match="too short"):
            await soak(Release("none"), cycles, talk=1.0, idle=idle, tick_time=2)


LEVEL = Keeping(**dict.fromkeys((field.name for field in dataclasses.fields(Keeping)), 10))


@pytest.mark.parametrize("what", [field.name for field in dataclasses.fields(Keeping)])
def test_whatever_grows_is_named(what: str) -> None:
    levels = Levels(warm_up=2)
    for look in range(11):
        levels.add(dataclasses.replace(LEVEL, **{what: 10 + look * 1_000_000}))
    named = [line for line in levels.grown() if not line.startswith("  ")]
    assert [line.partition(" grew from ")[0] for line in named] == [what]


def test_what_comes_and_goes_does_not_grow() -> None:
    levels = Levels(warm_up=1)
    for look in range(10):
        levels.add(dataclasses.replace(LEVEL, heap=10 + (look % 2) * 100_000_000, tasks=10 + look % 2))
    assert levels.grown() == []


def test_one_look_is_none() -> None:
    levels = Levels(warm_up=1)
    levels.add(LEVEL)
    levels.add(LEVEL)
    assert levels.grown() == ["there were too few quiet moments to compare"]
