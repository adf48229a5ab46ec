"""A miner at work, for whoever watches: a picture, plain lines, or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.console import RenderableType

from pyerlcoin.cli import sentences, view
from pyerlcoin.cli.json_events import JsonEventLines
from pyerlcoin.cli.keys import can_read_keys
from pyerlcoin.cli.lines import Lines
from pyerlcoin.cli.running import Show
from pyerlcoin.cli.speed import Speed
from pyerlcoin.cli.text import count, counted, rate
from pyerlcoin.cli.waiting import Waiting
from pyerlcoin.roles.events import Events, Joined, Stopped
from pyerlcoin.roles.miner import MinerOptions, MinerRole, MinerView
from pyerlcoin.roles.timing import Timing

__all__ = ["press", "show_miner"]

HELP: Final = (
    "p  pause: search nothing, ask for nothing, keep the units in hand",
    "r  resume where the pause began",
    "s  a line of status, now",
    "f  finish the units in hand, then quit",
    "q  quit: the units in hand go back to the server",
)


def show_miner(role: MinerRole, options: MinerOptions, events: Events, timing: Timing, form: view.Form) -> Show:
    """What shows `role` in that form; hears of `events` from now on."""
    waiting = Waiting()
    speed = Speed(timing.now())
    with_keys = can_read_keys()

    def sampled() -> Speed:
        speed.sample(timing.now(), role.view().hashes)
        return speed

    def closed() -> None:
        role.stop("nobody reads its output")

    def fields() -> Mapping[str, object]:
        return _status_fields(role.view(), sampled(), timing.now())

    def status() -> str:
        return _status(role.view(), sampled(), waiting.words(timing.now()))

    def brief() -> str:
        now = role.view()
        done = f"{counted(now.hashes, 'integer')} in {counted(now.units, 'unit')}"
        return f"{rate(sampled().over(60.0))}, {counted(now.coins, 'coin')}, {done}"

    joined = False

    def heard(event: object) -> None:
        nonlocal joined
        joined = joined or isinstance(event, Joined)

    def sentence(event: object) -> str | None:
        if isinstance(event, Stopped) and not joined and not role.view().stopped:
            # It failed before it did anything: the reason is what the command says on standard error.
            return None
        return sentences.of_miner(event)

    match form:
        case view.Form.JSON:
            show: Show = JsonEventLines(fields, closed, timing.now)
        case view.Form.LINES:
            show = Lines(sentence, status, closed, frequent=sentences.FREQUENT, last=Stopped)
        case view.Form.PICTURE:

            def picture(rows: int) -> RenderableType:
                now = timing.now()
                return view.miner(
                    role.view(),
                    sampled(),
                    options.name,
                    options.server.node,
                    now,
                    rows=rows,
                    waits_for=waiting.words(now),
                    keys=with_keys,
                )

            show = view.Screen(picture, sentence, brief)
    events.subscribe(heard)
    events.subscribe(lambda event: waiting.event(event, timing.now()))
    events.subscribe(show.event)
    return show


def _status(now: MinerView, speed: Speed, waits_for: str | None) -> str:
    units = [lane.unit for lane in now.lanes if lane.unit is not None]
    at = f", from {count(min(unit.first for unit in units))}" if units else ""
    # What a call waits for is said of the server, what the next attempt waits for is not.
    waits = f", {'the server' if now.joined else 'not connected:'} {waits_for}" if waits_for else ""
    return (
        f"speed {view.speeds(speed)}, {counted(now.hashes, 'integer')} in {counted(now.units, 'unit')}, "
        f"{counted(now.coins, 'coin')}{at}{', paused' if now.paused else waits}"
    )


def _status_fields(now: MinerView, speed: Speed, at: float) -> Mapping[str, object]:
    return {
        "joined": now.joined,
        "paused": now.paused,
        "finishing": now.finishing,
        "seconds": at - now.started,
        "hashes": now.hashes,
        "hashes_per_second": speed.overall(),
        "hashes_per_second_10_s": speed.over(10.0),
        "hashes_per_second_60_s": speed.over(60.0),
        "hashes_per_second_900_s": speed.over(900.0),
        "units": now.units,
        "coins": now.coins,
        "rejected": now.rejected,
        "coins_of_name": now.count,
        "round_trip_seconds": now.round_trip,
        "lanes": [
            None if lane.unit is None else {"first": lane.unit.first, "last": lane.unit.last, "done": lane.done}
            for lane in now.lanes
        ],
    }


def press(role: MinerRole, show: Show, key: str) -> None:
    """What a key does; most do nothing."""
    match key:
        case "h" | "?":
            show.say(*HELP)
        case "p":
            show.say()
            role.pause()
        case "r":
            show.say()
            role.resume()
        case "s":
            show.status()
        case "f":
            show.say("finishing what is in hand, then quitting; q quits at once")
            role.stop("finished", finish=True)
        case "q":
            role.stop("quit")
        case _:
            pass
