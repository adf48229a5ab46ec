"""Which `pyrlang` and `term` this Python would import: the real ones, other people's, or none. Imports neither."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec, PathFinder
from typing import Final

from pyerlcoin.errors import WrongUsage

__all__ = ["HOW", "find_pyrlang"]

HOW: Final = (
    "install github.com/Pyrlang/Pyrlang and github.com/Pyrlang/Term from their repositories, as docs/runtimes.md says; "
    "the pyrlang and term of the package index are other projects"
)

_PARTS: Final = {"pyrlang": ("node", "process", "dist_proto"), "term": ("atom", "pid", "codec")}
"""By the modules they have: the other projects have none of these, and their code is not run to see that."""


def find_pyrlang() -> None:
    """Returns when both are here. Raises `WrongUsage` with what was found instead."""
    for name, parts in _PARTS.items():
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise WrongUsage(f"--runtime pyrlang needs Pyrlang and Term, and no {name} is installed here: {HOW}")
        if not all(_has(spec, part) for part in parts):
            place = spec.origin or ", ".join(spec.submodule_search_locations or ())
            raise WrongUsage(
                f"--runtime pyrlang needs Pyrlang and Term, but the {name} installed here, {place}, is another project "
                f"of that name: uninstall it, and {HOW}"
            )


def _has(package: ModuleSpec, module: str) -> bool:
    paths = package.submodule_search_locations
    return paths is not None and PathFinder.find_spec(f"{package.name}.{module}", list(paths)) is not None
