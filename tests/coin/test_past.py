from pyerlcoin.coin.facts import (
    CoinAccepted,
    Fact,
    Finished,
    HandedOut,
    Left,
    Registered,
    Resumed,
    Returned,
    WorkloadChanged,
)
from pyerlcoin.coin.past import Open, Past, PastMiner, replay
from pyerlcoin.coin.unit import Unit


def out(first: int, last: int, name: str = "Ann") -> HandedOut:
    return HandedOut(0.0, Unit(first, last), name, "a@h", "new")


def test_no_facts_are_the_beginning() -> None:
    assert replay(5, 100, []) == Past(5, 5, 100)


def test_every_fact_has_its_effect() -> None:
    facts: list[Fact] = [
        Registered(1.0, "Ann", "a@h"),
        out(1, 10),
        CoinAccepted(2.0, 4, "Ann", 1, 1),
        Registered(3.0, "Bob", "b@h"),
        out(11, 20, "Bob"),
        Finished(4.0, Unit(1, 10), "Ann", "a@h", 3.0),
        Left(5.0, "Ann", "a@h"),
        Resumed(6.0, "Ann", "c@h"),
        WorkloadChanged(7.0, "auto"),
        Returned(8.0, Unit(11, 20), "Bob", "a@h", "down"),
    ]
    assert replay(1, 10, facts) == Past(
        1,
        21,
        "auto",
        (PastMiner("Ann", "c@h", 1, 1, 2.0), PastMiner("Bob", "b@h")),
        (Open(Unit(11, 20), "Bob", "a@h"),),
    )


def test_pieces_of_what_came_back_are_cut_out() -> None:
    facts = [out(1, 10), out(11, 20, "Bob"), HandedOut(0.0, Unit(4, 14), "Cleo", "c@h", "returned")]
    assert replay(1, 10, facts).open == (
        Open(Unit(1, 3), None, None),
        Open(Unit(4, 14), "Cleo", "c@h"),
        Open(Unit(15, 20), None, None),
    )
