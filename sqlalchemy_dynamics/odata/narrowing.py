"""Comparisons of one column that all must hold: the tightest are kept, and those that exclude each other found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy_dynamics.odata.filters import (
    Among,
    ColumnCompare,
    Compare,
    Filter,
    Match,
    Never,
    Null,
    Operand,
    Path,
    Value,
)

__all__ = ["narrowed"]

_NUMBERS = ("Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double", "Edm.Single")
_ORDERED = frozenset({*_NUMBERS, "Edm.DateTimeOffset", "Edm.Date"})
_EXACT = _ORDERED | {"Edm.Guid", "Edm.Boolean"}
_LOW, _HIGH = ("gt", "ge"), ("lt", "le")


def narrowed(terms: tuple[Filter, ...]) -> tuple[Filter, ...] | None:
    """Return the terms of a conjunction without those that others imply, None when they exclude each other.

    Texts are left alone: which of them are equal is the service's to say.
    """
    compared: dict[Path, list[Compare]] = {}
    terms = _with_one_list(terms)
    for term in terms:
        if isinstance(term, Compare) and isinstance(term.operand, Value) and term.operand.edm in _EXACT:
            compared.setdefault(term.path, []).append(term)
    dropped: set[Filter] = set()
    for path, group in compared.items():
        bounds = _Bounds.of(group)
        if bounds is None:
            return None
        dropped |= {term for term in group if bounds.implies(term)} | {Null(path, negated=True)}
    if any(isinstance(term, Null) and not term.negated and term.path in _present(terms) for term in terms):
        return None
    return tuple(term for term in terms if term not in dropped)


def _with_one_list(terms: tuple[Filter, ...]) -> tuple[Filter, ...]:
    """The lists of a column, and what it is compared with, as one list of the values that are left."""
    lists: dict[Path, list[Among]] = {}
    for term in terms:
        if isinstance(term, Among) and not term.negated and all(map(_is_exact, term.operands)):
            lists.setdefault(term.path, []).append(term)
    for path, members in lists.items():
        same = [term for term in terms if term in members or _compares(term, path)]
        if len(same) > 1:
            kept = tuple(operand for operand in members[0].operands if all(_admits(term, operand) for term in same))
            one = _list_of(path, kept)
            terms = tuple(one if term is same[0] else term for term in terms if term is same[0] or term not in same)
    return terms


def _is_exact(operand: Operand) -> bool:
    return isinstance(operand, Value) and operand.edm in _EXACT


def _compares(term: Filter, path: Path) -> bool:
    return isinstance(term, Compare) and term.path == path and _is_exact(term.operand)


def _admits(term: Filter, operand: Operand) -> bool:
    assert isinstance(term, (Compare, Among))
    if isinstance(term, Among):
        return any(_holds(Compare(term.path, "eq", operand), Compare(term.path, "eq", each)) for each in term.operands)
    return _holds(Compare(term.path, "eq", operand), term)


def _list_of(path: Path, operands: tuple[Operand, ...]) -> Filter:
    if not operands:
        return Never()
    return Compare(path, "eq", operands[0]) if len(operands) == 1 else Among(path, operands)


def _present(terms: Iterable[Filter]) -> set[Path]:
    """The paths that must hold a value."""
    found: set[Path] = set()
    for term in terms:
        if isinstance(term, (Compare, Match, Among)) or (isinstance(term, Null) and term.negated):
            found.add(term.path)
        elif isinstance(term, ColumnCompare):
            found |= {term.left, term.right}
    return found


@dataclass(frozen=True)
class _Bounds:
    """The strongest comparisons of a column: equal to a value, else above one and below another."""

    equal: Compare | None
    low: Compare | None
    high: Compare | None

    @classmethod
    def of(cls, group: list[Compare]) -> _Bounds | None:
        """Return the bounds that comparisons set, None when no value meets them all."""
        equal = next((term for term in group if term.op == "eq"), None)
        if equal is not None:
            return cls(equal, None, None) if all(_holds(equal, term) for term in group) else None
        lows = [term for term in group if term.op in _LOW]
        highs = [term for term in group if term.op in _HIGH]
        low = max(lows, key=lambda term: (_value(term), term.op == "gt"), default=None)
        high = min(highs, key=lambda term: (_value(term), term.op == "le"), default=None)
        if low is not None and high is not None:
            strict = "gt" in low.op or "lt" in high.op
            if _value(low) > _value(high) or (strict and _value(low) == _value(high)):
                return None
        return cls(None, low, high)

    def implies(self, term: Compare) -> bool:
        """Say whether a comparison adds nothing to the bounds."""
        if self.equal is not None:
            return term != self.equal
        return term.op != "ne" and term not in (self.low, self.high)


def _value(term: Compare) -> Any:
    value = term.operand.value if isinstance(term.operand, Value) else None
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _holds(equal: Compare, term: Compare) -> bool:
    one, two = _value(equal), _value(term)
    if term.op in ("eq", "ne"):
        return bool(one == two) == (term.op == "eq")
    return bool({"gt": one > two, "ge": one >= two, "lt": one < two, "le": one <= two}[term.op])
