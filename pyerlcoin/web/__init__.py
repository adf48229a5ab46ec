"""The leaderboard: the page a room looks at, its JSON, its metrics, and the file that remains of the evening.

`Board` is what the page knows, without I/O; `Schedule` says when it freezes and when the game is over. `Site` (in
`pyerlcoin.web.site`) serves it over HTTP and needs the extra `pyerlcoin[web]`, so this package does not import it.
"""

from __future__ import annotations

from pyerlcoin.web.board import Board, Earned
from pyerlcoin.web.schedule import Phase, Schedule, parse_moment

__all__ = ["Board", "Earned", "Phase", "Schedule", "parse_moment"]
