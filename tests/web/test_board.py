from __future__ import annotations

import json

from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.coin.facts import CoinAccepted, Finished, HandedOut, Reason, Registered, Rejected, WorkloadChanged
from pyerlcoin.coin.past import Open, Past, PastMiner
from pyerlcoin.coin.past import replay as past_of
from pyerlcoin.coin.unit import Unit
from pyerlcoin.web.board import MINERS, NEWEST, Board, Earned, State
from pyerlcoin.web.schedule import Schedule
from tests.support.evening import SECRET, START, Evening


def fresh(past: Past | None = None, **options: object) -> Board:
    arguments: dict[str, object] = {"zeros": 2, "digest": lambda n: digest_hex(SECRET, n), "now": START, **options}
    return Board(past or Past(1, 1, 100), **arguments)  # type: ignore[arg-type]  # one place for the defaults


def coin(at: float, n: int, name: str, count: int, worth: int) -> CoinAccepted:
    return CoinAccepted(START + at, n, name, count, worth)


def names(state: State) -> list[str]:
    return [miner["name"] for miner in state["miners"]]


def test_the_board_says_what_the_ledger_says() -> None:
    evening = Evening({"Alice": 300, "Bob": 200, "Carol": 100})
    evening.run(120)
    state = evening.board.state(evening.now)
    board = [(miner["name"], miner["coins"]) for miner in state["miners"]]
    assert board == evening.ledger.leaderboard()
    assert state["game"]["coins"] == evening.ledger.worth() > 0
    progress = evening.ledger.progress(evening.now)
    assert state["game"]["frontier"] == str(progress.frontier)
    assert state["game"]["finished"] == str(progress.finished)
    assert state["game"]["luck"] == progress.luck
    parts = state["strip"]["segments"]
    held = sum(int(part["last"]) - int(part["first"]) + 1 for part in parts if part["state"] == "open")
    assert held == progress.open


def test_shares_make_a_whole_and_luck_is_about_one() -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(300)
    miners = evening.board.state(evening.now)["miners"]
    assert abs(sum(miner["share"] for miner in miners) - 1) < 1e-9
    assert all(0.5 < miner["luck"] < 2 for miner in miners)


def test_of_equals_the_one_who_was_there_first_leads() -> None:
    board = fresh()
    for fact in (coin(1, 5, "Bob", 1, 1), coin(2, 6, "Alice", 1, 2)):
        board.fact(fact)
    assert names(board.state(START + 3)) == ["Bob", "Alice"]


def test_a_miner_without_a_coin_is_listed() -> None:
    board = fresh()
    board.fact(Registered(START, "Alice", "a@x"))
    (miner,) = board.state(START)["miners"]
    assert (miner["coins"], miner["share"], miner["last_coin_at_seconds"], miner["luck"]) == (0, 0.0, None, None)


def test_newest_coins_come_first_with_their_digest() -> None:
    board = fresh()
    for n in range(1, 31):
        board.fact(coin(n, n, "Alice", n, n))
    newest = board.state(START + 40)["newest"]
    assert [entry["n"] for entry in newest] == [str(n) for n in range(30, 30 - NEWEST, -1)]
    assert newest[0]["digest"] == digest_hex(SECRET, 30)


def test_integers_past_two_to_the_53_keep_every_digit() -> None:
    base = 10**40
    board = fresh(Past(base, base, 100))
    board.fact(HandedOut(START, Unit(base, base + 99), "Alice", "a@x", "new"))
    board.fact(coin(1, base + 1, "Alice", 1, 1))
    state = json.loads(json.dumps(board.state(START + 2)))
    assert state["game"]["frontier"] == str(base + 100)
    assert state["newest"][0]["n"] == str(base + 1)


def test_a_flood_of_names_makes_no_flood_of_rows() -> None:
    board = fresh()
    for k in range(MINERS + 50):
        board.fact(Registered(START, f"m{k}", "n@x"))
    state = board.state(START)
    assert len(state["miners"]) == MINERS
    assert state["game"]["miners"] == MINERS + 50


def test_refusals_are_counted_by_their_reason() -> None:
    board = fresh()
    for _ in range(3):
        board.fact(Rejected(START, None, "n@x", Reason.UNKNOWN_MINER, "who?"))
    assert board.state(START)["rejected"] == {"unknown miner": 3}


def test_the_workload_follows() -> None:
    board = fresh()
    assert board.state(START)["game"]["workload"] == "100"
    board.fact(WorkloadChanged(START, "auto"))
    assert board.state(START)["game"]["workload"] == "auto"


def test_what_is_no_fact_means_nothing() -> None:
    board = fresh()
    before = board.state(START)
    board.fact(object())
    board.fact(None)
    assert board.state(START) == before


class TestFreezing:
    schedule = Schedule(freeze_at=START + 100, ends_at=START + 200)

    def test_nothing_after_the_freeze_is_told_anywhere(self) -> None:
        evening = Evening({"Alice": 300, "Bob": 200}, schedule=self.schedule)
        evening.run(99)
        frozen = evening.board.state(evening.now)
        evening.run(60)
        state = evening.board.state(evening.now)
        assert state["phase"] == "frozen"
        assert evening.ledger.worth() > state["game"]["coins"] >= frozen["game"]["coins"]
        assert all(entry["at_seconds"] < START + 100 for entry in state["newest"])
        assert evening.board.history(evening.now)["end_seconds"] == START + 100
        assert evening.board.history(evening.now)["coins"][-1] == state["game"]["coins"]

    def test_a_coin_in_the_very_moment_of_the_freeze_is_hidden_and_the_one_before_is_not(self) -> None:
        board = fresh(schedule=self.schedule)
        board.fact(coin(99.999, 5, "Alice", 1, 1))
        board.fact(coin(100.0, 6, "Bob", 1, 2))
        state = board.state(START + 150)
        assert [(miner["name"], miner["coins"]) for miner in state["miners"]] == [("Alice", 1)]

    def test_the_end_shows_what_happened_up_to_the_end_and_nothing_later(self) -> None:
        board = fresh(schedule=self.schedule)
        board.fact(coin(50, 5, "Alice", 1, 1))
        board.fact(coin(150, 6, "Bob", 1, 2))
        board.fact(coin(160, 7, "Bob", 2, 3))
        board.fact(coin(200, 8, "Alice", 2, 4))
        board.fact(coin(201, 9, "Alice", 3, 5))
        state = board.state(START + 300)
        assert state["phase"] == "final"
        assert [(miner["name"], miner["coins"]) for miner in state["miners"]] == [("Bob", 2), ("Alice", 1)]

    def test_time_alone_freezes_too(self) -> None:
        board = fresh(schedule=self.schedule)
        assert [board.state(START + at)["phase"] for at in (99, 100, 199, 200)] == ["open", "frozen", "frozen", "final"]

    def test_a_restart_in_the_frozen_minutes_stays_frozen_where_it_was(self) -> None:
        past = Past(
            1, 500, 100, (PastMiner("Alice", "a@x", 3, 4, START + 120), PastMiner("Bob", "b@x", 1, 2, START + 20))
        )
        earned = [
            Earned(START + 10, "Alice", 1, 1),
            Earned(START + 20, "Bob", 1, 2),
            Earned(START + 120, "Alice", 2, 4),
        ]
        board = fresh(past, now=START + 130, schedule=self.schedule, earned=earned)
        state = board.state(START + 131)
        assert [(miner["name"], miner["coins"]) for miner in state["miners"]] == [("Alice", 1), ("Bob", 1)]
        assert board.state(START + 200)["miners"][0]["coins"] == 3

    def test_such_a_restart_still_says_who_is_there(self) -> None:
        evening = Evening({"Alice": 300, "Bob": 200})
        evening.run(150)
        past = past_of(1, 200, evening.facts)
        earned = [Earned(fact.at, fact.name, 1, fact.worth) for fact in evening.facts if isinstance(fact, CoinAccepted)]
        board = fresh(past, now=evening.now, schedule=self.schedule, earned=earned)
        board.progress(evening.ledger.progress(evening.now))
        state = board.state(evening.now)
        assert state["phase"] == "frozen"
        assert state["game"]["coins"] == sum(row.at < START + 100 for row in earned)
        assert all(miner["present"] for miner in state["miners"])
        assert int(state["game"]["finished"]) > 0
        assert state["game"]["luck"] is None


class TestRestart:
    past = Past(
        1,
        1001,
        100,
        (PastMiner("Alice", "a@x", 5, 7, START - 50), PastMiner("Bob", "b@x", 2, 6, START - 60)),
        (Open(Unit(401, 500), "Bob", "b@x"),),
    )

    def test_scores_and_returned_units_are_still_there(self) -> None:
        state = fresh(self.past).state(START)
        assert [(miner["name"], miner["coins"]) for miner in state["miners"]] == [("Alice", 5), ("Bob", 2)]
        assert state["game"]["coins"] == 7
        assert {"first": "401", "last": "500", "state": "returned", "miner": None} in state["strip"]["segments"]

    def test_curves_go_on_from_where_they_were(self) -> None:
        earned = [
            Earned(START - 100, "Alice", 3, 5),
            Earned(START - 60, "Bob", 1, 6),
            Earned(START - 50, "Alice", 1, 7),
        ]
        board = fresh(self.past, earned=earned)
        history = board.history(START)
        assert history["start_seconds"] == START - 100
        # One coin each came before what is recalled.
        assert history["coins"][0] == 2 + 3
        assert history["coins"][-1] == 7

    def test_the_newest_coins_are_still_there(self) -> None:
        before = [coin(k - 100, 10 + k, "Alice", k, k) for k in range(1, NEWEST + 1)]
        board = fresh(self.past, newest=before)
        newest = board.state(START)["newest"]
        assert [one["n"] for one in newest] == [str(one.n) for one in reversed(before)]
        assert newest[0]["digest"] == digest_hex(SECRET, before[-1].n)
        board.fact(coin(1, 1002, "Bob", 1, NEWEST + 1))
        newest = board.state(START + 2)["newest"]
        assert [one["miner"] for one in newest] == ["Bob"] + ["Alice"] * (NEWEST - 1)

    def test_a_freeze_that_is_past_keeps_those_that_came_before_it(self) -> None:
        schedule = Schedule(START + 100, START + 200)
        coins = [coin(at, 10 + at, "Alice", at, at) for at in (90, 95, 110, 150)]
        board = fresh(self.past, now=START + 160, schedule=schedule, newest=coins)
        assert [one["n"] for one in board.state(START + 160)["newest"]] == ["105", "100"]
        board.fact(coin(205, 400, "Alice", 205, 205))
        assert [one["n"] for one in board.state(START + 206)["newest"]] == ["160", "120", "105", "100"]

    def test_a_speed_that_nobody_watched_is_unknown_not_zero(self) -> None:
        board = fresh(self.past, earned=[Earned(START - 100, "Alice", 3, 5)])
        board.fact(Finished(START + 20, Unit(1001, 3000), "Alice", "a@x", 10.0))
        rates = board.history(START + 60)["hashes_per_second"]
        assert rates[:20] == [None] * 20
        assert rates[20:24] == [0.0, 0.0, 200.0, 200.0]

    def test_luck_forgets_coins_and_searching_alike(self) -> None:
        board = fresh(self.past)
        board.fact(Finished(START + 1, Unit(1001, 1000 + 256), "Alice", "a@x", 1.0))
        board.fact(coin(1, 1002, "Alice", 6, 8))
        assert board.state(START + 2)["miners"][0]["luck"] == 1.0


def test_curves_are_those_of_the_leaders_and_everyone_is_for_the_file() -> None:
    evening = Evening({f"m{k}": 50 + k for k in range(20)})
    evening.run(60)
    assert len(evening.board.history(evening.now)["miners"]) == 8
    assert len(evening.board.everyone(evening.now)["miners"]) == 20
    ends = [miner["coins"][-1] for miner in evening.board.history(evening.now)["miners"]]
    assert ends == sorted(ends, reverse=True)
