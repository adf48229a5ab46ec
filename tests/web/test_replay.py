from __future__ import annotations

from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.past import replay as past_of
from pyerlcoin.web.board import State
from pyerlcoin.web.replay import replay
from tests.support.evening import SECRET, Evening


def replayed(evening: Evening) -> tuple[State, State]:
    past = past_of(1, evening.workload, evening.facts)
    return replay(past, evening.facts, zeros=evening.zeros, digest=lambda n: digest_hex(SECRET, n))


def test_a_game_read_again_is_the_game_that_was() -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(100)
    evening.leave("Bob")
    state, history = replayed(evening)
    assert [(miner["name"], miner["coins"]) for miner in state["miners"]] == evening.ledger.leaderboard()
    progress = evening.ledger.progress(evening.now)
    assert state["game"]["finished"] == str(progress.finished)
    assert state["game"]["frontier"] == str(progress.frontier)
    assert state["game"]["luck"] == progress.luck
    assert history["coins"][-1] == evening.ledger.worth()
    assert {miner["name"] for miner in history["miners"]} == {"Alice", "Bob"}


def test_speeds_are_those_of_the_evening() -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(100)
    state, _ = replayed(evening)
    speeds = {miner["name"]: miner["hashes_per_second"] for miner in state["miners"]}
    assert 290 < speeds["Alice"] <= 300.001
    assert 190 < speeds["Bob"] <= 200.001
    assert 480 < state["game"]["hashes_per_second"] < 505


def test_the_evening_ends_with_its_last_deed() -> None:
    evening = Evening({"Alice": 300})
    evening.run(100)
    end = replayed(evening)[0]["at_seconds"]
    evening.stall("Alice")
    evening.run(10 * 3600)
    evening.leave("Alice")
    assert replayed(evening)[0]["at_seconds"] == end


def test_a_game_that_never_began_is_an_empty_board() -> None:
    state, history = replay(Past(1, 1, 100), [], zeros=5, digest=lambda n: digest_hex(SECRET, n))
    assert state["miners"] == []
    assert history["miners"] == []
