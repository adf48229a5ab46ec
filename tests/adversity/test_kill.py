"""kill -9 in the middle of commits: what was acknowledged is there, and everything adds up."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.store.audit import audit
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.store import Store
from tests.support.clock import UNIT
from tests.support.games import SECRET

PLAYER = """
import sys, itertools
from pyerlcoin.store.store import Store
store = Store.open(sys.argv[1], b"games", zeros=0, workload=5, durability=sys.argv[2], now=0.0)
ledger = store.ledger
def commit(facts):
    mark = ledger.mark()
    store.commit(facts).result()
    ledger.keep(mark)
units = {}
facts = []
for holder in range(8):
    outcome = ledger.hello(holder, "a@h", f"miner {holder}", 0.0)
    facts += outcome.facts
    units[holder] = outcome.answer.work.unit
commit(facts)
for turn in itertools.count():
    facts, told = [], []
    for holder in range(8):
        name = f"miner {holder}"
        for n in range(units[holder].first, units[holder].last + 1):
            outcome = ledger.coin(holder, "a@h", name, n, float(turn))
            facts += outcome.facts
            told.append(f"{n} {name}")
        outcome = ledger.done(holder, "a@h", name, float(turn))
        facts += outcome.facts
        units[holder] = outcome.answer.unit
    commit(facts)
    print("\\n".join(told), flush=True)
"""


@pytest.mark.parametrize("durability", ["normal", "full"])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, durability: str) -> None:
    path = tmp_path / "x"
    acknowledged: dict[int, str] = {}
    for round_ in range(3):
        child = subprocess.Popen([sys.executable, "-c", PLAYER, path, durability], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(200 + 77 * round_):
            line = child.stdout.readline()
            assert line, f"the child ended by itself: {child.wait(20 * UNIT)}"
            n, _, name = line.strip().partition(" ")
            acknowledged[int(n)] = name
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split("\n")
        child.stdout.close()
        child.wait(20 * UNIT)
        # The last line may be cut; those before it were acknowledged.
        for line in rest[:-1]:
            n, _, name = line.partition(" ")
            acknowledged[int(n)] = name
        Store.open(path, SECRET, zeros=0, now=0.0).close()
        with Reading(path) as reading:
            result = audit(reading)
            assert result.found == []
            coins = {fact.n: fact.name for fact in reading.facts() if isinstance(fact, CoinAccepted)}
        assert acknowledged.items() <= coins.items()
        assert len(coins) == result.coins
