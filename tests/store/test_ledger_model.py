"""The rules on disk: the machine that drives the ledger alone, with each commit, failure and restart a real one."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from pyerlcoin.coin.facts import CoinAccepted, Fact
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.coin.past import replay
from pyerlcoin.store.audit import audit
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.store import NotWritten, Store
from tests.support.games import PATIENCE
from tests.support.ledger_rules import FIRST_WORKLOAD, SECRET, Rules

IMPOSSIBLE = CoinAccepted(0.0, -1, "Ann", 0, 0)
"""A row that cannot be written, after all that can."""


class DiskRules(Rules):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store: Store | None = None

    def start(self, kept: list[Fact] | None) -> Ledger:
        if self.store is not None:
            self.store.close()
        self.store = Store.open(
            self.folder / "x",
            SECRET,
            zeros=1,
            workload=FIRST_WORKLOAD if kept is None else None,
            grace=self.grace,
            lease=self.lease,
            now=self.now,
        )
        return self.store.ledger

    def write(self, facts: list[Fact]) -> None:
        assert self.store is not None
        self.store.commit(facts).result(PATIENCE)

    def refuse(self, facts: list[Fact]) -> None:
        assert self.store is not None
        with pytest.raises(NotWritten):
            self.store.commit([*facts, IMPOSSIBLE]).result(PATIENCE)

    def teardown(self) -> None:
        if self.store is not None:
            self.store.close()
            with Reading(self.folder / "x") as reading:
                assert audit(reading).found == []
                assert reading.past() == replay(1, FIRST_WORKLOAD, self.facts)
        shutil.rmtree(self.folder)


TestDiskRules = DiskRules.TestCase
TestDiskRules.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
