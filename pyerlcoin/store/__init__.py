"""The ledger on disk: SQLite, and the only place that knows SQL."""

from pyerlcoin.store.audit import Audit, audit
from pyerlcoin.store.export import Export, export
from pyerlcoin.store.place import default_path
from pyerlcoin.store.reading import Reading
from pyerlcoin.store.store import Durability, NotWritten, Store

__all__ = ["Audit", "Durability", "Export", "NotWritten", "Reading", "Store", "audit", "default_path", "export"]
