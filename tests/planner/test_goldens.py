"""SQL in, requests and residual out: the files of goldens/ are the documentation of what goes down.

A statement stands above its steps. `python -m tests.planner.test_goldens` writes the steps anew; read the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.execute.explain import steps_of
from sqlalchemy_dynamics.planner.parse import parse
from sqlalchemy_dynamics.planner.reading import plan_select
from sqlalchemy_dynamics.planner.residual import parameters_in
from tests.planner.organisation import MODEL

FOLDER = Path(__file__).parent / "goldens"


def entries(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (statement, expected steps); comments have no statement."""
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        statement = "\n".join(line for line in lines if not line.startswith("  "))
        yield statement, "\n".join(line for line in lines if line.startswith("  "))


def steps(statement: str, dialect: str = "dynamics") -> str:
    """Return what EXPLAIN shows of a statement, all parameters being whole numbers, or the error it is refused with."""
    try:
        return _steps(statement, dialect)
    except (ProgrammingError, NotSupportedError) as error:
        return f"  {type(error).__name__}: {error}"


def _steps(statement: str, dialect: str) -> str:
    parsed = parse(statement, dialect)
    assert parsed.tree is not None
    kinds: dict[int | str, str] = dict.fromkeys(parameters_in(parsed.tree), "int")
    if parsed.clock is not None:
        kinds[parsed.clock] = "datetime"
    plan = plan_select(parsed.tree, MODEL.table, kinds, {})
    return "\n".join(f"  {kind}: {detail}" for _, kind, detail in steps_of(plan, None if kinds else {}, None))


def _dialect(path: Path) -> str:
    return "tsql" if path.stem == "tsql" else "dynamics"


CASES = [
    pytest.param(statement, expected, _dialect(path), id=f"{path.stem}: {statement}")
    for path in sorted(FOLDER.glob("*.txt"))
    for statement, expected in entries(path)
    if not statement.startswith("#")
]


@pytest.mark.parametrize(("statement", "expected", "dialect"), CASES)
def test_golden(statement: str, expected: str, dialect: str) -> None:
    assert steps(statement, dialect) == expected


def _write(path: Path) -> None:
    blocks = [
        statement if statement.startswith("#") else f"{statement}\n{steps(statement, _dialect(path))}"
        for statement, _ in entries(path)
    ]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.txt")):
        _write(file)
