"""The rules of the house, read off the source itself: who may import whom, and what no file may hold.

The table is the one of docs/architecture.md. A room that needs another row changes that page first.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "pyerlcoin"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_LINES = 500

ROOMS: dict[str, tuple[str, ...]] = {
    # room: what it may import. A room is a module or a folder; the longest that fits counts; its own is always allowed.
    "pyerlcoin.beam.errors": (),
    "pyerlcoin.beam.etf": ("pyerlcoin.beam.errors",),
    "pyerlcoin.beam.dist": ("pyerlcoin.beam.etf", "pyerlcoin.beam.errors"),
    "pyerlcoin.beam.node": ("pyerlcoin.beam.dist", "pyerlcoin.beam.etf", "pyerlcoin.beam.errors"),
    "pyerlcoin.beam": (),
    "pyerlcoin.errors": (),
    "pyerlcoin.coin": ("pyerlcoin.errors",),
    "pyerlcoin.search": ("pyerlcoin.coin", "pyerlcoin.errors"),
    "pyerlcoin.store": ("pyerlcoin.coin", "pyerlcoin.errors"),
    "pyerlcoin.roles.cluster": ("pyerlcoin.beam.etf.terms", "pyerlcoin.errors"),
    "pyerlcoin.roles": (
        "pyerlcoin.coin",
        "pyerlcoin.search",
        "pyerlcoin.store",
        "pyerlcoin.beam.etf.terms",
        "pyerlcoin.errors",
    ),
    "pyerlcoin.runtimes": ("pyerlcoin.roles.cluster", "pyerlcoin.beam", "pyerlcoin.errors"),
    # The facts of the game are what a server publishes, so who shows the game names them.
    "pyerlcoin.web": ("pyerlcoin.coin", "pyerlcoin.roles.events", "pyerlcoin.store", "pyerlcoin.errors"),
    "pyerlcoin.cli": ("pyerlcoin",),
    "pyerlcoin.__main__": ("pyerlcoin.cli",),
    "pyerlcoin": (),
}

THIRD_PARTY: dict[str, tuple[str, ...]] = {
    # who may use a package that is not Python's own
    "typer": ("pyerlcoin.cli",),
    "rich": ("pyerlcoin.cli",),
    "platformdirs": ("pyerlcoin.cli", "pyerlcoin.search", "pyerlcoin.store"),
    "aiohttp": ("pyerlcoin.web",),
    "prometheus_client": ("pyerlcoin.web",),
    "matplotlib": ("pyerlcoin.web",),
    "llvmlite": ("pyerlcoin.search.simd",),
    "uvloop": ("pyerlcoin.cli",),
    # Installed from their repositories by those who want them; the names on the package index are other projects'.
    "pyrlang": ("pyerlcoin.runtimes.pyrlang",),
    "term": ("pyerlcoin.runtimes.pyrlang",),
}

PURE = ("pyerlcoin.coin", "pyerlcoin.beam.etf", "pyerlcoin.beam.dist")
IMPURE_MODULES = frozenset(
    [
        "asyncio",
        "concurrent",
        "contextvars",
        "datetime",
        "glob",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    ]
)
IMPURE_CALLS = frozenset({"open", "print", "input"})

ONLY_IN: dict[str, tuple[str, ...]] = {
    # Python's own modules that have one place
    "asyncio": (
        "pyerlcoin.beam.node",
        "pyerlcoin.roles",
        "pyerlcoin.runtimes",
        "pyerlcoin.web",
        "pyerlcoin.cli",
    ),
    "sqlite3": ("pyerlcoin.store",),
}

MIRRORS_NOTHING = ("support", "interop", "adversity", "fuzz", "browser", "bench", "docs", "examples", "scripts")
"""Folders of tests/ that test more than one module at once."""
SHARED_BY_A_ROOM = (
    "golden.py",  # bytes from a real BEAM
    "test_golden.py",
    "test_round_trip.py",
    "test_hostile_bytes.py",
    "test_ledger_model.py",  # every rule at once
    "test_with_a_beam.py",  # all of the node, through its front door
    "test_without_epmd.py",  # nodes that have no port mapper, through the front door
    "test_contract.py",  # what all engines promise
    "test_terminal.py",  # what a person at a terminal sees of the commands
)
"""Files that hold a whole room to one thing."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def room_of(module: str) -> str:
    return max((room for room in ROOMS if within(module, room)), key=len)


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def imports(path: Path) -> Iterator[str]:
    """Every module that `path` imports anywhere, as a full dotted name."""
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *([base] if base else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if base.startswith("pyerlcoin") and is_module(full) else base


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths])


@each(MODULES)
def test_imports_only_what_its_room_may(path: Path) -> None:
    module = module_name(path)
    room = room_of(module)
    allowed = ROOMS[room]
    if module == "pyerlcoin.beam":
        allowed = ("pyerlcoin.beam",)  # the wing's front door shows what is inside
    for imported in imports(path):
        if within(imported, "pyerlcoin"):
            # `from pyerlcoin import x` of a name, not a module, is an import of the package itself.
            fits = any(within(imported, other) for other in (room, *allowed)) and room != "pyerlcoin"
            assert fits or imported == "pyerlcoin", f"{module} imports {imported}; its room, {room}, may not"
            continue
        top = imported.partition(".")[0]
        if top in sys.stdlib_module_names:
            homes = ONLY_IN.get(top)
        else:
            assert top in THIRD_PARTY, f"{module} imports {top}, which is no dependency of this package"
            homes = THIRD_PARTY[top]
        assert homes is None or any(within(module, home) for home in homes), (
            f"{module} imports {imported}, which belongs in {homes}"
        )


@each([path for path in MODULES if any(within(module_name(path), room) for room in PURE)])
def test_a_pure_room_touches_nothing_outside(path: Path) -> None:
    for imported in imports(path):
        assert imported.partition(".")[0] not in IMPURE_MODULES, f"{path} imports {imported}: pass it in"
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS, f"{path}:{node.lineno} calls {node.func.id}"


@each([path for path in MODULES if path.name != "__main__.py"])
def test_says_what_it_is_and_what_it_offers(path: Path) -> None:
    tree = parse(path)
    assert ast.get_docstring(tree), f"{path} has no docstring"
    defined: set[str] = set()
    exported = False
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            exported = True
    # A page of constants needs no list of them.
    if any(not name.startswith("_") for name in defined):
        assert exported, f"{path} has public names and no __all__"


@each([*MODULES, *TESTS, *sorted((ROOT / "examples").rglob("*.*"))])
def test_no_file_outgrows_one_idea(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{path} has {lines} lines"


@each(TESTS)
def test_tests_mirror_the_package(path: Path) -> None:
    inside = path.relative_to(ROOT / "tests")
    if inside.parts[0] in MIRRORS_NOTHING or path.name in ("conftest.py", *SHARED_BY_A_ROOM) or path == Path(__file__):
        return
    assert path.name.startswith("test_"), f"{path} is no test; helpers live in tests/support"
    stem = path.stem.removeprefix("test_")
    tested = PACKAGE / inside.parent / ("__init__" if stem == "init" else stem)
    assert tested.with_suffix(".py").exists() or tested.is_dir(), f"{path} tests no module: there is no {tested}.py"


@each(TESTS)
def test_no_test_sleeps(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        # sleep(0) gives the event loop a turn; it waits for nothing.
        turn = len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        assert name != "sleep" or turn, f"{path}:{node.lineno} sleeps: wait for an event"


def test_depends_on_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {
        extra: {re.split(r"[^A-Za-z0-9_.-]", wanted)[0].lower() for wanted in requirements}
        for extra, requirements in {
            "": project["project"]["dependencies"],
            **project["project"]["optional-dependencies"],
            **project["dependency-groups"],
        }.items()
    }
    assert names[""] == {"platformdirs", "rich", "typer"}
    for extra, wanted in names.items():
        # On the package index these two names are other people's projects.
        assert not wanted & {"pyrlang", "term"}, f"dependencies {extra!r} name {wanted}"


def test_every_room_has_its_row() -> None:
    rooms = {module_name(path) for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms <= set(ROOMS), "a new folder needs a row in the table"
