"""How many files and sockets the process may have open: a server needs one for each node, and for each page."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Final

__all__ = ["ENOUGH", "raise_limit"]

ENOUGH: Final = 10_240
"""More than a server of thousands of nodes needs, and the most that every system grants who sets no lower one."""


def raise_limit() -> int | None:
    """Take what the system grants, up to `ENOUGH`; how many that is. None where nobody counts them. Idempotent."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    granted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft < granted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
