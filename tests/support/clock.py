"""The one constant that every deadline in the tests is a multiple of."""

from __future__ import annotations

import os

__all__ = ["UNIT"]

UNIT = float(os.environ.get("PYERLCOIN_TEST_UNIT", "1.0"))
"""Seconds. A deadline is `20 * UNIT`, never a bare number; a slow machine sets PYERLCOIN_TEST_UNIT higher."""
