"""Where a ledger lies when nobody says where."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import platformdirs

__all__ = ["default_path"]


def default_path(node: str) -> Path:
    """In the user's data directory, one file for each node name, whatever characters that has."""
    return platformdirs.user_data_path("pyerlcoin") / f"{quote(node, safe='@')}.ledger"
