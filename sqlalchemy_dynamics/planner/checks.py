"""Constants that must be what they are used as, found before anything is fetched.

A constant the planner understands needs no check. The others are tried by the local engine, each on its own: a text
compared with a number, a date that no calendar has, a cast that fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlglot import exp

from sqlalchemy_dynamics.edm import BIGINT, DOUBLE, SqlType
from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.planner.constants import Kinds, is_constant, operand
from sqlalchemy_dynamics.planner.names import Sources
from sqlalchemy_dynamics.planner.parse import bare, parameter_key, render, shown
from sqlalchemy_dynamics.planner.plan import Check
from sqlalchemy_dynamics.planner.times import moment_of, unit_of, whole_number

__all__ = ["checks_of"]

_SUMS = (exp.Add, exp.Sub, exp.Mul, exp.Div)
_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Between,
)  # fmt: skip
_SEARCHES = (exp.Like, exp.ILike, exp.StartsWith)
_COMPARED = (*_COMPARISONS, *_SEARCHES, *_SUMS)
_LOOKED_AT = (*_COMPARED, exp.Limit, exp.Offset, exp.Cast, exp.Interval, exp.TimeToStr)
_WHOLE = (exp.Count, exp.Year, exp.Month, exp.Day, exp.Quarter, exp.Extract, exp.DateDiff)
_SAME = (exp.Min, exp.Max, exp.Coalesce, exp.Paren, exp.Neg)
_NUMERIC = frozenset({"INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "DOUBLE"})
_NOT_TEXT = frozenset({"int", "float", "Decimal", "bool", "date", "datetime", "UUID", "bytes"})
_NUMBERS = frozenset({"int", "float", "Decimal", "bool"})
_GUARDS = (exp.Case, exp.Coalesce, exp.TryCast)
_TEXT_TYPES = ("TEXT", "VARCHAR", "CHAR", "NVARCHAR")


def checks_of(tree: exp.Expression, sources: Sources, kinds: Kinds, where: bool = True) -> tuple[Check, ...]:
    """Return what the local engine has to try before a statement is run; without `where` that clause is left out.

    Raises ProgrammingError for a LIMIT that is no number, and for text compared with anything else.
    """
    nodes = list(tree.find_all(*_LOOKED_AT))
    _refuse_amounts(node for node in nodes if isinstance(node, (exp.Limit, exp.Offset)))
    compared = _compared((node for node in nodes if isinstance(node, _COMPARED)), sources, kinds, where)
    computed = _computed((node for node in nodes if isinstance(node, (exp.Cast, exp.Interval))), kinds)
    formatted = _formatted(node for node in nodes if isinstance(node, exp.TimeToStr))
    found = {check.sql: check for check in (*compared, *computed, *formatted)}
    return tuple(found.values())


def _refuse_amounts(clauses: Iterable[exp.Expression]) -> None:
    for clause in clauses:
        amount = clause.expression
        if isinstance(amount, exp.Literal) and amount.is_string and not amount.this.strip().isdecimal():
            word = clause.key.upper()
            raise ProgrammingError(f"{word} needs a whole number that is not negative, got {amount.this!r}")


def _compared(nodes: Iterable[exp.Expression], sources: Sources, kinds: Kinds, where: bool) -> Iterator[Check]:
    for node in nodes:
        if not where and node.find_ancestor(exp.Where) is not None:
            continue
        sides = [side for side in _sides(node) if isinstance(side, exp.Expression)]
        constants = [side for side in sides if is_constant(side)]
        if len(constants) == len(sides):
            yield from _between_constants(node, constants)
        if not constants or len(constants) == len(sides):
            continue
        typed = next((kind for kind in (_type_of(side, sources) for side in sides) if kind is not None), None)
        if typed is None or (isinstance(node, _SUMS) and typed[1].family not in _NUMERIC):
            continue
        column, kind = typed
        if kind.family == "VARCHAR":
            for constant in constants:
                _refuse_other_than_text(node, constant, column, kinds)
            continue
        doubtful = [constant for constant in constants if _is_doubtful(constant, column, kind, kinds)]
        term = shown(node) if doubtful else ""
        for constant in doubtful:
            yield replace(_fits(constant, column, DOUBLE if isinstance(node, _SUMS) else kind), term=term)


def _sides(node: exp.Expression) -> tuple[exp.Expression | None, ...]:
    if isinstance(node, exp.In):
        return (node.this, *node.expressions)
    if isinstance(node, exp.Between):
        return node.this, node.args["low"], node.args["high"]
    return node.this, node.expression


def _type_of(node: exp.Expression, sources: Sources) -> tuple[Column | None, SqlType] | None:
    """Return the type of an expression as far as constants beside it must fit it, and the column it comes from."""
    owned = sources.owner_of(node)
    if owned is not None:
        return owned[1], owned[1].type
    if isinstance(node, _WHOLE):
        return None, BIGINT
    if isinstance(node, _SAME) and isinstance(node.this, exp.Expression):
        inner = _type_of(node.this, sources)
        return None if inner is None else (None, inner[1])
    if isinstance(node, (exp.Sum, exp.Avg, exp.Abs, exp.Round, *_SUMS)):
        sides = [node.this, node.args.get("expression")]
        types = [_type_of(side, sources) for side in sides if isinstance(side, exp.Expression)]
        return (None, DOUBLE) if any(each is not None and each[1].family in _NUMERIC for each in types) else None
    return None


def _between_constants(node: exp.Expression, constants: list[exp.Expression]) -> Iterator[Check]:
    """`1 = 'a'`: text beside something else."""
    texts = [_is_text(constant) for constant in constants]
    if any(texts) and not all(texts) and not isinstance(node, _SEARCHES) and not _is_guarded(node):
        yield _check(node, node)


def _is_text(node: exp.Expression) -> bool:
    node = bare(node)
    return isinstance(node, exp.Literal) and node.is_string


def _refuse_other_than_text(
    node: exp.Expression, constant: exp.Expression, column: Column | None, kinds: Kinds
) -> None:
    inner = bare(constant)
    inner = bare(inner.this) if isinstance(inner, exp.Neg) else inner
    number = isinstance(inner, exp.Boolean) or (isinstance(inner, exp.Literal) and not inner.is_string)
    kind = kinds.get(parameter_key(inner) or 0, "")
    if column is None or not (number or kind in _NOT_TEXT):
        return
    given = f"a value of type {kind}" if kind else shown(constant)
    advice = f"write '{shown(constant)}'" if number else "pass a text"
    raise ProgrammingError(f"{shown(node)}: {column.name} is text and is not compared with {given}; {advice}")


def _is_doubtful(constant: exp.Expression, column: Column | None, kind: SqlType, kinds: Kinds) -> bool:
    inner = bare(constant)
    if isinstance(inner, exp.Null) or _is_number(inner, kinds):
        return kind.family not in _NUMERIC | {"BOOLEAN"} and not isinstance(inner, exp.Null)
    if parameter_key(inner) is not None:
        return kinds.get(parameter_key(inner) or 0) == "str"
    return operand(constant, column or Column("", "", kind), kinds) is None


def _is_number(node: exp.Expression, kinds: Kinds) -> bool:
    node = bare(node.this) if isinstance(node, exp.Neg) else node
    literal = isinstance(node, exp.Literal) and not node.is_string
    return literal or isinstance(node, exp.Boolean) or kinds.get(parameter_key(node) or 0) in _NUMBERS


def _fits(constant: exp.Expression, column: Column | None, kind: SqlType) -> Check:
    target = "DECIMAL(38,10)" if kind.family == "DECIMAL" and parameter_key(bare(constant)) is not None else kind.sql
    check = _check(exp.cast(constant.copy(), target))
    if parameter_key(bare(constant)) is None and not isinstance(bare(constant), (exp.Literal, exp.Boolean)):
        return check
    what = f"{{}} is no {kind.sql}"
    if column is not None and kind is column.type:
        what += f", the type of {column.name}" + f"; labels are in {column.name}name" * (column.kind is Kind.CHOICE)
    return replace(check, what=what, given=None if check.parameters else shown(constant))


def _computed(nodes: Iterable[exp.Expression], kinds: Kinds) -> Iterator[Check]:
    """Casts and intervals of constants that the planner does not compute itself."""
    for node in nodes:
        inner = node.this
        if not isinstance(inner, exp.Expression) or not is_constant(inner) or _is_guarded(node):
            continue
        if isinstance(node, exp.Interval):
            if whole_number(inner, kinds) is None or unit_of(node.args.get("unit")) is None:
                yield _check(node, node)
        elif node.to.this.name not in _TEXT_TYPES and not _is_null(inner, kinds) and moment_of(node, kinds) is None:
            yield _check(node, node)


def _is_null(node: exp.Expression, kinds: Kinds) -> bool:
    return isinstance(bare(node), exp.Null) or kinds.get(parameter_key(bare(node)) or 0) == "NoneType"


def _is_guarded(node: exp.Expression) -> bool:
    """A branch that is never taken may hold anything."""
    return isinstance(node, exp.TryCast) or node.find_ancestor(*_GUARDS) is not None


def _formatted(nodes: Iterable[exp.Expression]) -> Iterator[Check]:
    """Patterns of dates, tried on a date."""
    for node in nodes:
        if is_constant(node.args["format"]) and not _is_guarded(node):
            trial = node.copy()
            trial.set("this", exp.cast(exp.Literal.string("2000-01-01"), "TIMESTAMP"))
            yield _check(trial, node)


def _check(node: exp.Expression, term: exp.Expression | None = None) -> Check:
    keys = (parameter_key(each) for each in node.find_all(exp.Parameter, exp.Placeholder))
    return Check(
        render(node),
        "" if term is None else shown(term),
        parameters=tuple(dict.fromkeys(key for key in keys if key is not None)),
    )
