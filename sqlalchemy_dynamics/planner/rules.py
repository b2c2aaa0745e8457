"""The rules of pushdown, one per node class: what a comparison, IN, LIKE, IS… says as a filter of one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from sqlalchemy_dynamics.edm import VARCHAR
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import (
    Both,
    ColumnCompare,
    Compare,
    Either,
    Match,
    Null,
    Operand,
    Parameter,
    Value,
)
from sqlalchemy_dynamics.planner.companions import (
    among_texts,
    companion_null,
    like_text,
    starting_with,
)
from sqlalchemy_dynamics.planner.constants import NullConstant, is_constant, operand, text_of
from sqlalchemy_dynamics.planner.crm_functions import crm_condition
from sqlalchemy_dynamics.planner.dates import date_column, date_range
from sqlalchemy_dynamics.planner.leaves import EVERYTHING, NOTHING, Pushed, comparison, membership
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.parse import bare, parameter_key
from sqlalchemy_dynamics.planner.patterns import searches
from sqlalchemy_dynamics.planner.related import condition_of_exists, condition_of_in, counted_rows

if TYPE_CHECKING:
    from sqlalchemy_dynamics.planner.pushdown import Translator

__all__ = ["RULES"]

_OPERATORS: dict[type[exp.Expression], str] = {
    exp.EQ: "eq",
    exp.NEQ: "ne",
    exp.GT: "gt",
    exp.GTE: "ge",
    exp.LT: "lt",
    exp.LTE: "le",
}
_NEGATED = {"eq": "ne", "ne": "eq", "gt": "le", "ge": "lt", "lt": "ge", "le": "gt"}
_FLIPPED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_RANGES = frozenset({"gt", "ge", "lt", "le"})
_SUMS = (exp.Add, exp.Sub, exp.DateAdd, exp.DateSub)
_TEXT = Column("", "", VARCHAR)
_UNORDERED = frozenset({"UUID", "VARCHAR", "BOOLEAN"})


def _compare(self: Translator, node: exp.Expression, target: Occurrence, negated: bool) -> Pushed | None:
    if is_constant(node.this) and is_constant(node.expression):
        return _constants(node, negated)
    if isinstance(node.this, exp.Subquery):
        return counted_rows(self, node, target, negated)
    op = _OPERATORS[type(node)]
    if isinstance(node, exp.EQ) and isinstance(node.this, exp.Anonymous) and isinstance(node.expression, exp.Boolean):
        return _function(self, node.this, target, negated == bool(node.expression.this))
    return _compared(self, node.this, _NEGATED[op] if negated else op, node.expression, target)


def _compared(
    self: Translator, left: exp.Expression, op: str, right: exp.Expression, target: Occurrence
) -> Pushed | None:
    if is_constant(left):
        left, right, op = right, left, _FLIPPED[op]
    if not is_constant(right):
        return _column_compare(self, left, op, right, target)
    named = self.companion(left, target)
    if named is not None:
        return _named_among(self, named, [right], op == "ne", target) if op in ("eq", "ne") else None
    column = self.text_column(left, target) or self.column(left, target)
    if column is None:
        return _dated(self, left, op, right, target)
    value = _value(self, right, column)
    if isinstance(value, NullConstant):
        return NOTHING
    if value is None or (op in _RANGES and column.type.family in _UNORDERED):
        return None
    return Pushed(comparison((column.wire,), op, value), True)


def _dated(self: Translator, left: exp.Expression, op: str, right: exp.Expression, target: Occurrence) -> Pushed | None:
    found = date_range(left, op, right, lambda node: self.column(node, target), self.kinds)
    return None if found is None else Pushed(found, True)


def _value(self: Translator, node: exp.Expression, column: Column) -> Operand | NullConstant | None:
    if column.type.family == "VARCHAR":
        text = text_of(node, {})
        if text is not None:
            return Value(text, column.edm)
        while isinstance(node, (exp.Lower, exp.Upper)):
            node = node.this
    return operand(node, column, self.kinds)


def _constants(node: exp.Expression, negated: bool) -> Pushed | None:
    """`1 = 0`, which BI tools send for "no rows"; anything subtler is left to the residual engine."""
    left, right = node.this, node.expression
    if not isinstance(node, (exp.EQ, exp.NEQ)) or not (_is_digits(left) and _is_digits(right)):
        return None
    truth = (int(left.this) == int(right.this)) == isinstance(node, exp.EQ)
    return EVERYTHING if truth != negated else NOTHING


def _is_digits(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit()


def _column_compare(
    self: Translator, left: exp.Expression, op: str, right: exp.Expression, target: Occurrence
) -> Pushed | None:
    one, two = self.column(left, target), self.column(right, target)
    if one is None or two is None or one.type != two.type or one.edm != two.edm:
        return None
    if op in _RANGES and one.type.family in _UNORDERED:
        return None
    return Pushed(ColumnCompare((one.wire,), op, (two.wire,)), True)


def _is(self: Translator, node: exp.Is, target: Occurrence, negated: bool) -> Pushed | None:
    negated ^= bool(node.args.get("negate"))
    what = node.expression
    if isinstance(what, exp.Null):
        return _is_null(self, node.this, target, negated)
    if isinstance(node.this, exp.Anonymous) and isinstance(what, exp.Boolean) and not negated:
        return _function(self, node.this, target, not what.this)
    column = self.column(node.this, target)
    if column is None or not isinstance(what, exp.Boolean) or column.type.family != "BOOLEAN":
        return None
    if not negated:
        return Pushed(Compare((column.wire,), "eq", Value(bool(what.this), column.edm)), True)
    other = Compare((column.wire,), "eq", Value(not what.this, column.edm))
    return Pushed(Either((other, Null((column.wire,)))), True)


def _is_null(self: Translator, node: exp.Expression, target: Occurrence, negated: bool) -> Pushed | None:
    named = self.companion(node, target)
    if named is not None:
        found = companion_null(named, target.table, self.lookup, negated)
        return None if found is None else Pushed(found, True)
    column = self.text_column(node, target) or self.column(node, target)
    if column is None and not node.find(*_SUMS):  # a sum is NULL as well when its other part is
        column = date_column(node, lambda inner: self.column(inner, target))
    return None if column is None else Pushed(Null((column.wire,), negated), True)


def _distinct(self: Translator, node: exp.Expression, target: Occurrence, negated: bool) -> Pushed | None:
    """IS [NOT] DISTINCT FROM a constant."""
    same = isinstance(node, exp.NullSafeEQ) != negated
    left, right = (node.expression, node.this) if is_constant(node.this) else (node.this, node.expression)
    if not is_constant(right):
        return None
    if isinstance(bare(right), exp.Null) or self.kinds.get(parameter_key(bare(right)) or 0) == "NoneType":
        return _is_null(self, left, target, not same)
    pushed = _compared(self, left, "eq" if same else "ne", right, target)
    if same or pushed is None:
        return pushed
    missing = _is_null(self, left, target, False)
    return None if missing is None else Pushed(Either((pushed.filter, missing.filter)), pushed.exact)


def _between(self: Translator, node: exp.Between, target: Occurrence, negated: bool) -> Pushed | None:
    if node.args.get("symmetric") or _mixes_times(self, node.this, [node.args["low"], node.args["high"]], target):
        return None
    low = _compared(self, node.this, "lt" if negated else "ge", node.args["low"], target)
    high = _compared(self, node.this, "gt" if negated else "le", node.args["high"], target)
    known = [bound for bound in (low, high) if bound is not None]
    if not known or (negated and len(known) < 2):
        return None
    terms = tuple(bound.filter for bound in known)
    return Pushed(Either(terms) if negated else Both(terms), len(known) == 2)


def _exists(self: Translator, node: exp.Exists, target: Occurrence, negated: bool) -> Pushed | None:
    return condition_of_exists(self, node.this, target, negated)


def _among(self: Translator, node: exp.In, target: Occurrence, negated: bool) -> Pushed | None:
    if isinstance(node.args.get("query"), exp.Subquery):
        return condition_of_in(self, node, target, negated)
    members = node.expressions
    if not members or any(node.args.get(key) for key in ("query", "unnest", "field")):
        return None
    if not all(is_constant(member) for member in members) or _mixes_times(self, node.this, members, target):
        return None
    named = self.companion(node.this, target)
    if named is not None:
        return _named_among(self, named, members, negated, target)
    column = self.text_column(node.this, target) or self.column(node.this, target)
    if column is None:
        return _dated_among(self, node, target, negated)
    values = [_value(self, member, column) for member in members]
    known = tuple(value for value in values if isinstance(value, (Value, Parameter)))
    if any(value is None for value in values):
        return None
    if not known or (negated and len(known) < len(values)):
        return NOTHING
    return Pushed(membership((column.wire,), known, negated), True)


def _mixes_times(self: Translator, left: exp.Expression, members: list[exp.Expression], target: Occurrence) -> bool:
    """Texts with a time are read as days beside a day alone, as moments when a moment is among the constants."""
    texts = [str(bare(member).this) for member in members if isinstance(bare(member), exp.Literal)]
    if len(texts) == len(members) or not any(":" in text for text in texts):
        return False
    column = self.column(left, target)
    return column.type.family == "DATE" if column is not None else _is_day(bare(left))


def _is_day(node: exp.Expression) -> bool:
    return isinstance(node, exp.Date) or (isinstance(node, exp.Cast) and node.to.this.name == "DATE")


def _named_among(
    self: Translator, column: Column, members: list[exp.Expression], negated: bool, target: Occurrence
) -> Pushed | None:
    """A companion against texts; NULL among them decides as SQL does."""
    texts = [_text_or_marker(self, member) for member in members]
    if None in texts:
        return None
    known = [text for text in texts if isinstance(text, (str, Parameter))]
    if not known or (negated and len(known) < len(texts)):
        return NOTHING
    return self.say(column, target, among_texts(known, negated))


def _text_or_marker(self: Translator, node: exp.Expression) -> str | Parameter | NullConstant | None:
    text = text_of(node, self.pinned)
    if text is not None:
        return text
    found = operand(node, _TEXT, self.kinds)
    return found if isinstance(found, (Parameter, NullConstant)) else None


def _dated_among(self: Translator, node: exp.In, target: Occurrence, negated: bool) -> Pushed | None:
    """`YEAR(x) IN (2023, 2024)`: a range for each."""
    pushed = [_dated(self, node.this, "ne" if negated else "eq", member, target) for member in node.expressions]
    ranges = tuple(each.filter for each in pushed if each is not None)
    if len(ranges) < len(pushed):
        return None
    return Pushed(Both(ranges) if negated else Either(ranges), True)


def _like(self: Translator, node: exp.Expression, target: Occurrence, negated: bool) -> Pushed | None:
    escape = ""
    if isinstance(node, exp.Escape):
        escape = text_of(node.expression, self.pinned) or ""
        node = node.this
        if not escape or not isinstance(node, (exp.Like, exp.ILike)):
            return None
    negated ^= bool(node.args.get("negate"))
    column, pattern = self.text_column(node.this, target), text_of(node.expression, self.pinned)
    named = self.companion(node.this, target)
    if named is not None and pattern is not None:
        return self.say(named, target, like_text(pattern, escape, negated))
    if column is None or pattern is None:
        return None
    found = searches((column.wire,), pattern, escape, negated)
    return Pushed(*found) if found else None


def _starts_with(self: Translator, node: exp.StartsWith, target: Occurrence, negated: bool) -> Pushed | None:
    column, prefix = self.text_column(node.this, target), text_of(node.expression, self.pinned)
    named = self.companion(node.this, target)
    if named is not None and prefix:
        return self.say(named, target, starting_with(prefix, negated))
    if column is None or not prefix:
        return None
    return Pushed(Match((column.wire,), "startswith", Value(prefix, "Edm.String"), negated), True)


def _flag(self: Translator, node: exp.Column, target: Occurrence, negated: bool) -> Pushed | None:
    column = self.column(node, target)
    if column is None or column.type.family != "BOOLEAN":
        return None
    return Pushed(Compare((column.wire,), "eq", Value(not negated, column.edm)), True)


def _boolean(self: Translator, node: exp.Boolean, target: Occurrence, negated: bool) -> Pushed | None:
    return EVERYTHING if bool(node.this) != negated else NOTHING


def _null(self: Translator, node: exp.Null, target: Occurrence, negated: bool) -> Pushed | None:
    return NOTHING


def _function(self: Translator, node: exp.Anonymous, target: Occurrence, negated: bool) -> Pushed | None:
    found = crm_condition(self, node, target, negated)
    return None if found is None else Pushed(found, True)


Rule = Callable[["Translator", exp.Expression, Occurrence, bool], Pushed | None]
RULES: dict[type[exp.Expression], Rule] = {
    **dict.fromkeys(_OPERATORS, _compare),
    exp.Is: _is,
    exp.NullSafeEQ: _distinct,
    exp.NullSafeNEQ: _distinct,
    exp.Between: _between,
    exp.In: _among,
    exp.Exists: _exists,
    exp.Anonymous: _function,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Escape: _like,
    exp.StartsWith: _starts_with,
    exp.Column: _flag,
    exp.Boolean: _boolean,
    exp.Null: _null,
}
