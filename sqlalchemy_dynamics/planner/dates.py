"""Conditions on functions of a date column as ranges of the column: `YEAR(x) = 2024`, `DATE_TRUNC('month', x) < …`.

All of these functions grow with the column, so a comparison of theirs is one of the column with the first moment that
belongs to the constant's year, month, day… (`low`), or with the first one after it (`high`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Both, Either, Filter, Never, Null
from sqlalchemy_dynamics.planner.constants import Kinds, is_constant, moment_operand
from sqlalchemy_dynamics.planner.leaves import comparison
from sqlalchemy_dynamics.planner.moments import FIXED_UNITS, Key, Moment, literal_moment, starting_in
from sqlalchemy_dynamics.planner.times import DATE_TYPES, moment_of, unit_of, whole_number

__all__ = ["argument", "date_column", "date_range"]

Owned = Callable[[exp.Expression], Column | None]
_FAMILIES = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE"})
_PARTS: dict[type[exp.Expression], str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Day: "day",
    exp.DayOfMonth: "day",
}
_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_NO_TIME = frozenset({"hour", "minute", "second"})


@dataclass(frozen=True)
class _Span:
    """What a constant stands for on the column's time line, from `low` until before `high`; equal for a point."""

    low: Moment
    high: Moment

    def compared(self, column: Column, op: str) -> Filter | None:
        """Return `column op span`; None when a bound is no moment of the calendar."""
        if self.low == self.high:
            return _bound(column, op, self.low)
        if op in ("eq", "ne") and self._is_empty():
            return Never() if op == "eq" else Null((column.wire,), negated=True)
        bounds = [_bound(column, way, getattr(self, side)) for way, side in _BOUNDS[op]]
        kept = tuple(bound for bound in bounds if bound is not None)
        if len(kept) < len(bounds):
            return None
        return Either(kept) if op == "ne" else Both(kept)

    def _is_empty(self) -> bool:
        return self.low.is_fixed and self.high.is_fixed and self.low.at({}) == self.high.at({})


_BOUNDS = {
    "eq": (("ge", "low"), ("lt", "high")),
    "ne": (("lt", "low"), ("ge", "high")),
    "lt": (("lt", "low"),),
    "ge": (("ge", "low"),),
    "le": (("lt", "high"),),
    "gt": (("ge", "high"),),
}


def _bound(column: Column, op: str, moment: Moment) -> Filter | None:
    operand = moment_operand(moment, column)
    return None if operand is None else comparison((column.wire,), op, operand)


def argument(node: exp.Expression) -> exp.Expression | None:
    """Return what a function of one date is applied to, None for other nodes."""
    if isinstance(node, exp.Extract):
        return _bare(node.expression)
    return _bare(node.this) if type(node) in _READERS or type(node) in _PARTS else None


def date_column(node: exp.Expression, owned: Owned) -> Column | None:
    """Return the date column of a function that is NULL only when the column is."""
    inner = argument(_bare(node) or node)
    while inner is not None and not isinstance(inner, exp.Column):
        inner = argument(inner)
    column = owned(inner) if inner is not None else None
    return column if column is not None and column.type.family in _FAMILIES else None


def _bare(node: object) -> exp.Expression | None:
    while isinstance(node, exp.Paren):
        node = node.this
    return node if isinstance(node, exp.Expression) else None


def date_range(left: exp.Expression, op: str, right: exp.Expression, owned: Owned, kinds: Kinds) -> Filter | None:
    """Return `left op right` as a condition on the date column inside `left`, None when it is none."""
    while isinstance(left, exp.Paren):
        left = left.this
    if isinstance(left, exp.DateDiff):
        return _difference(left, op, right, owned, kinds)
    column = date_column(left, owned)
    if column is None:
        return None
    part = _part_of(left)
    if part is not None:
        span = _part_span(left, part, right, owned, kinds)
    else:
        reader = _READERS.get(type(left))
        span = reader(left, right, column, kinds) if reader and _is_direct(left) else None
    return None if span is None else span.compared(column, op)


def _is_direct(node: exp.Expression) -> bool:
    """Only one function around the column, beside casts that keep the moment."""
    return isinstance(_same_moment(argument(node)), exp.Column)


def _same_moment(node: exp.Expression | None) -> exp.Expression | None:
    while node is not None and (isinstance(node, exp.Paren) or _keeps_moment(node)):
        node = node.this
    return node


def _keeps_moment(node: exp.Expression) -> bool:
    if isinstance(node, exp.AtTimeZone):
        return str(node.args["zone"].name).upper() == "UTC"
    return isinstance(node, exp.Cast) and node.to.this.name in DATE_TYPES and node.to.this.name != "DATE"


def _constant(node: exp.Expression, column: Column, kinds: Kinds, is_day: bool) -> Moment | None:
    """Return the constant a function of the column is compared with; text is read as the function's own type."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Literal) and node.is_string:
        fixed = literal_moment(node.this, naive=is_day or column.type.family != "TIMESTAMP WITH TIME ZONE")
        found = None if fixed is None else Moment(fixed)
        return found.floor("day") if found is not None and is_day else found
    return moment_of(node, kinds)


def _point(node: exp.Expression, right: exp.Expression, column: Column, kinds: Kinds) -> _Span | None:
    moment = _constant(right, column, kinds, is_day=False)
    return None if moment is None or not _keeps_moment(node) else _Span(moment, moment)


def _cast(node: exp.Cast, right: exp.Expression, column: Column, kinds: Kinds) -> _Span | None:
    return _day(node, right, column, kinds) if node.to.this.name == "DATE" else _point(node, right, column, kinds)


def _day(node: exp.Expression, right: exp.Expression, column: Column, kinds: Kinds) -> _Span | None:
    moment = None if node.args.get("expressions") else _constant(right, column, kinds, is_day=True)
    return None if moment is None else _around(moment, "day")


def _truncated(node: exp.Expression, right: exp.Expression, column: Column, kinds: Kinds) -> _Span | None:
    unit = None if node.args.get("zone") else unit_of(node.args.get("unit"))
    moment = _constant(right, column, kinds, is_day=False)
    return None if unit is None or moment is None else _around(moment, unit)


def _around(moment: Moment, unit: str) -> _Span:
    """Between two starts of a unit nothing is equal: both bounds are the next start then."""
    return _Span(moment.ceil(unit), moment.following(unit))


def _shifted(node: exp.Expression, right: exp.Expression, column: Column, kinds: Kinds) -> _Span | None:
    """`column + INTERVAL 3 DAY op constant`; months have no fixed length."""
    span, sign = node.expression, 1 if isinstance(node, (exp.Sub, exp.DateSub)) else -1
    unit = unit_of(span.args.get("unit")) if isinstance(span, exp.Interval) else None
    amount = whole_number(span.this, kinds) if unit in FIXED_UNITS else None
    moment = _constant(right, column, kinds, is_day=False)
    if unit is None or amount is None or moment is None:
        return None
    moved = moment.plus(unit, amount, sign)
    return _Span(moved, moved)


_READERS: dict[type[exp.Expression], Callable[[Any, exp.Expression, Column, Kinds], _Span | None]] = {
    exp.Cast: _cast,
    exp.Date: _day,
    exp.AtTimeZone: _point,
    exp.TimestampTrunc: _truncated,
    exp.DateTrunc: _truncated,
    exp.Add: _shifted,
    exp.Sub: _shifted,
    exp.DateAdd: _shifted,
    exp.DateSub: _shifted,
}


def _part_of(node: exp.Expression) -> str | None:
    if isinstance(node, exp.Extract):
        unit = unit_of(node.this)
        return unit if unit in _PARTS.values() else None
    return _PARTS.get(type(node))


def _part_span(node: exp.Expression, part: str, right: exp.Expression, owned: Owned, kinds: Kinds) -> _Span | None:
    """A year is a range; a month is one beside the year, a day beside year and month of the same column."""
    number = whole_number(right, kinds)
    if number is None or not isinstance(_same_moment(argument(node)), exp.Column):
        return None
    if part == "year":
        return _unless_absurd(number, starting_in(number), "year")
    beside = dict(_beside(node, owned, kinds))
    year, month = beside.get("year"), beside.get("month")
    if year is None or (part == "quarter" and isinstance(number, Key)) or (part == "day" and month is None):
        return None
    if part == "day":
        return _unless_absurd(year, starting_in(year, month or 1, number), "day")
    first = number * 3 - 2 if part == "quarter" and isinstance(number, int) else number
    return _unless_absurd(year, starting_in(year, first), part)


def _unless_absurd(year: int | Key, start: Moment, unit: str) -> _Span | None:
    if isinstance(year, int) and not 1 < year < 9998:
        return None
    return _Span(start, start.following(unit))


def _beside(node: exp.Expression, owned: Owned, kinds: Kinds) -> Iterator[tuple[str, int | Key]]:
    """Yield the parts of the same column that conditions AND-ed with this one fix."""
    column, term = date_column(node, owned), node.parent
    while term is not None and isinstance(term.parent, (exp.And, exp.Paren)):
        term = term.parent
    while isinstance(term, exp.Paren):
        term = term.this
    for other in term.flatten() if isinstance(term, exp.And) else ():
        while isinstance(other, exp.Paren):
            other = other.this
        if not isinstance(other, exp.EQ):
            continue
        for side, value in ((other.this, other.expression), (other.expression, other.this)):
            part, number = _part_of(side), whole_number(value, kinds) if is_constant(value) else None
            if part and number is not None and date_column(side, owned) is column is not None:
                yield part, number


def _difference(node: exp.DateDiff, op: str, right: exp.Expression, owned: Owned, kinds: Kinds) -> Filter | None:
    """DATEDIFF(unit, a, b) counts the starts of a unit between a and b: `node.this` is b, `node.expression` a."""
    unit, count = unit_of(node.args.get("unit")), whole_number(right, kinds)
    if unit == "week":  # whole weeks between the dates, not their Mondays
        return None
    for side, other, sign in ((node.expression, node.this, -1), (node.this, node.expression, 1)):
        column = owned(side) if isinstance(side, exp.Column) else None
        fixed = moment_of(other, kinds) if column is not None else None
        if column is None or fixed is None or unit is None or count is None or column.type.family not in _FAMILIES:
            continue
        if column.type.family == "DATE" and unit in _NO_TIME:
            return None
        start = fixed.floor(unit).plus(unit, count, sign)
        return _Span(start, start.following(unit)).compared(column, op if sign > 0 else _MIRRORED[op])
    return None
