"""Which engine searches here, and the sentence that tells the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyerlcoin.errors import WrongUsage
from pyerlcoin.search.auto import AutoEngine
from pyerlcoin.search.engine import Engine
from pyerlcoin.search.python import PythonEngine
from pyerlcoin.search.simd.engine import SimdEngine

__all__ = ["AUTO", "Choice", "choose", "engines"]

AUTO = "auto"

# Fastest first.
_MAKERS: dict[str, Callable[[], Engine]] = {"simd": SimdEngine, "python": PythonEngine}


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine to give to a `Pool`."""

    engine: Engine
    chosen: str = ""
    """What to say of it; an `AutoEngine` has its own sentence, as what it does may change."""

    @property
    def sentence(self) -> str:
        """For the user: which engine searches and, where another would be faster, what to install for it."""
        return self.engine.sentence if isinstance(self.engine, AutoEngine) else self.chosen


def engines() -> list[Engine]:
    """One of each engine that there is, fastest first, whether or not it can run here."""
    return [make() for make in _MAKERS.values()]


def choose(name: str = AUTO) -> Choice:
    """The engine of that name, or the fastest that can run here. Raises `WrongUsage` when it is unknown or cannot."""
    if name == AUTO:
        return _fastest()
    if name not in _MAKERS:
        raise WrongUsage(f"there is no engine {name!r}: choose {AUTO}, {' or '.join(_MAKERS)}")
    engine = _MAKERS[name]()
    reason = engine.unavailable()
    if reason is not None:
        raise WrongUsage(f"the engine {name} cannot run here: {reason}")
    return Choice(engine, f"engine {name}, as asked")


def _fastest() -> Choice:
    simd, python = SimdEngine(), PythonEngine()
    reason = simd.unavailable()
    if reason is not None:
        return Choice(python, f"engine {python.name}; {simd.name} is some 20 times faster: {reason}")
    return Choice(AutoEngine(simd, python))
