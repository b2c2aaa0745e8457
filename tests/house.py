"""The floors of the house: who may import whom, which libraries live in which room, and how long a module may be.

Run as a script it prints what is wrong and exits with 1. `FLOORS` is exhaustive: a file that no row covers is an error.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "sqlalchemy_dynamics"
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50

# The longest matching prefix counts. A module imports from its own room, and from rooms on lower floors.
FLOORS = {
    "dynamics_auth": 0,
    "sqlalchemy_dynamics.errors": 0,
    "sqlalchemy_dynamics.edm": 0,
    "sqlalchemy_dynamics.settings": 1,
    "sqlalchemy_dynamics.odata": 2,
    "sqlalchemy_dynamics.metadata": 3,
    "sqlalchemy_dynamics.planner": 4,
    "sqlalchemy_dynamics.transport": 4,
    "sqlalchemy_dynamics.sandbox": 4,
    "sqlalchemy_dynamics.session": 5,
    "sqlalchemy_dynamics.catalog": 6,
    "sqlalchemy_dynamics.execute": 7,
    "sqlalchemy_dynamics.dbapi": 8,
    "sqlalchemy_dynamics.dialect": 9,
    "sqlalchemy_dynamics.explaining": 10,
    "sqlalchemy_dynamics.cli": 11,
    "sqlalchemy_dynamics.__main__": 12,
    "sqlalchemy_dynamics": 12,
}
# Libraries with a home: only modules under these prefixes may import them.
HOMES = {
    "duckdb": ("sqlalchemy_dynamics.execute.engine",),
    "sqlglot": ("sqlalchemy_dynamics.planner",),
    "httpx": ("sqlalchemy_dynamics.transport",),
    "msal": ("dynamics_auth",),
    "sqlalchemy": ("sqlalchemy_dynamics.dialect", "sqlalchemy_dynamics.explaining", "dynamics_auth"),
    "starlette": ("sqlalchemy_dynamics.sandbox",),
    "uvicorn": ("sqlalchemy_dynamics.sandbox",),
    "sqlite3": ("sqlalchemy_dynamics.sandbox",),
    "cryptography": ("dynamics_auth", "sqlalchemy_dynamics.transport", "sqlalchemy_dynamics.sandbox"),
}
PURE = ("sqlalchemy_dynamics.odata", "sqlalchemy_dynamics.metadata", "sqlalchemy_dynamics.planner")
IMPURE_MODULES = frozenset({"socket", "ssl", "os", "time", "random", "secrets", "pathlib", "subprocess", "threading"})
# What a room may import of the others beyond its floor: the sandbox is an independent witness.
ONLY = {"sqlalchemy_dynamics.sandbox": ("sqlalchemy_dynamics.sandbox", "sqlalchemy_dynamics.odata.messages")}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield (dotted name, file) of every module of the two packages."""
    for base, package in ((ROOT, PACKAGE), (ROOT / "auth", "dynamics_auth")):
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names a module imports when it is imported, and inside its functions."""
    type_checking = {id(node) for block in _guarded(tree) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in type_checking:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _guarded(tree: ast.Module) -> Iterator[ast.If]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield node


def room_of(name: str) -> str | None:
    """Return the FLOORS row that covers a dotted name, None for foreign modules."""
    rows = [row for row in FLOORS if name == row or name.startswith(row + ".")]
    found = max(rows, key=len, default=None)
    covered = found is not None and (found != PACKAGE or name.count(".") == 0 or name.rpartition(".")[0] == PACKAGE)
    return found if covered else None


def complaints(name: str, source: str) -> Iterator[str]:
    """Yield what is wrong with one module."""
    tree = ast.parse(source)
    room = room_of(name)
    if room is None or (room == PACKAGE and name != PACKAGE):
        yield f"{name}: no floor is written down for it"
        return
    for imported in imports(tree):
        yield from _import_complaints(name, room, imported)
    yield from _size_complaints(name, tree, source)
    if name.rpartition(".")[2] in sys.stdlib_module_names and not name.endswith("__main__"):
        yield f"{name}: named like a module of the standard library"


def _import_complaints(name: str, room: str, imported: str) -> Iterator[str]:
    top = imported.partition(".")[0]
    if top in HOMES and not _under(name, HOMES[top]):
        yield f"{name}: imports {top}, which lives in {', '.join(HOMES[top])}"
    if top in IMPURE_MODULES and _under(name, PURE):
        yield f"{name}: imports {top}, but the room is pure"
    target = room_of(imported)
    if target is None or target == room or name == PACKAGE:
        return
    if FLOORS[target] >= FLOORS[room]:
        yield f"{name} (floor {FLOORS[room]}): imports {imported} (floor {FLOORS[target]})"
    if room in ONLY and not _under(imported, ONLY[room]):
        yield f"{name}: imports {imported}; its room stands alone"


def _size_complaints(name: str, tree: ast.Module, source: str) -> Iterator[str]:
    lines = source.count("\n")
    if lines > LONGEST_MODULE:
        yield f"{name}: {lines} lines, at most {LONGEST_MODULE}"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name}.{node.name}: {length} lines, at most {LONGEST_FUNCTION}"


def _under(name: str, prefixes: Iterable[str]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def all_complaints() -> list[str]:
    """Return what is wrong with the whole house."""
    return [complaint for name, path in modules() for complaint in complaints(name, path.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    found = all_complaints()
    print("\n".join(found) or f"{len(list(modules()))} modules stand on their floors")
    sys.exit(1 if found else 0)
