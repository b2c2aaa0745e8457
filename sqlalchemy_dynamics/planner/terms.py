"""Constants and parameters of a write as terms, and a WHERE that names nothing but keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.planner.change_plan import Fixed, Term
from sqlalchemy_dynamics.planner.parse import parameter_key
from sqlalchemy_dynamics.planner.plan import Marker

__all__ = ["constants_alone", "equal_to_parameters", "keys_alone", "term_of"]

_VERSION = "versionnumber"
_KEPT = (Kind.VALUE, Kind.LOOKUP)
_TEXTS = ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "UUID", "TEXT", "VARCHAR")


def term_of(node: exp.Expression) -> Term | None:
    """Return a literal, NULL or parameter as a term, None for anything that has to be computed."""
    while isinstance(node, exp.Paren):
        node = node.this
    key = parameter_key(node)
    if key is not None:
        return Marker(key)
    if isinstance(node, exp.Null):
        return Fixed(None)
    if isinstance(node, exp.Boolean):
        return Fixed(bool(node.this))
    if isinstance(node, exp.Literal):
        return Fixed(str(node.this) if node.is_string else _number(str(node.this)))
    if isinstance(node, exp.Neg):
        inner = term_of(node.this)
        number = inner.value if isinstance(inner, Fixed) else None
        return Fixed(-number) if isinstance(number, (int, Decimal)) and not isinstance(number, bool) else None
    if isinstance(node, exp.Cast) and node.to.this.name in _TEXTS and not node.to.expressions:
        inner = node.this
        return Fixed(str(inner.this)) if isinstance(inner, exp.Literal) and inner.is_string else None
    return None


def keys_alone(where: exp.Expression, table: Table, names: set[str]) -> tuple[tuple[Term, ...], Term | None] | None:
    """Return the keys (and the version) that a WHERE names when it says nothing else, None otherwise."""
    keys: tuple[Term, ...] | None = None
    version: Term | None = None
    for condition in _conditions(where):
        column, terms = _named(condition, names)
        found = table.column(column) if column else None
        if found is not None and found.name == table.primary_key and keys is None:
            keys = terms
        elif found is not None and found.name == _VERSION and len(terms) == 1 and version is None:
            version = terms[0]
        else:
            return None
    if keys is None or (version is not None and len(keys) != 1):
        return None
    return keys, version


def equal_to_parameters(where: exp.Expression, table: Table, names: set[str]) -> tuple[tuple[Column, int | str], ...]:
    """Return the columns that a WHERE wants equal to parameters when it says nothing else, none otherwise.

    Only columns that hold what is written to them count: what the service makes may change with others.
    """
    found = []
    for condition in _conditions(where):
        column, terms = _named(condition, names) if isinstance(condition, exp.EQ) else ("", ())
        known = table.column(column) if column else None
        if known is None or not isinstance(terms[0], Marker) or known.kind not in _KEPT or not known.updatable:
            return ()
        found.append((known, terms[0].key))
    return tuple(found)


def constants_alone(where: exp.Expression, table: Table, names: set[str], wanted: Sequence[str]) -> tuple[Term, ...]:
    """Return the constant that a WHERE names for each wanted column when it says nothing else, none otherwise."""
    found: dict[str, Term] = {}
    for condition in _conditions(where):
        name, terms = _named(condition, names)
        column = table.column(name) if name else None
        if column is None or column.name in found or len(terms) != 1:
            return ()
        found[column.name] = terms[0]
    return tuple(found[name] for name in wanted) if found.keys() == set(wanted) else ()


def _conditions(where: exp.Expression) -> Iterator[exp.Expression]:
    while isinstance(where, exp.Paren):
        where = where.this
    if isinstance(where, exp.And):
        yield from _conditions(where.left)
        yield from _conditions(where.right)
    else:
        yield where


def _named(condition: exp.Expression, names: set[str]) -> tuple[str, tuple[Term, ...]]:
    """Column and constants of ``column = constant`` or ``column IN (constants)``; ("", ()) for anything else."""
    if isinstance(condition, exp.EQ):
        sides = [condition.this, condition.expression]
        node, values = (sides[0], [sides[1]]) if isinstance(sides[0], exp.Column) else (sides[1], [sides[0]])
    elif isinstance(condition, exp.In) and not condition.args.get("query") and not condition.args.get("unnest"):
        node, values = condition.this, list(condition.expressions)
    else:
        return "", ()
    terms = [term_of(value) for value in values]
    known = tuple(term for term in terms if term is not None)
    if not isinstance(node, exp.Column) or len(known) != len(terms) or not known:
        return "", ()
    return (node.name, known) if node.table.lower() in {"", *names} else ("", ())


def _number(text: str) -> int | Decimal:
    return int(text) if text.isdigit() else Decimal(text)
