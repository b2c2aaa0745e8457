"""Parameters of a filter replaced by values, and what SQL makes of each value: NULL, out of range, between two."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import ROUND_FLOOR, Decimal
from typing import Any, cast

from sqlalchemy_dynamics.errors import DataError, ProgrammingError
from sqlalchemy_dynamics.odata.filters import (
    All,
    Among,
    Both,
    Compare,
    CrmCall,
    Either,
    Filter,
    Has,
    Match,
    Never,
    Null,
    Operand,
    Path,
    Value,
)
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.narrowing import narrowed

__all__ = ["among", "bind", "check_counts", "compare", "simplify"]

Values = Mapping[Any, object]

_WHOLE_NUMBERS = {
    "Edm.Byte": (0, 2**8 - 1),
    "Edm.Int16": (-(2**15), 2**15 - 1),
    "Edm.Int32": (-(2**31), 2**31 - 1),
    "Edm.Int64": (-(2**63), 2**63 - 1),
}
_LARGEST = {
    **dict.fromkeys((*_WHOLE_NUMBERS, "Edm.Decimal"), Decimal(10**28)),
    "Edm.Double": Decimal(sys.float_info.max),
}
"""Beyond it no column holds a number, and a literal is none for the service."""

# The service's datetime starts here; an earlier literal is refused (dataverse-web-api: min date).
_FIRST_MOMENT = datetime(1753, 1, 1, tzinfo=UTC)
_ALWAYS = Both(())
_OF_VALUES = frozenset({"In", "NotIn", "Between", "NotBetween"})


def bind(wanted: Filter, values: Sequence[object] | Values) -> Filter:
    """Return the filter with every Parameter replaced by its value, simplified.

    `values` is keyed as the parameters are (position from 1, or name); a sequence counts from 1. None makes its
    leaf Never and vanishes from an Among (a negated Among becomes Never); a list, tuple or set as the value of an
    Among's parameter stands for all its items. Raises ProgrammingError for a missing value, DataError for a value
    that cannot be of the column's type.
    """
    mapping = values if isinstance(values, Mapping) else dict(enumerate(values, start=1))
    return simplify(_bound(wanted, mapping))


def compare(path: Path, op: str, value: object, edm: str) -> Filter:
    """Return SQL's `path op value` for a value that may lie outside or between the values of the Edm type."""
    if value is None:
        return Never()
    nearest, exact = _nearest(value, edm)
    if exact:
        return Compare(path, op, Value(nearest, edm))
    if op == "eq":
        return Never()
    if op == "ne" or (nearest is _ABOVE and op in ("lt", "le")) or (nearest is _BELOW and op in ("gt", "ge")):
        return Null(path, negated=True)
    if nearest in (_ABOVE, _BELOW):
        return Never()
    return Compare(path, "gt" if op in ("gt", "ge") else "le", Value(nearest, edm))


def among(path: Path, values: Iterable[object], edm: str, negated: bool = False) -> Filter:
    """Return SQL's `path IN (values)` or NOT IN; None and values the column cannot hold are treated as SQL does."""
    given = list(values)
    if negated and any(value is None for value in given):
        return Never()
    equal = (compare(path, "eq", value, edm) for value in given)
    operands = tuple(dict.fromkeys(each.operand for each in equal if isinstance(each, Compare)))
    if operands:
        return Among(path, operands, negated)
    return Null(path, negated=True) if negated else Never()


def simplify(wanted: Filter) -> Filter:
    """Return an equal filter that is Never or Both(()) as a whole, or holds neither (but for All of Never).

    Both(()) is true of every row; other Both and Either hold two terms or more.
    """
    if isinstance(wanted, Both):
        terms = narrowed(_flat(wanted))
        return Never() if terms is None or Never() in terms else _few(Both, terms)
    if isinstance(wanted, Either):
        terms = tuple(term for term in _flat(wanted) if term != Never())
        return _ALWAYS if _ALWAYS in terms else _few(Either, terms) if terms else Never()
    if isinstance(wanted, Has) and wanted.term is not None:
        term = simplify(wanted.term)
        if term == Never():
            return _ALWAYS if wanted.negated else term
        return replace(wanted, term=None if term == _ALWAYS else term)
    if isinstance(wanted, All):
        term = simplify(wanted.term)
        return _ALWAYS if term == _ALWAYS else All(wanted.navigation, term)
    return wanted


def _flat(wanted: Both | Either) -> tuple[Filter, ...]:
    """The simplified terms without repetition, those of a nested node of the same kind among them."""
    terms: list[Filter] = []
    for term in map(simplify, wanted.terms):
        if isinstance(term, (Both, Either)) and type(term) is type(wanted):
            terms.extend(term.terms)
        else:
            terms.append(term)
    return tuple(dict.fromkeys(terms))


def _few(kind: Callable[[tuple[Filter, ...]], Filter], terms: tuple[Filter, ...]) -> Filter:
    return terms[0] if len(terms) == 1 else kind(terms)


def _bound(wanted: Filter, values: Values) -> Filter:
    binder = _BINDERS.get(type(wanted))
    return binder(wanted, values) if binder else wanted


def _value(operand: Operand, values: Values) -> object:
    if isinstance(operand, Value):
        return operand.value
    try:
        return values[operand.key]
    except KeyError:
        raise ProgrammingError(f"the statement needs a value for parameter {operand.key!r}") from None


def _bind_compare(node: Compare, values: Values) -> Filter:
    return compare(node.path, node.op, _value(node.operand, values), node.operand.edm)


def _bind_among(node: Among, values: Values) -> Filter:
    return among(node.path, _items(node.operands, values), node.operands[0].edm, node.negated)


def _items(operands: tuple[Operand, ...], values: Values) -> Iterator[object]:
    for operand in operands:
        value = _value(operand, values)
        if isinstance(value, (list, tuple, set, frozenset)):
            yield from value
        else:
            yield value


def _bind_match(node: Match, values: Values) -> Filter:
    value = _value(node.operand, values)
    return Never() if value is None else replace(node, operand=_converted(value, node.operand.edm))


def _bind_call(node: CrmCall, values: Values) -> Filter:
    found = [_value(operand, values) for operand in node.operands]
    if any(value is None for value in found):
        return Never()
    operands = tuple(_converted(value, each.edm) for value, each in zip(found, node.operands, strict=True))
    call = replace(node, operands=operands)
    check_counts(call)
    return call


def check_counts(call: CrmCall) -> None:
    """Raise DataError for a count of days, weeks… or a year that is not positive (dataverse-web-api: query functions).

    Values that are known already are checked.
    """
    for each in () if call.name in _OF_VALUES else call.operands:
        if isinstance(each, Value) and each.edm == "Edm.Int64" and cast(int, each.value) < 1:
            raise DataError(f"a function of relative dates counts from 1, not {each.value}")


def _converted(value: object, edm: str) -> Value:
    return Value(convert(value, edm), edm)


def _bind_terms(node: Both | Either, values: Values) -> Filter:
    return replace(node, terms=tuple(_bound(term, values) for term in node.terms))


def _bind_lambda(node: Has | All, values: Values) -> Filter:
    return node if node.term is None else replace(node, term=_bound(node.term, values))


_BINDERS: dict[type, Callable[[Any, Values], Filter]] = {
    Compare: _bind_compare,
    Among: _bind_among,
    Match: _bind_match,
    CrmCall: _bind_call,
    Both: _bind_terms,
    Either: _bind_terms,
    Has: _bind_lambda,
    All: _bind_lambda,
}

_BELOW, _ABOVE = object(), object()


def _nearest(value: object, edm: str) -> tuple[object, bool]:
    """Return the largest value of the type that is not above `value` (or _BELOW, _ABOVE), and whether it is equal."""
    beyond = _beyond(value, edm)
    if beyond is not None:
        return beyond, False
    if edm in _WHOLE_NUMBERS:
        return _nearest_whole(cast(Decimal, convert(value, "Edm.Decimal")), edm)
    if edm in ("Edm.Date", "Edm.DateTimeOffset"):
        return _nearest_time(cast(datetime, convert(value, "Edm.DateTimeOffset")), edm)
    return convert(value, edm), True


def _beyond(value: object, edm: str) -> object:
    """Return _BELOW or _ABOVE for what no column reaches, else None; NaN is above all, as in the residual engine."""
    if edm not in _LARGEST or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(value)
    if number.is_nan():
        return _ABOVE
    if number.copy_abs() <= _LARGEST[edm]:
        return None
    return _BELOW if number < 0 else _ABOVE


def _nearest_whole(number: Decimal, edm: str) -> tuple[object, bool]:
    least, most = _WHOLE_NUMBERS[edm]
    if not least <= number <= most:
        return (_BELOW if number < least else _ABOVE), False
    whole = int(number.to_integral_value(ROUND_FLOOR))
    return whole, whole == number


def _nearest_time(moment: datetime, edm: str) -> tuple[object, bool]:
    """Days for a date, else whole seconds, which is what the service stores."""
    if moment < _FIRST_MOMENT:
        return _BELOW, False
    if edm == "Edm.Date":
        return moment.date(), moment.time() == time()
    return moment.replace(microsecond=0), moment.microsecond == 0
