"""The files of the page, as they lie in the package."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

__all__ = ["SCRIPTS", "STYLE", "Asset", "load", "read"]

STYLE: Final = "board.css"

SCRIPTS: Final = (
    "format.js",
    "measure.js",
    "ranks.js",
    "charts.js",
    "strip.js",
    "coins.js",
    "reveal.js",
    "kiosk.js",
    "board.js",
)
"""In this order they make the board; each adds its part to one object. A page adds the one that feeds it."""

_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, its media type, and an entity tag that changes when it does."""

    body: bytes
    media_type: str
    etag: str


def read(name: str) -> str:
    """One of the package's own files."""
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def load() -> dict[str, Asset]:
    """All of them by name. What is asked for is looked up here, so that no request can name a path."""
    assets = {}
    for entry in files(__package__).joinpath("static").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in _TYPES:
            body = entry.read_bytes()
            tag = base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:12]).decode()
            assets[entry.name] = Asset(body, _TYPES[suffix], tag)
    return assets
