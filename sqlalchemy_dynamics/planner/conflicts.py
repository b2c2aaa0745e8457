"""ON CONFLICT: which key decides, and what an existing row is set to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.planner.change_plan import Conflict
from sqlalchemy_dynamics.planner.parse import parameter_key, render

__all__ = ["conflict_of", "is_default"]


def conflict_of(
    node: exp.Expression | None, table: Table, columns: Sequence[Column], column: Callable[[str], Column], alias: str
) -> Conflict | None:
    """Return what an ON CONFLICT clause asks for. Raises ProgrammingError when it names no key of the table."""
    if node is None:
        return None
    if node.args.get("duplicate") or node.args.get("constraint"):
        raise NotSupportedError("name the key's columns: ON CONFLICT (column, …) DO UPDATE SET … or DO NOTHING")
    if table.intersect:
        raise NotSupportedError(f"rows of {table.name} are links, without ON CONFLICT: add WHERE NOT EXISTS (…)")
    if any(each.kind is Kind.FILE for each in columns):
        raise NotSupportedError("ON CONFLICT cannot set file columns: set them in an UPDATE")
    named = [_column_name(each) for each in node.args.get("conflict_keys") or ()]
    keys, *others = [_key(table, [column(name) for name in named])] if named else _given_keys(table, columns)
    missing = next((key.name for key in keys if key not in columns), None)
    if missing:
        raise ProgrammingError(f"ON CONFLICT needs a value for {missing}: name it among the inserted columns")
    action = node.args.get("action")
    if action is None or "UPDATE" not in action.name.upper():
        return Conflict(keys, False, others=tuple(others))
    where = node.args.get("where")
    text = "" if where is None else _rendered(where.this if isinstance(where, exp.Where) else where, alias)
    parts = [*node.expressions, *([] if where is None else [where])]
    markers = (parameter_key(marker) for part in parts for marker in part.find_all(exp.Parameter, exp.Placeholder))
    used = tuple(dict.fromkeys(key for key in markers if key is not None))
    return Conflict(keys, True, tuple(_settings(node.expressions, column, alias)), text, used)


def _column_name(node: exp.Expression) -> str:
    return str((node.this if isinstance(node, exp.Ordered) else node).name)


def _key(table: Table, columns: list[Column]) -> tuple[Column, ...]:
    names = {column.name for column in columns}
    if names == {table.primary_key}:
        return tuple(columns)
    found = next((key for key in table.keys if set(key.columns) == names), None)
    if found is None:
        keys = [table.primary_key, *(", ".join(key.columns) for key in table.keys)]
        raise ProgrammingError(
            f"ON CONFLICT ({', '.join(sorted(names))}) is no key of {table.name}; it has ({'), ('.join(keys)})"
        )
    return tuple(table.columns[name] for name in found.columns)


def _given_keys(table: Table, columns: Sequence[Column]) -> list[tuple[Column, ...]]:
    """The keys that all columns are inserted of; one without columns when there are none."""
    names = {column.name for column in columns}
    keys = [(table.primary_key,), *(key.columns for key in table.keys)]
    found = [tuple(table.columns[name] for name in key) for key in keys if names.issuperset(key)]
    return found or [()]


def _settings(
    nodes: Sequence[exp.Expression], column: Callable[[str], Column], alias: str
) -> Iterator[tuple[Column, Column | None, str]]:
    for node in nodes:
        if not isinstance(node, exp.EQ):
            raise NotSupportedError("DO UPDATE SET takes column = value pairs only")
        value = node.expression
        target = column(node.this.name)
        if target.kind is Kind.FILE:
            raise NotSupportedError("ON CONFLICT cannot set file columns: set them in an UPDATE")
        if is_default(value):
            value = exp.convert(target.default)
        taken = isinstance(value, exp.Column) and value.table.lower() == "excluded"
        yield target, column(value.name) if taken else None, _rendered(value, alias)


def is_default(node: exp.Expression) -> bool:
    """Say whether a value is the word DEFAULT."""
    return isinstance(node, (exp.Var, exp.Column)) and node.sql().upper() == "DEFAULT"


def _rendered(node: exp.Expression, alias: str) -> str:
    """The SQL of an expression; a bare name means the table's column, as `excluded` has the same names.

    In a subquery it means what it means there.
    """
    whole = exp.Paren(this=node.copy())
    for column in whole.find_all(exp.Column):
        if not column.table and column.find_ancestor(exp.Query) is None:
            column.set("table", exp.to_identifier(alias, quoted=True))
    return render(whole.this)
