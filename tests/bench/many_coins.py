"""A ledger of very many coins: how much memory its server takes, and how long its start.

    python -m tests.bench.many_coins FILE COINS      (prints one JSON object)

Memory is that of this process, in MB, after each tenth of the coins.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter

from pyerlcoin.coin.answers import Counted, Welcome
from pyerlcoin.store.store import Store

_BATCH = 50


def resident() -> float:
    """What this process has in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def run(path: Path, coins: int) -> dict[str, object]:
    """Tell that many coins in units of 100,000, and open the ledger again."""
    levels = []
    with Store.open(path, b"Serun+", zeros=0, workload=100_000, now=0.0) as store:
        ledger = store.ledger

        def keep(facts: list[object]) -> None:
            store.commit(facts).result()  # type: ignore[arg-type]  # facts they are
            ledger.keep(ledger.mark())

        welcome = ledger.hello("p", "n@h", "Ann", 0.0)
        assert isinstance(welcome.answer, Welcome)
        unit, facts = welcome.answer.work.unit, list[object](welcome.facts)
        told = 0
        while told < coins:
            for n in range(unit.first, unit.last + 1):
                outcome = ledger.coin("p", "n@h", "Ann", n, float(n))
                assert isinstance(outcome.answer, Counted), outcome
                facts += outcome.facts
                told += 1
                if len(facts) >= _BATCH:
                    keep(facts)
                    facts = []
                if told % (coins // 10) == 0:
                    levels.append(resident())
            done = ledger.done("p", "n@h", "Ann", float(unit.last))
            facts += done.facts
            unit = done.answer.unit  # type: ignore[union-attr]  # it holds one unit only
        keep(facts)
    started = perf_counter()
    with Store.open(path, b"Serun+", zeros=0, now=float(told)) as store:
        took = perf_counter() - started
        assert store.ledger.worth() == told
    return {"coins": told, "resident": levels, "start": took, "file": path.stat().st_size / 1e6}


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]))))
