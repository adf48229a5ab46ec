"""What remains of the evening: its final board as one file, with a slider from the first coin to the last.

The file is whole: it loads nothing, runs no script but the one whose hash it names, and opens from a disk.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Final

from pyerlcoin.web import assets
from pyerlcoin.web.board import State

__all__ = ["page"]

_LINKED: Final = re.compile(r'<(?:script defer src|link rel="(?:icon|stylesheet)")[^>]*>(?:</script>)?\n')


def page(state: State, history: State) -> str:
    """The HTML of a final board. `state` is a `Board.state`, `history` its `Board.everyone`."""
    style = assets.read(assets.STYLE)
    script = "\n".join(assets.read(name) for name in (*assets.SCRIPTS, "replay.js"))
    data = _inert(json.dumps({"state": state, "history": history}, separators=(",", ":"), allow_nan=False))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}</style>\n'
    tail = f'<script type="application/json" id="evening">{data}</script>\n<script>{script}</script>\n'
    text = _LINKED.sub("", assets.read("index.html"))
    text = text.replace("<title>", head + "<title>", 1)
    return text.replace("</body>", tail + "</body>", 1)


def _inert(data: str) -> str:
    """JSON in which nothing can end a script element or start a comment: JSON knows these characters by number too."""
    return data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
