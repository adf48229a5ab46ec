from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from pyerlcoin.errors import WrongUsage
from pyerlcoin.web.assets import load
from pyerlcoin.web.schedule import Schedule
from pyerlcoin.web.site import Site
from tests.support.board import HOSTILE, served
from tests.support.clock import UNIT
from tests.support.evening import START, Evening


@pytest.fixture
def evening() -> Evening:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(30)
    return evening


@pytest.fixture
async def site(evening: Evening) -> AsyncIterator[Site]:
    async with served(evening) as site:
        yield site


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=30 * UNIT)) as session:
        yield session


async def next_event(response: Any) -> tuple[str, Any]:
    """The next event that carries something."""
    kind = ""
    async for line in response.content:
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            kind = text.removeprefix("event: ")
        elif text.startswith("data: "):
            return kind, json.loads(text.removeprefix("data: "))
    raise EOFError


async def state_where(response: Any, wanted: Any) -> Any:
    """The first state that is as wanted."""
    while True:
        kind, value = await next_event(response)
        if kind == "state" and wanted(value):
            return value


async def test_the_page_and_all_it_asks_for_are_served(site: Site, http: ClientSession) -> None:
    async with http.get(site.url) as response:
        page = await response.text()
        assert response.content_type == "text/html"
    for name, asset in load().items():
        if name == "index.html":
            continue
        assert f"static/{name}" in page or name == "replay.js"
        async with http.get(f"{site.url}static/{name}") as response:
            assert response.status == 200
            assert response.content_type == asset.media_type
            assert await response.read() == asset.body


async def test_what_is_known_is_not_sent_again(site: Site, http: ClientSession) -> None:
    async with http.get(site.url) as first:
        etag = first.headers["ETag"]
    async with http.get(site.url, headers={"If-None-Match": etag}) as again:
        assert again.status == 304
        assert await again.read() == b""


@pytest.mark.parametrize("path", ["", "static/board.css", "api/state", "api/events", "metrics", "healthz", "nothing"])
async def test_every_answer_carries_the_policies(site: Site, http: ClientSession, path: str) -> None:
    async with http.get(site.url + path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["", "api/state", "api/events", "metrics", "healthz"])
async def test_nothing_can_be_changed(site: Site, http: ClientSession, method: str, path: str) -> None:
    async with http.request(method, site.url + path) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", ["", "static/board.css", "api/state", "api/events", "metrics", "healthz"])
async def test_a_head_ends(site: Site, http: ClientSession, path: str) -> None:
    async with http.head(site.url + path) as response:
        assert response.status == 200
        assert await response.read() == b""


@pytest.mark.parametrize("path", ["", "api/state", "api/events", "metrics", "healthz", "static/board.css"])
async def test_another_name_for_us_is_not_believed(site: Site, http: ClientSession, path: str) -> None:
    async with http.get(site.url + path, headers={"Host": "evil.example"}) as response:
        assert response.status == 421
        assert "Alice" not in await response.text()
    async with http.get(site.url + "healthz", headers={"Host": "board.example:8080"}) as response:
        assert response.status == 200


@pytest.mark.parametrize("name", ["..%2fsite.py", "..%2f..%2fweb%2fsite.py", "site.py", "index.html", "%00", "", "."])
async def test_no_request_names_a_file_of_the_machine(site: Site, http: ClientSession, name: str) -> None:
    async with http.get(f"{site.url}static/{name}") as response:
        assert response.status in {400, 404}


async def test_the_state_is_the_boards(site: Site, http: ClientSession, evening: Evening) -> None:
    async with http.get(site.url + "api/state") as response:
        state = await response.json()
    history = state.pop("history")
    assert state == json.loads(json.dumps(evening.board.state(evening.now)))
    assert history["coins"][-1] == state["game"]["coins"]


@pytest.mark.parametrize("path", ["api/state", "metrics"])
async def test_asked_in_a_loop_the_ledger_is_asked_once_in_a_while(
    http: ClientSession, evening: Evening, path: str
) -> None:
    asked: list[float] = []

    def progress(now: float) -> Any:
        asked.append(now)
        return evening.ledger.progress(now)

    site = Site(evening.board, progress=progress, clock=lambda: evening.now, interval=1000.0)
    await site.start()
    try:
        answers = set[bytes]()
        for _ in range(5):
            evening.run(1)
            async with http.get(site.url + path) as response:
                answers.add(await response.read())
        assert len(answers) == 1
        assert len(asked) == 2, "the pulse, and the first answer"
        evening.run(1000)
        async with http.get(site.url + path) as response:
            assert await response.read() not in answers
        assert len(asked) == 3
    finally:
        await site.stop()


async def test_hostile_names_travel_as_data(http: ClientSession) -> None:
    evening = Evening(dict.fromkeys(HOSTILE, 100.0))
    evening.run(20)
    async with served(evening) as site:
        async with http.get(site.url + "api/state") as response:
            raw = await response.read()
            assert raw.isascii()
            assert {miner["name"] for miner in json.loads(raw)["miners"]} == set(HOSTILE)
        async with http.get(site.url + "api/events") as response:
            state = await state_where(response, lambda _: True)
            assert {miner["name"] for miner in state["miners"]} == set(HOSTILE)


async def test_the_events_follow_the_game(site: Site, http: ClientSession, evening: Evening) -> None:
    async with http.get(site.url + "api/events") as response:
        assert response.content_type == "text/event-stream"
        first = await state_where(response, lambda _: True)
        evening.run(30)
        later = await state_where(response, lambda state: state["game"]["coins"] > first["game"]["coins"])
        assert later["at_seconds"] == evening.now
        kinds = {(await next_event(response))[0] for _ in range(12)}
        assert kinds == {"state", "history"}


async def test_a_page_that_opens_after_a_lull_starts_with_the_present(http: ClientSession, evening: Evening) -> None:
    ticked = asyncio.Event()

    def progress(now: float) -> Any:
        if served_here.pages == 0:
            ticked.set()
        return evening.ledger.progress(now)

    served_here = Site(evening.board, progress=progress, clock=lambda: evening.now, interval=0.01)
    await served_here.start()
    try:
        async with http.get(served_here.url + "api/events") as response:
            await state_where(response, lambda _: True)
        for _ in range(2):  # the tick that was under way when the page left, and one that saw nobody
            ticked.clear()
            await ticked.wait()
        evening.run(30)
        async with http.get(served_here.url + "api/events") as response:
            assert (await state_where(response, lambda _: True))["at_seconds"] == evening.now
    finally:
        await served_here.stop()


async def test_a_closed_page_makes_room(http: ClientSession, evening: Evening) -> None:
    async with served(evening, clients=1) as site:
        async with http.get(site.url + "api/events") as first:
            await next_event(first)
            async with http.get(site.url + "api/events") as second:
                assert second.status == 503
                assert "Retry-After" in second.headers
        async with asyncio.timeout(20 * UNIT):
            status = 503
            while status == 503:
                async with http.get(site.url + "api/events") as third:
                    status = third.status
        assert status == 200


async def test_a_hundred_pages_and_one_that_never_reads(evening: Evening, http: ClientSession) -> None:
    async with served(evening, interval=0.02) as site:
        host, port = site.url.removeprefix("http://").rstrip("/").split(":")
        with socket.create_connection((host, int(port))) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            pages = [await http.get(site.url + "api/events") for _ in range(20)]
            sessions = [ClientSession(timeout=ClientTimeout(total=60 * UNIT)) for _ in range(4)]
            try:
                for session in sessions:
                    pages += [await session.get(site.url + "api/events") for _ in range(20)]
                evening.run(60)
                worth = evening.ledger.worth()
                states = await asyncio.gather(
                    *(state_where(page, lambda state: state["game"]["coins"] == worth) for page in pages)
                )
                assert len(states) == 100
                assert site.pages == 101
            finally:
                for page in pages:
                    page.close()
                for session in sessions:
                    await session.close()


async def test_stopping_ends_every_page_at_once(evening: Evening, http: ClientSession) -> None:
    async with served(evening) as site:
        response = await http.get(site.url + "api/events")
        await next_event(response)
        async with asyncio.timeout(20 * UNIT):
            await site.stop()
            with pytest.raises(EOFError):
                await state_where(response, lambda _: False)


async def test_the_port_is_free_again_after_a_stop(evening: Evening, http: ClientSession) -> None:
    async with served(evening) as site:
        port = int(site.url.rstrip("/").rsplit(":", 1)[1])
        await http.get(site.url + "api/events")
    async with served(evening, port=port) as site, http.get(site.url + "healthz") as response:
        assert await response.text() == "ok\n"


async def test_a_taken_port_is_said_in_one_sentence(evening: Evening) -> None:
    async with served(evening) as site:
        port = int(site.url.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(WrongUsage, match="--web"):
            async with served(evening, port=port):
                pass


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "nosuch.invalid", "192.0.2.1"])
async def test_a_place_that_is_not_here_is_said_in_one_sentence(evening: Evening, host: str) -> None:
    site = Site(evening.board, progress=evening.ledger.progress, clock=lambda: evening.now, host=host)
    with pytest.raises(WrongUsage, match=r"cannot listen on .* give --web"):
        await site.start()


async def test_a_board_that_fails_does_not_stop_the_next_one(evening: Evening, http: ClientSession) -> None:
    failures = iter([RuntimeError("once"), RuntimeError("twice")])

    def progress(now: float) -> Any:
        for failure in failures:
            raise failure
        return evening.ledger.progress(now)

    site = Site(evening.board, progress=progress, clock=lambda: evening.now, interval=0.01)
    await site.start()
    try:
        async with http.get(site.url + "api/events") as response:
            assert await state_where(response, lambda state: state["game"]["coins"] > 0)
        async with http.get(site.url + "healthz") as response:
            assert response.status == 200
    finally:
        await site.stop()


async def test_a_frozen_board_leaks_nowhere(http: ClientSession) -> None:
    evening = Evening({"Alice": 300, "Bob": 200}, schedule=Schedule(START + 10, START + 1000))
    evening.run(60)
    async with served(evening) as site:
        worth = str(evening.ledger.worth())
        for path in ("api/state", "metrics"):
            async with http.get(site.url + path) as response:
                assert worth not in await response.text()
        async with http.get(site.url + "api/events") as response:
            state = await state_where(response, lambda _: True)
            assert state["phase"] == "frozen"
            assert worth not in json.dumps(state)
