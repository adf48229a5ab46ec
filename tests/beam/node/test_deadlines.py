from __future__ import annotations

import asyncio

import pytest

from pyerlcoin.beam.node.deadlines import Deadlines
from tests.support.clock import UNIT


class _Call:
    def __init__(self, expired: list[_Call]) -> None:
        self.over = False
        self._expired = expired

    def expire(self) -> None:
        self._expired.append(self)


@pytest.fixture
def expired() -> list[_Call]:
    return []


async def test_what_is_not_over_expires_in_the_order_of_its_time(expired: list[_Call]) -> None:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    now = loop.time()
    late, over, early, second = (_Call(expired) for _ in range(4))
    for when, call in ((3, late), (2, over), (1, early), (1, second)):
        deadlines.add(now + when * UNIT / 100, call)
    over.over = True
    deadlines.ended()
    done = asyncio.Event()
    last = _Call(expired)
    last.expire = done.set  # type: ignore[method-assign]
    deadlines.add(now + 4 * UNIT / 100, last)
    await done.wait()
    assert expired == [early, second, late]
    assert len(deadlines) == 0


async def test_those_that_are_over_do_not_pile_up(expired: list[_Call]) -> None:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    waiting = [_Call(expired) for _ in range(10)]
    for call in waiting:
        deadlines.add(loop.time() + 1_000 * UNIT, call)
    most = 0
    for _ in range(1_000):
        call = _Call(expired)
        deadlines.add(loop.time() + 1_000 * UNIT, call)
        call.over = True
        deadlines.ended()
        most = max(most, len(deadlines))
    assert most < 100
    for call in waiting:
        call.over = True
        deadlines.ended()
    deadlines.close()
    assert len(deadlines) == 0
    assert expired == []


async def test_one_that_expires_counts_as_ended_once(expired: list[_Call]) -> None:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    for _ in range(99):
        deadlines.add(loop.time(), _Call(expired))
    done = asyncio.Event()
    last = _Call(expired)
    last.expire = done.set  # type: ignore[method-assign]
    deadlines.add(loop.time(), last)
    await done.wait()
    assert len(expired) == 99
    for call in (*expired, last):
        call.over = True
        deadlines.ended()
    waiting = _Call(expired)
    deadlines.add(loop.time() + 1_000 * UNIT, waiting)
    assert len(deadlines) == 1
    deadlines.close()
