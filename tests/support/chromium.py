"""The system's Chromium, driven by Playwright. Nothing is ever downloaded for it."""

from __future__ import annotations

import os
import shutil
from typing import Final

__all__ = ["ARGUMENTS", "executable", "why_missing"]

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""A browser that runs in a container, and calls nobody by itself."""


def executable() -> str | None:
    """Where it is; PYERLCOIN_CHROMIUM says so, else the path is searched."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("PYERLCOIN_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def why_missing() -> str | None:
    """None where browser tests can run, else what to do so that they can."""
    try:
        import playwright.sync_api  # noqa: F401 - only whether it is there
    except ImportError:
        return "playwright is not installed: it is in the dependency group dev"
    if executable() is None:
        return "no Chromium: apt-get install chromium, or set PYERLCOIN_CHROMIUM"
    return None
