"""A BEAM and a node of ours over a cable that delays, splits, cuts, closes one half, and swallows."""

from __future__ import annotations

import random

import pytest

from pyerlcoin.beam.errors import NodeDown, Refused, Unreachable
from pyerlcoin.beam.node.events import NodeUp
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.clock import UNIT
from tests.support.leaks import Meeting, meeting
from tests.support.proxy import Direction

pytestmark = pytest.mark.beam

BIG = 8_000_000


@pytest.mark.parametrize("settings", [{"delay": 0.02}, {"piece": 1}], ids=str)
async def test_slow_and_split_is_no_reason_to_part(beam: Beam, settings: dict[str, float]) -> None:
    async with meeting(beam) as here:
        here.between.set(**settings)
        # The handshakes too, of either side.
        assert here.node.disconnect(beam.node)
        await here.until_apart()
        await here.node.connect(beam.node)
        assert here.node.disconnect(beam.node)
        await here.until_apart()
        assert await here.connect_from_there()
        ups = len(here.log.of(NodeUp))
        async with here.traffic.flowing() as traffic:
            await traffic.until_answered(10)
        assert len(here.log.of(NodeUp)) == ups
        assert traffic.ours["failed"] == traffic.theirs["failed"] == 0


async def handshake_bytes(here: Meeting, *, dialled: bool) -> int:
    """How many bytes pass both ways until both are connected."""
    assert here.node.disconnect(here.beam.node)
    await here.until_apart()
    proxy = here.between.to_beam if dialled else here.between.to_us
    before = sum(proxy.passed.values())
    if dialled:
        await here.node.connect(here.beam.node)
    else:
        assert await here.connect_from_there()
    count = sum(proxy.passed.values()) - before
    assert here.node.disconnect(here.beam.node)
    await here.until_apart()
    return count


async def test_cut_at_every_byte_of_a_handshake_of_ours(beam: Beam) -> None:
    async with meeting(beam) as here:
        proxy = here.between.to_beam
        failures: list[str] = []
        for offset in range(await handshake_bytes(here, dialled=True)):
            proxy.cut_after = sum(proxy.passed.values()) + offset
            try:
                await here.node.ping(beam.node)
            except (Unreachable, Refused, NodeDown) as error:
                failures.append(str(error))
        assert len(failures) > 100
        assert all(words and "\n" not in words for words in failures), "a sentence each"
        proxy.cut_after = None


async def test_cut_at_many_bytes_of_a_handshake_of_theirs(beam: Beam) -> None:
    async with meeting(beam) as here:
        proxy = here.between.to_us
        here.between.to_beam.closed = True
        answers = set()
        for offset in range(0, await handshake_bytes_of_theirs(here), 5):
            proxy.cut_after = sum(proxy.passed.values()) + offset
            answers.add(await beam.eval(f'Node.ping(:"{here.node.name}")'))
        assert answers == {":pang"}
        proxy.cut_after = None
        here.between.to_beam.closed = False


async def handshake_bytes_of_theirs(here: Meeting) -> int:
    here.between.to_beam.closed = False
    count = await handshake_bytes(here, dialled=False)
    here.between.to_beam.closed = True
    return count


@pytest.mark.parametrize("dialled", [True, False], ids=["dialled by us", "dialled by the BEAM"])
async def test_cut_in_the_middle_of_a_big_message(beam: Beam, dialled: bool) -> None:
    async with meeting(beam) as here:
        assert here.node.disconnect(beam.node)
        await here.until_apart()
        if dialled:
            await here.node.connect(beam.node)
        else:
            assert await here.connect_from_there()
        for proxy in here.between.proxies:
            proxy.cut_after = sum(proxy.passed.values()) + BIG // 3
        heard = here.traffic.echo.heard
        with pytest.raises(NodeDown):
            await here.node.call(here.traffic.target, ((b"big", 0), 1, b"x" * BIG), 60 * UNIT)
        await here.until_apart()
        for proxy in here.between.proxies:
            proxy.cut_after = sum(proxy.passed.values()) + BIG // 3
        request = f'{{{{"big", 0}}, 1, String.duplicate("x", {BIG})}}'
        code = f'GenServer.call({{:traffic, :"{here.node.name}"}}, {request}, 60_000)'
        ended = await beam.eval(f"try do {code} catch :exit, {{reason, _}} -> reason end")
        assert ended == f'{{:nodedown, :"{here.node.name}"}}'
        await here.until_apart()
        here.between.set(cut_after=None)
        # Half a message was no message, and a whole one is.
        assert here.traffic.echo.heard == heard
        assert await beam.eval('PyerlcoinTest.Traffic.counts("big")') == "[0, 0]"
        assert await beam.eval(f"byte_size(elem({code}, 2))", 60 * UNIT) == str(BIG)
        assert here.traffic.echo.heard == heard + 1


@pytest.mark.parametrize("direction", ["there", "back"])
@pytest.mark.parametrize("dialled", [True, False], ids=["dialled by us", "dialled by the BEAM"])
async def test_half_a_close_is_a_close(beam: Beam, dialled: bool, direction: Direction) -> None:
    async with meeting(beam) as here:
        assert here.node.disconnect(beam.node)
        await here.until_apart()
        if dialled:
            await here.node.connect(beam.node)
        else:
            assert await here.connect_from_there()
        # Something is in flight on both sides: a call of theirs that is never answered would hang.
        async with here.traffic.flowing() as traffic:
            await traffic.until_answered(20)
            (here.between.to_beam if dialled else here.between.to_us).half_close(direction)
            await here.log.wait(NodeUp, len(here.log.of(NodeUp)) + 1)
            await traffic.until_answered(20)


async def test_what_is_swallowed_ends_by_the_tick_time(beam_release: Release, epmd: RealEpmd) -> None:
    """Both ends give up by themselves, though no socket says a word; and every call fails, once."""
    tick_time = max(round(2 * UNIT), 1)
    async with (
        Beam(beam_release, epmd_port=epmd.port, flags=[f"-kernel net_ticktime {tick_time}"]) as beam,
        meeting(beam, tick_time=float(tick_time)) as here,
    ):
        async with here.traffic.flowing() as traffic:
            await traffic.until_answered(20)
            here.between.set(swallow=True)
            await here.until_apart()
            here.between.cut()  # by now the cable lies on the floor; a new one works
            here.between.set(swallow=False)
            await traffic.until_answered(20)
        assert traffic.ours["failed"] > 0
        assert traffic.theirs["failed"] > 0


async def test_cuts_at_random_bytes_while_both_call(beam: Beam) -> None:
    chance = random.Random(5)
    async with meeting(beam) as here:
        # Which of the two has a call on its way when the cable is cut is chance, and the BEAM tells only at the end.
        for _ in range(5):
            async with here.traffic.flowing() as traffic:
                for _ in range(12):
                    for proxy in here.between.proxies:
                        proxy.cut_after = sum(proxy.passed.values()) + chance.randrange(100, 20_000)
                    await traffic.until_failed()
                    here.between.set(cut_after=None)
                    await traffic.until_answered(5)
            if traffic.theirs["failed"]:
                break
        assert here.traffic.theirs["failed"] > 0
