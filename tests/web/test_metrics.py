from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from pyerlcoin.web.metrics import Metrics
from tests.support.board import HOSTILE
from tests.support.evening import Evening

# prometheus.io/docs/practices/naming: one prefix, base units, plural, _total on counters only.
UNITS = ("_total", "_info", "_seconds", "_integers", "_miners", "_pages")


def exposition(evening: Evening, miners: int = 50) -> str:
    metrics = Metrics(lambda: evening.board.state(evening.now), lambda: 3, miners=miners)
    return metrics.exposition().decode()


def samples(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("miner", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_are_the_boards() -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(60)
    found = samples(exposition(evening))
    board = dict(evening.ledger.leaderboard())
    assert found["pyerlcoin_coins_total", ""] == evening.ledger.worth()
    assert found["pyerlcoin_miner_coins_total", "Alice"] == board["Alice"]
    assert found["pyerlcoin_finished_integers_total", ""] == evening.ledger.progress(evening.now).finished
    assert found["pyerlcoin_registered_miners", ""] == 2
    assert found["pyerlcoin_board_pages", ""] == 3


def test_names_follow_the_naming_guide() -> None:
    evening = Evening({"Alice": 300})
    evening.run(30)
    families = list(text_string_to_metric_families(exposition(evening)))
    assert families
    for family in families:
        assert re.fullmatch(r"pyerlcoin(_[a-z]+)*", family.name)
        assert family.documentation.endswith(".")
        for sample in family.samples:
            assert sample.name.endswith(UNITS)
            assert sample.name.endswith("_total") == (family.type == "counter")


def test_labels_are_bounded() -> None:
    evening = Evening({f"m{k}": 100.0 for k in range(80)})
    evening.run(10)
    found = samples(exposition(evening, miners=10))
    assert sum(name == "pyerlcoin_miner_coins_total" for name, _ in found) == 10


def test_hostile_names_stay_labels() -> None:
    evening = Evening(dict.fromkeys(HOSTILE, 100.0))
    evening.run(10)
    found = samples(exposition(evening))
    assert {miner for name, miner in found if name == "pyerlcoin_miner_coins_total"} == set(HOSTILE)
