"""Constants of a statement as values of a column's type; None where SQL and the service could read them differently."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from sqlalchemy_dynamics.edm import SqlType
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Operand, Parameter, Value
from sqlalchemy_dynamics.planner.moments import Moment, literal_moment
from sqlalchemy_dynamics.planner.parse import bare, parameter_key
from sqlalchemy_dynamics.planner.times import MOMENT_NODES, moment_of

__all__ = ["Kinds", "NullConstant", "is_constant", "moment_operand", "operand", "text_of"]

Kinds = Mapping[int | str, str]
"""The Python type name of each parameter, by position (from 1) or name."""

_DATES = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE"})
_CASTS = {
    "UUID": {"UUID"},
    "VARCHAR": {"VARCHAR", "TEXT"},
    "INTEGER": {"INT", "BIGINT"},
    "BIGINT": {"INT", "BIGINT"},
    "DOUBLE": {"DOUBLE"},
    "BOOLEAN": {"BOOLEAN"},
}
_TRUTHS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
_SPANS = (exp.Interval, exp.Var)
_DEFAULT_PLACES = 3
_MOST_PLACES = 10
_PARAMETER_KINDS = {
    "UUID": {"str", "UUID"},
    "VARCHAR": {"str"},
    "INTEGER": {"int", "float", "Decimal"},
    "BIGINT": {"int", "Decimal"},
    "DECIMAL": {"int", "Decimal", "float"},
    "DOUBLE": {"int", "float", "Decimal"},
    "BOOLEAN": {"bool"},
    "TIMESTAMP WITH TIME ZONE": {"datetime", "date", "str"},
    "TIMESTAMP": {"datetime", "date", "str"},
    "DATE": {"datetime", "date", "str"},
}


class NullConstant:
    """The constant NULL: it compares with nothing."""


def is_constant(node: exp.Expression) -> bool:
    """Say whether a node is a literal, a parameter, a cast or sign of one, or computed from dates of those."""
    node = bare(node)
    if isinstance(node, (exp.Neg, exp.Cast, exp.Lower, exp.Upper)):
        return is_constant(node.this)
    if isinstance(node, MOMENT_NODES):
        parts = [part for part in node.iter_expressions() if not isinstance(part, (*_SPANS, exp.DataType))]
        return bool(parts) and all(map(is_constant, parts))
    return isinstance(node, (exp.Literal, exp.Boolean, exp.Null)) or parameter_key(node) is not None


def text_of(node: exp.Expression, pinned: Mapping[int | str, object]) -> str | None:
    """Return a text constant, looking through lower() and upper(), which the collation makes pointless."""
    node = bare(node)
    if isinstance(node, (exp.Lower, exp.Upper)):
        return text_of(node.this, pinned)
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    value = pinned.get(parameter_key(node) or 0)
    return value if isinstance(value, str) else None


def operand(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | NullConstant | None:
    """Return a constant as an operand to compare `column` with, or None when it must be compared locally.

    The value may lie outside or between the column's values (binding.compare). A parameter of no known kind, as when
    a statement is explained without its values, is taken for one that fits.
    """
    node = bare(node)
    if column.type.family in _DATES and parameter_key(node) is None:
        moment = moment_of(node, kinds)
        if moment is not None:
            return moment_operand(moment, column)
    key = _key_of(node, column.type.family)
    if key is not None:
        return _parameter(key, column, kinds.get(key, ""), cast=parameter_key(node) is None)
    if isinstance(node, exp.Null):
        return NullConstant()
    value = _VALUES.get(column.type.family, _nothing)(node, column.type)
    return None if value is None else Value(value, column.edm)


def moment_operand(moment: Moment, column: Column) -> Operand | None:
    """Return a moment as a value when it is known already, else as the key it is computed by at run time."""
    if not moment.is_fixed:
        return Parameter(moment, column.edm)
    value = moment.at({})
    return None if value is None else Value(value, column.edm)


def _key_of(node: exp.Expression, family: str) -> int | str | None:
    """Return the parameter that a node is, or is a cast of that changes nothing for this family of columns."""
    if isinstance(node, exp.Cast) and node.to.this.name in _CASTS.get(family, ()) and not node.to.expressions:
        node = bare(node.this)
    return parameter_key(node)


def _parameter(key: int | str, column: Column, kind: str, cast: bool) -> Operand | NullConstant | None:
    if kind == "NoneType":
        return NullConstant()
    allowed = _PARAMETER_KINDS.get(column.type.family, set())
    if cast and column.type.family in ("INTEGER", "BIGINT"):
        allowed = {"int"}
    return Parameter(key, column.edm) if not kind or kind in allowed else None


def _nothing(node: exp.Expression, kind: SqlType) -> None:
    return None


def _text(node: exp.Expression, kind: SqlType) -> str | None:
    return text_of(node, {})


def _guid(node: exp.Expression, kind: SqlType) -> str | None:
    text = _literal_text(node, ("UUID", "VARCHAR", "TEXT"))
    try:
        return None if text is None else str(uuid.UUID(text))
    except ValueError:
        return None


def _number(node: exp.Expression) -> Decimal | None:
    if isinstance(node, exp.Neg):
        inner = _number(bare(node.this))
        return None if inner is None else -inner
    if isinstance(node, exp.Cast):
        return _cast_number(node)
    if not isinstance(node, exp.Literal):
        return None
    try:
        number = Decimal(str(node.this).strip().replace("_", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _cast_number(node: exp.Cast) -> Decimal | None:
    """A cast that changes the number (rounds it, or overflows) is left to the residual engine."""
    kind, inner = node.to.this.name, _number(bare(node.this))
    if inner is None or node.to.expressions:
        return None
    if kind in ("INT", "BIGINT"):
        bound = 2**31 if kind == "INT" else 2**63
        return inner if inner == inner.to_integral_value() and -bound <= inner < bound else None
    if kind == "DECIMAL":
        return inner if _places(inner) <= _DEFAULT_PLACES and abs(inner) < 10**15 else None
    return inner if kind == "DOUBLE" else None


def _integer(node: exp.Expression, kind: SqlType) -> Decimal | None:
    """Text is cast to the column's type, which rounds or fails; numbers are compared as they are."""
    number = _number(node)
    if number is None or abs(number) >= 10**27 or _places(number) > _MOST_PLACES:
        return None
    whole = number == number.to_integral_value()
    return number if (whole and abs(number) < 2**31) or not _is_text(node) else None


def _is_text(node: exp.Expression) -> bool:
    return any(literal.is_string for literal in node.find_all(exp.Literal))


def _decimal(node: exp.Expression, kind: SqlType) -> Decimal | None:
    number = _number(node)
    return None if number is None or abs(number) >= 10**27 or _places(number) > _MOST_PLACES else number


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _double(node: exp.Expression, kind: SqlType) -> float | None:
    number = _number(node)
    return None if number is None else float(number)


def _boolean(node: exp.Expression, kind: SqlType) -> bool | None:
    if isinstance(node, exp.Literal) and not node.is_string and node.this in ("0", "1"):
        return bool(int(node.this))
    if isinstance(node, exp.Literal) and node.is_string:
        return _TRUTHS.get(node.this.lower())
    return bool(node.this) if isinstance(node, exp.Boolean) else None


def _literal_text(node: exp.Expression, casts: tuple[str, ...]) -> str | None:
    if isinstance(node, exp.Cast) and node.to.this.name in casts:
        node = bare(node.this)
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _moment(node: exp.Expression, kind: SqlType) -> datetime | None:
    """Text as the column's type reads it."""
    text = _literal_text(node, ())
    return None if text is None else literal_moment(text, naive=kind.family != "TIMESTAMP WITH TIME ZONE")


def _date(node: exp.Expression, kind: SqlType) -> date | None:
    moment = _moment(node, kind)
    return moment.date() if moment is not None else None


_VALUES: dict[str, Callable[[exp.Expression, SqlType], object]] = {
    "VARCHAR": _text,
    "UUID": _guid,
    "INTEGER": _integer,
    "BIGINT": _integer,
    "DECIMAL": _decimal,
    "DOUBLE": _double,
    "BOOLEAN": _boolean,
    "TIMESTAMP WITH TIME ZONE": _moment,
    "TIMESTAMP": _moment,
    "DATE": _date,
}
