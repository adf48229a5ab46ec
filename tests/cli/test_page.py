from __future__ import annotations

import json
import re
import sys
import time
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from pyerlcoin.cli.page import HORIZON, Page, page_served, pages_within, read_page
from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.errors import WrongUsage
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.timing import LoopTiming
from pyerlcoin.web.board import NEWEST, Board
from pyerlcoin.web.door import SPARE
from pyerlcoin.web.feed import CLIENTS
from pyerlcoin.web.history import POINTS
from pyerlcoin.web.schedule import Schedule
from tests.cli.conftest import serving
from tests.support.cli import Run, refused
from tests.support.games import commit, open_store, play
from tests.support.ports import free_port, fresh_node


@pytest.mark.parametrize(
    ("web", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("8080", "127.0.0.1", 8080),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:8080", "::1", 8080),
        ("board.local:80", "board.local", 80),
    ],
)
def test_a_place_is_a_host_and_a_port(web: str, host: str, port: int) -> None:
    page = read_page(web, None, None)
    assert page is not None
    assert (page.host, page.port) == (host, port)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot be told its zone")
@pytest.mark.parametrize("moment", ["2099-01-15T12:00+01:00", "2099-07-15T12:00+02:00"])
def test_a_moment_is_of_the_offset_that_the_zone_has_then(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Not of today's: one of the two would be an hour off."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        page = read_page("8080", None, moment[:-6])
    time.tzset()
    assert page is not None
    assert page.schedule.ends_at == datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize("web", ["", "localhost", "127.0.0.1:", "127.0.0.1:70000", "::1:8080", "http://x:80", "a b:80"])
def test_anything_else_is_none(web: str) -> None:
    with pytest.raises(WrongUsage, match="HOST:PORT"):
        read_page(web, None, None)


def test_no_page_no_schedule() -> None:
    assert read_page(None, None, None) is None
    with pytest.raises(WrongUsage, match="--web"):
        read_page(None, None, "21:30")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pyerlcoin.web.site", raising=False)
    monkeypatch.delitem(sys.modules, "pyerlcoin.web.metrics", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(WrongUsage, match=r"pip install 'pyerlcoin\[web\]'"):
        read_page("8080", None, None)


@pytest.mark.parametrize(("limit", "pages"), [(None, CLIENTS), (10_240, CLIENTS), (1024, CLIENTS), (256, 64), (100, 1)])
def test_half_of_the_descriptors_stay_with_the_game(limit: int | None, pages: int) -> None:
    assert pages_within(limit, SPARE) == pages


async def test_the_board_follows_the_events_while_it_is_up() -> None:
    events, timing = Events(), LoopTiming()
    ledger = Ledger(b"s", zeros=0, now=timing.now())
    async with page_served(read_page("127.0.0.1:0", None, None), ledger, events, timing) as url:
        assert url is not None
        events.publish(CoinAccepted(timing.now(), 5, "Ann", 1, 1))
        assert (await state_of(url))["game"]["coins"] == 1
    async with page_served(None, ledger, events, timing) as nowhere:
        assert nowhere is None


async def test_a_ledger_that_goes_on_is_shown_with_its_past(tmp_path: Path) -> None:
    timing = LoopTiming()
    began = timing.now() - 600
    with open_store(tmp_path / "x", now=began) as store:
        play(store, began + 1)
    async with AsyncExitStack() as stack:
        store = stack.enter_context(open_store(tmp_path / "x", now=timing.now()))
        page = read_page("127.0.0.1:0", None, None)
        url = await stack.enter_async_context(page_served(page, store.ledger, Events(), timing, file=tmp_path / "x"))
        assert url is not None
        state = await state_of(url)
        assert [(miner["name"], miner["coins"]) for miner in state["miners"]] == store.ledger.leaderboard()
        assert state["history"]["coins"][-1] == store.ledger.worth() > 0
        assert state["history"]["start_seconds"] < began + 60
        assert [(coin["n"], coin["miner"]) for coin in state["newest"]] == [("25", "Cleo"), ("12", "Bob"), ("3", "Ann")]


async def test_a_board_that_comes_back_in_its_frozen_minutes_tells_no_coin_of_theirs(tmp_path: Path) -> None:
    timing = LoopTiming()
    now = timing.now()
    # Both are within what the curves take for one moment, and there are more after it than are told as the newest.
    frozen, before, after = now - HORIZON / POINTS / 2, range(1, 4), range(4, 4 + 2 * NEWEST)
    with open_store(tmp_path / "x", now=frozen - 2, workload=1000) as store:
        facts = [*store.ledger.hello(1, "ann@h", "Ann", frozen - 2).facts]
        for coins, at in ((before, frozen - 1), (after, frozen + 1)):
            facts += [fact for n in coins for fact in store.ledger.coin(1, "ann@h", "Ann", n, at).facts]
        commit(store, facts)
    page = Page("127.0.0.1", 0, Schedule(frozen, now + 3600))
    async with AsyncExitStack() as stack:
        store = stack.enter_context(open_store(tmp_path / "x", now=now))
        assert store.ledger.worth() == len(before) + len(after)
        url = await stack.enter_async_context(page_served(page, store.ledger, Events(), timing, file=tmp_path / "x"))
        assert url is not None
        state = await state_of(url)
        assert state["phase"] == "frozen"
        assert state["game"]["coins"] == state["history"]["coins"][-1] == len(before)
        assert [(miner["name"], miner["coins"]) for miner in state["miners"]] == [("Ann", len(before))]
        assert [coin["n"] for coin in state["newest"]] == ["3", "2", "1"]


async def test_a_board_that_is_gone_is_told_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    events, timing = Events(), LoopTiming()
    told: list[object] = []
    monkeypatch.setattr(Board, "fact", lambda board, fact: told.append(fact))
    async with page_served(read_page("127.0.0.1:0", None, None), Ledger(b"s", now=timing.now()), events, timing):
        events.publish(1)
    events.publish(2)
    assert told == [1]


async def state_of(url: str) -> Any:
    from aiohttp import ClientSession

    async with ClientSession() as session, session.get(f"{url}api/state") as response:
        return await response.json()


def test_a_server_shows_its_board_and_says_where() -> None:
    with serving("--web", f"127.0.0.1:{free_port()}", "--ends-at", "+1h") as served:
        said = served.child.wait_line_sync(r"the board is at (\S+),")
        with urlopen(f"{said[1]}api/state") as response:  # on loopback
            state = json.load(response)
        assert state["phase"] == "open"
        served.child.wait_line_sync(r"the board ends on \w+day \d{4}-\d\d-\d\d at \d\d:\d\d")
        assert state["ends_at_seconds"] > state["at_seconds"]
        served.child.interrupt()
        assert served.child.wait_sync() == 130


def test_a_time_of_day_that_was_taken_as_past_is_said_to_be(own_epmd: int, run: Run) -> None:
    past = f"{datetime.now() - timedelta(hours=11):%H:%M}"
    asked = ("--name", fresh_node(), "--secret", "s", "--ledger", ":memory:", "--seconds", "0.1", "--quiet")
    code, out, err = run("serve", *asked, "--web", f"127.0.0.1:{free_port()}", "--ends-at", past)
    assert (code, err) == (0, "")
    assert re.search(rf"the board ended on \w+day \S+ at {past} and is final; for a time to come add its day", out)


def test_a_taken_port_ends_it_before_it_begins(run: Run, own_epmd: int) -> None:
    with serving("--web", f"127.0.0.1:{free_port()}") as served:
        said = served.child.wait_line_sync(r"the board is at http://(\S+)/,")
        answer = run("serve", "--name", fresh_node(), "--secret", "s", "--web", said[1])
        refused(answer, 2, "cannot listen on")


def test_a_host_that_can_be_none(run: Run, own_epmd: int) -> None:
    answer = run("serve", "--name", fresh_node(), "--secret", "s", "--ledger", ":memory:", "--web", "a..b:80")
    refused(answer, 2, "the page cannot listen on a..b:80 (no such host)")
