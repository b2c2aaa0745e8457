"""Expressions of date constants as moments: casts, intervals, truncation, the clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp

from sqlalchemy_dynamics.planner.moments import UNITS, Key, Moment, literal_moment
from sqlalchemy_dynamics.planner.parse import bare, is_clock, parameter_key

__all__ = ["DATE_TYPES", "MOMENT_NODES", "moment_of", "unit_of", "whole_number"]

Kinds = Mapping[int | str, str]
DATE_TYPES = ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME", "TIMESTAMPNTZ")


def moment_of(node: exp.Expression, kinds: Kinds) -> Moment | None:
    """Return what an expression of date constants computes; None for anything else, and for bare text."""
    node = bare(node)
    key = parameter_key(node)
    if key is not None:
        kind = kinds.get(key, "datetime")
        name = "now" if is_clock(node) else f"${key}"
        return Moment(Key(key, name), is_date=kind == "date") if kind in ("datetime", "date") else None
    reader = _READERS.get(type(node))
    return reader(node, kinds) if reader else None


def whole_number(node: exp.Expression | None, kinds: Kinds) -> int | Key | None:
    """Return a whole number, or the parameter that holds one."""
    if node is None:
        return None
    node = bare(node)
    if isinstance(node, exp.Neg):
        inner = whole_number(node.this, kinds)
        return -inner if isinstance(inner, int) else None
    key = parameter_key(node)
    if key is not None:
        return Key(key, f"${key}") if kinds.get(key, "int") == "int" else None
    return int(node.this) if isinstance(node, exp.Literal) and re.fullmatch(r"[+-]?\d{1,9}", node.this) else None


def unit_of(node: exp.Expression | None) -> str | None:
    """Return a unit's name in lower case and singular, None when it is none of UNITS."""
    name = node.name.lower() if isinstance(node, (exp.Var, exp.Literal, exp.Column)) else ""
    name = name.removesuffix("s") if name != "s" else name
    return name if name in UNITS else None


def _cast(node: exp.Cast, kinds: Kinds) -> Moment | None:
    kind = node.to.this.name
    if kind not in DATE_TYPES:
        return None
    inner = bare(node.this)
    key = parameter_key(inner)
    if isinstance(inner, exp.Literal) and inner.is_string:
        fixed = literal_moment(inner.this, naive=kind != "TIMESTAMPTZ")
        found = None if fixed is None else Moment(fixed)
    elif key is not None and kinds.get(key, "str") == "str" and kind == "TIMESTAMPTZ":
        found = Moment(Key(key, f"${key}"))
    else:
        found = moment_of(inner, kinds)
    if found is None or kind != "DATE":
        return found if found is None else replace(found, is_date=False)
    return replace(found.floor("day"), is_date=True)


def _sum(node: exp.Expression, kinds: Kinds) -> Moment | None:
    sign = -1 if isinstance(node, (exp.Sub, exp.DateSub)) else 1
    start, span = moment_of(node.this, kinds), bare(node.expression)
    if start is None and sign == 1:
        start, span = moment_of(node.expression, kinds), bare(node.this)
    if start is None:
        return None
    if isinstance(span, exp.Interval):
        return _plus(start, span.this, span.args.get("unit"), sign, kinds)
    if isinstance(node, (exp.DateAdd, exp.DateSub)):
        return _plus(start, span, node.args.get("unit"), sign, kinds)
    key = parameter_key(span)
    if key is not None and kinds.get(key) == "timedelta":
        return start.plus("day", Key(key, f"${key}"), sign)
    days = whole_number(span, kinds) if start.is_date else None
    return None if days is None else replace(start.plus("day", days, sign), is_date=True)


def _plus(start: Moment, amount: exp.Expression, unit: exp.Expression | None, sign: int, kinds: Kinds) -> Moment | None:
    number, name = whole_number(amount, kinds), unit_of(unit)
    return None if number is None or name is None else start.plus(name, number, sign)


def _truncated(node: exp.Expression, kinds: Kinds) -> Moment | None:
    inner, unit = moment_of(node.this, kinds), unit_of(node.args.get("unit"))
    if inner is None or unit is None or node.args.get("zone"):
        return None
    return replace(inner.floor(unit), is_date=False)


def _day(node: exp.Expression, kinds: Kinds) -> Moment | None:
    inner = moment_of(node.this, kinds) if isinstance(node.this, exp.Expression) else None
    return None if inner is None or node.args.get("expressions") else replace(inner.floor("day"), is_date=True)


def _last_day(node: exp.LastDay, kinds: Kinds) -> Moment | None:
    inner = moment_of(node.this, kinds)
    if inner is None or node.args.get("unit"):
        return None
    return replace(inner.following("month").plus("day", 1, -1), is_date=True)


def _from_parts(node: exp.DateFromParts, kinds: Kinds) -> Moment | None:
    parts = [whole_number(node.args.get(name), kinds) for name in ("year", "month", "day")]
    numbers = [part for part in parts if isinstance(part, int)]
    if len(numbers) != 3:
        return None
    year, month, day = numbers
    try:
        return Moment(datetime(year, month, day, tzinfo=UTC), is_date=True)
    except ValueError:
        return None


def _zoned(node: exp.AtTimeZone, kinds: Kinds) -> Moment | None:
    inner = moment_of(node.this, kinds) if node.args["zone"].name.upper() == "UTC" else None
    return None if inner is None or inner.is_date else inner


_READERS: dict[type[exp.Expression], Callable[[Any, Kinds], Moment | None]] = {
    exp.Cast: _cast,
    exp.Add: _sum,
    exp.Sub: _sum,
    exp.DateAdd: _sum,
    exp.DateSub: _sum,
    exp.TimestampTrunc: _truncated,
    exp.DateTrunc: _truncated,
    exp.Date: _day,
    exp.LastDay: _last_day,
    exp.DateFromParts: _from_parts,
    exp.AtTimeZone: _zoned,
}
MOMENT_NODES = tuple(_READERS)
"""The nodes that a date constant may be made of."""
