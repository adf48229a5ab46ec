"""The same table as the interop tests have."""

from __future__ import annotations

from tests.interop.conftest import beam, epmd, table

__all__ = ["beam", "epmd", "table"]
