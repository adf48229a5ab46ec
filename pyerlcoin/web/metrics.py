"""The board's figures for Prometheus: names and units as its naming guide has them, and labels that are bounded.

What changes over time is told as a counter, never as a rate: `rate(pyerlcoin_finished_integers_total[1m])` is the
speed. All of it is taken from the board's own state, so a board that is frozen gives nothing away here either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from pyerlcoin.web.board import State

__all__ = ["MINER_LABELS", "Metrics"]

MINER_LABELS: Final = 50
"""The most miners that get a time series of their own, best first: a name is whatever a peer chose to call itself."""


class Metrics(Collector):
    """A registry of its own, so that whoever embeds us keeps theirs."""

    def __init__(self, state: Callable[[], State], pages: Callable[[], int], *, miners: int = MINER_LABELS) -> None:
        self._state = state
        self._pages = pages
        self._miners = miners
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def exposition(self) -> bytes:
        """The text format, version 0.0.4."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: registering must not ask the board."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every figure, from one state."""
        state = self._state()
        game, miners = state["game"], state["miners"]
        yield InfoMetricFamily("pyerlcoin", "The program.", {"version": version("pyerlcoin")})
        yield CounterMetricFamily("pyerlcoin_coins", "Coins in the wallet.", game["coins"])
        yield CounterMetricFamily(
            "pyerlcoin_finished_integers", "Integers that were searched.", float(game["finished"])
        )
        yield GaugeMetricFamily("pyerlcoin_open_integers", "Integers in a miner's hands.", float(game["open"]))
        yield GaugeMetricFamily(
            "pyerlcoin_returned_integers", "Integers that wait to be handed out again.", float(game["returned"])
        )
        yield GaugeMetricFamily("pyerlcoin_registered_miners", "Names known to the ledger.", game["miners"])
        yield GaugeMetricFamily("pyerlcoin_board_pages", "Pages that follow the board.", self._pages())
        rejected = CounterMetricFamily("pyerlcoin_rejected_requests", "Requests that were refused.", labels=["reason"])
        for reason, count in sorted(state["rejected"].items()):
            rejected.add_metric([reason], count)
        yield rejected
        coins = CounterMetricFamily("pyerlcoin_miner_coins", "Coins of the leading miners.", labels=["miner"])
        last = GaugeMetricFamily(
            "pyerlcoin_miner_last_coin_timestamp_seconds", "When the latest coin came.", labels=["miner"]
        )
        for miner in miners[: self._miners]:
            coins.add_metric([miner["name"]], miner["coins"])
            if miner["last_coin_at_seconds"] is not None:
                last.add_metric([miner["name"]], miner["last_coin_at_seconds"])
        yield coins
        yield last
