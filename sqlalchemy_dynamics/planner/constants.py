"""Constants of a statement as values of a column's type; None where SQL and the service could read them differently."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from sqlalchemy_dynamics.edm import SqlType
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Operand, Parameter, Value
from sqlalchemy_dynamics.planner.parse import parameter_key

__all__ = ["Kinds", "NullConstant", "is_constant", "operand", "text_of"]

Kinds = Mapping[int | str, str]
"""The Python type name of each parameter, by position (from 1) or name."""

_INT_RANGE = {"INTEGER": 2**31, "BIGINT": 2**63}
_DATE_TYPES = ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME", "TIMESTAMPNTZ")
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_PARAMETER_KINDS = {
    "UUID": {"str", "UUID"},
    "VARCHAR": {"str"},
    "INTEGER": {"int"},
    "BIGINT": {"int"},
    "DECIMAL": {"int", "Decimal", "float"},
    "DOUBLE": {"int", "float", "Decimal"},
    "BOOLEAN": {"bool"},
    "TIMESTAMP WITH TIME ZONE": {"datetime", "date", "str"},
    "TIMESTAMP": {"datetime", "date", "str"},
    "DATE": {"date", "str"},
}


class NullConstant:
    """The constant NULL: it compares with nothing."""


def is_constant(node: exp.Expression) -> bool:
    """Say whether a node is a literal, a parameter, or a cast or sign of one."""
    node = _bare(node)
    if isinstance(node, (exp.Neg, exp.Cast, exp.Lower, exp.Upper)):
        return is_constant(node.this)
    return isinstance(node, (exp.Literal, exp.Boolean, exp.Null)) or parameter_key(node) is not None


def text_of(node: exp.Expression, pinned: Mapping[int | str, object]) -> str | None:
    """Return a text constant, looking through lower() and upper(), which the collation makes pointless."""
    node = _bare(node)
    if isinstance(node, (exp.Lower, exp.Upper)):
        return text_of(node.this, pinned)
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    value = pinned.get(parameter_key(node) or 0)
    return value if isinstance(value, str) else None


def operand(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | NullConstant | None:
    """Return a constant as an operand to compare `column` with, or None when it must be compared locally."""
    node = _bare(node)
    key = parameter_key(node)
    if key is not None:
        return _parameter(key, column, kinds.get(key, ""))
    if isinstance(node, exp.Null):
        return NullConstant()
    value = _VALUES.get(column.type.family, _nothing)(node, column.type)
    return None if value is None else Value(value, column.edm)


def _bare(node: exp.Expression) -> exp.Expression:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _parameter(key: int | str, column: Column, kind: str) -> Operand | NullConstant | None:
    if kind == "NoneType":
        return NullConstant()
    allowed = _PARAMETER_KINDS.get(column.type.family, set())
    return Parameter(key, column.edm) if kind in allowed else None


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
        inner = _number(_bare(node.this))
        return None if inner is None else -inner
    if isinstance(node, exp.Cast) and node.to.this.name in ("INT", "BIGINT", "DECIMAL", "DOUBLE"):
        return _number(_bare(node.this)) if node.to.this.name == "DOUBLE" or not node.to.expressions else None
    if not isinstance(node, exp.Literal):
        return None
    try:
        number = Decimal(str(node.this).strip().replace("_", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _integer(node: exp.Expression, kind: SqlType) -> int | None:
    number, bound = _number(node), _INT_RANGE[kind.family]
    if number is None or number != number.to_integral_value() or not -bound <= number < bound:
        return None
    return int(number)


def _decimal(node: exp.Expression, kind: SqlType) -> Decimal | None:
    number = _number(node)
    return None if number is None or abs(number) >= 10**27 or _places(number) > 10 else number


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _double(node: exp.Expression, kind: SqlType) -> float | None:
    number = _number(node)
    return None if number is None else float(number)


def _boolean(node: exp.Expression, kind: SqlType) -> bool | None:
    return bool(node.this) if isinstance(node, exp.Boolean) else None


def _literal_text(node: exp.Expression, casts: tuple[str, ...]) -> str | None:
    if isinstance(node, exp.Cast) and node.to.this.name in casts:
        node = _bare(node.this)
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _moment(node: exp.Expression, kind: SqlType) -> datetime | None:
    """Whole seconds only: the service stores no fractions, and how it compares with one is not documented."""
    text = _literal_text(node, _DATE_TYPES)
    match = _MOMENT.fullmatch(text.strip()) if text is not None else None
    if match is None or (match[7] or "0").strip("0"):
        return None
    cut_to_date = isinstance(node, exp.Cast) and node.to.this.name == "DATE"
    if cut_to_date and match[4]:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return _shifted(moment, match[8], kind)


def _shifted(moment: datetime, zone: str | None, kind: SqlType) -> datetime | None:
    if zone in (None, "Z") or not zone:
        return moment if kind.family != "TIMESTAMP" or zone is None else None
    if kind.family == "TIMESTAMP":
        return None
    text = zone if len(zone) > 3 else zone + "00"
    return datetime.fromisoformat(moment.strftime("%Y-%m-%dT%H:%M:%S") + text).astimezone(UTC)


def _date(node: exp.Expression, kind: SqlType) -> date | None:
    moment = _moment(node, SqlType("TIMESTAMP"))
    return moment.date() if moment is not None and moment.time().isoformat() == "00:00:00" else None


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
