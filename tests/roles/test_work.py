from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles import work as work_module
from pyerlcoin.roles.work import BACKLOG, SLICE, Work
from tests.support.hand_search import HandSearch, HandSearches
from tests.support.manual_timing import until


async def test_a_search_that_was_interrupted_is_not_whole() -> None:
    searches, work = HandSearches(held=True), Work(Unit(1, 9), b"s")
    task = asyncio.create_task(work.search(searches, 1, lambda n: None))
    await until(lambda: searches.running)
    work.interrupt("why")
    assert await task is False
    assert searches.all[0].future.cancelled()


async def test_a_task_that_is_cancelled_ends_as_cancelled_even_if_interrupted_too() -> None:
    searches, work = HandSearches(held=True), Work(Unit(1, 9), b"s")
    task = asyncio.create_task(work.search(searches, 1, lambda n: None))
    await until(lambda: searches.running)
    task.cancel()
    work.interrupt("why")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert searches.all[0].future.cancelled()


async def test_work_that_was_interrupted_before_is_not_searched() -> None:
    searches, work = HandSearches(), Work(Unit(1, 9), b"s")
    work.interrupt("why")
    assert await work.search(searches, 1, lambda n: None) is False
    assert searches.all == []


async def test_coins_are_told_in_the_loop_whichever_thread_found_them() -> None:
    searches, work = HandSearches(held=True), Work(Unit(1, 9), b"s")
    told: list[tuple[int, int]] = []
    task = asyncio.create_task(work.search(searches, 1, lambda n: told.append((n, threading.get_ident()))))
    await until(lambda: searches.running)
    thread = threading.Thread(target=searches.all[0].finish, args=([4, 7],))
    thread.start()
    assert await task is True
    thread.join()
    assert {n for n, _ in told} == {4, 7}
    assert {ident for _, ident in told} == {threading.get_ident()}


async def begun(found: Callable[[int], None]) -> tuple[HandSearch, Work, asyncio.Task[bool]]:
    """A search that is held, of a work, in a task."""
    searches, work = HandSearches(held=True), Work(Unit(1, 9), b"s")
    task = asyncio.create_task(work.search(searches, 1, found))
    await until(lambda: searches.running)
    return searches.all[0], work, task


async def test_coins_wait_for_others_to_be_told_with_but_not_beyond_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "TOGETHER", 3600.0)
    told: list[int] = []
    search, work, task = await begun(told.append)
    search.find(4)
    search.find(5)
    await asyncio.sleep(0)
    assert told == []
    work.interrupt("why")
    assert await task is False
    assert told == [4, 5], "what was found by then is told"


async def test_a_coin_that_comes_alone_wakes_the_loop_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "TOGETHER", 0.0)
    told: list[int] = []
    search, _, task = await begun(told.append)
    for _ in range(5):  # the loop looks, finds nothing, and looks no more by itself
        await asyncio.sleep(0)
    monkeypatch.setattr(work_module, "TOGETHER", 3600.0)
    threading.Thread(target=search.find, args=(4,)).start()
    await until(lambda: told)
    assert told == [4]
    search.finish([4, 7, 8])
    assert await task is True
    assert sorted(set(told)) == [4, 7, 8]


async def most_told_in_a_turn(told: list[int], count: int) -> int:
    """Let the loop go round until `count` coins are told: how many there were in one of its turns, at most."""
    most = before = len(told)

    def all_told() -> bool:
        nonlocal most, before
        most, before = max(most, len(told) - before), len(told)
        return len(told) >= count

    await until(all_told)
    return most


async def test_of_very_many_coins_some_are_told_and_the_loop_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "TOGETHER", 0.0)
    told: list[int] = []
    search, work, task = await begun(told.append)
    for n in range(10_000):
        search.find(n)
    assert await most_told_in_a_turn(told, 10_000) <= SLICE
    work.interrupt("why")
    assert await task is False


@pytest.mark.parametrize("whole", [True, False])
async def test_at_the_end_of_a_search_the_loop_has_its_turns_as_well(
    monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    monkeypatch.setattr(work_module, "TOGETHER", 3600.0)
    told: list[int] = []
    search, work, task = await begun(told.append)
    if whole:
        search.finish(list(range(10_000)))
    else:
        for n in range(10_000):
            search.find(n)
        work.interrupt("why")
    assert await most_told_in_a_turn(told, 10_000) <= SLICE
    assert await task is whole
    assert told == list(range(10_000))


async def test_a_search_is_to_wait_while_very_many_coins_are_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "TOGETHER", 3600.0)
    told: list[int] = []
    search, work, task = await begun(told.append)
    assert search.full is not None
    for n in range(BACKLOG):
        assert not search.full()
        search.find(n)
    assert search.full()
    work.interrupt("why")
    assert await task is False
    assert not search.full()
    work.untold = dict.fromkeys(told)
    assert search.full(), "those that wait for their answers count as well"


async def test_coins_that_are_dropped_wait_for_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "TOGETHER", 3600.0)
    search, work, task = await begun(lambda n: None)
    assert search.full is not None
    work.untold = dict.fromkeys(range(BACKLOG))
    assert search.full()
    work.interrupt("why", drop=True)
    assert not search.full()
    assert await task is False


async def test_what_is_settled_is_not_counted_twice() -> None:
    searches, work = HandSearches(), Work(Unit(1, 9), b"s")
    await work.search(searches, 1, lambda n: None)
    assert work.unsettled == 9
    assert work.settle() == 9
    assert (work.unsettled, work.done_integers) == (0, 9)
