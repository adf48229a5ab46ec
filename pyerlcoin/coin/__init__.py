"""The game without I/O: what a coin is, units and ranges, sizing, the ledger's rules. No sockets, files or clock."""

from pyerlcoin.coin.answers import Answer, Counted, Outcome, Refusal, Welcome, Work, WorkloadSet
from pyerlcoin.coin.coin import MAX_ZEROS, ZEROS, digest_hex, is_coin
from pyerlcoin.coin.intervals import IntervalSet
from pyerlcoin.coin.ledger import GRACE, Accept, Ledger
from pyerlcoin.coin.limits import Limits
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.coin.records import MemoryRecords, Records
from pyerlcoin.coin.sizing import AUTO, Workload
from pyerlcoin.coin.unit import Unit

__all__ = [
    "AUTO",
    "GRACE",
    "MAX_ZEROS",
    "ZEROS",
    "Accept",
    "Answer",
    "Counted",
    "IntervalSet",
    "Ledger",
    "Limits",
    "MemoryRecords",
    "MinerProgress",
    "Outcome",
    "Past",
    "Progress",
    "Records",
    "Refusal",
    "Unit",
    "Welcome",
    "Work",
    "Workload",
    "WorkloadSet",
    "digest_hex",
    "is_coin",
]
