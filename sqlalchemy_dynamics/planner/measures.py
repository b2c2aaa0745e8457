"""What is asked of the service for the aggregates of a statement, and how its answers, partial groups, are merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.edm import BIGINT, HUGEINT, SqlType, decimal
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Both, Filter, Null
from sqlalchemy_dynamics.planner.aggregates import Asked
from sqlalchemy_dynamics.planner.plan import Measure

__all__ = ["Measures"]

_Under = tuple[str, Filter | None]
"""Which rows: those with a value in a column (""  is none), and those that meet a condition."""
_EVERY_ROW: _Under = ("", None)
_EXTREMES: dict[str, type[exp.Expression]] = {"min": exp.Min, "max": exp.Max}


@dataclass
class Measures:
    """The measures by method and the rows they are of."""

    _found: dict[tuple[str, _Under], Measure] = field(default_factory=dict)
    _conditions: list[Filter] = field(default_factory=list)

    def __iter__(self) -> Iterator[Measure]:
        return iter(self._found.values())

    def add(self, asked: Asked) -> None:
        """Add what an aggregate is merged from."""
        for method in ("sum", "count") if asked.method == "average" else (asked.method,):
            self._measure(method if asked.column else "count", asked.column, asked.condition)
        if asked.zeros:
            self._measure("count", asked.column, asked.condition)
            self._measure("count", None, asked.condition)
            self.count_rows()

    def count_rows(self) -> None:
        """Add the number of rows."""
        self._measure("count", None, None)

    def queries(self, grouped: bool) -> Iterator[tuple[Filter | None, tuple[Measure, ...]]]:
        """Yield (further condition, measures) of every request; first all rows, also when there are but keys."""
        unders = dict.fromkeys(under for _, under in self._found)
        if grouped or _EVERY_ROW in unders:
            unders = {_EVERY_ROW: None, **unders}
        for under in unders:
            own = tuple(measure for (_, of), measure in self._found.items() if of == under)
            yield _rows_of(under, own), own

    def position(self, asked: Asked) -> int:
        """Return the place of a plain aggregate's measure in the order of queries()."""
        wanted = self._measure(asked.method, asked.column, asked.condition)
        return [measure for _, own in self.queries(True) for measure in own].index(wanted)

    def merged(self, asked: Asked) -> exp.Expression:
        """Return an aggregate over the partial groups: SUM of sums and counts, MIN of minima."""
        total = self._total(asked.method if asked.column else "count", asked)
        if asked.method == "average":
            present = _or_null(self._total("count", asked))
            return exp.Div(this=exp.cast(self._total("sum", asked), "DOUBLE"), expression=present)
        if asked.method in _EXTREMES:
            return _EXTREMES[asked.method](this=total.this)
        if asked.method == "count":
            return exp.cast(_or_zero(total), "BIGINT")
        kind = HUGEINT if asked.column is None else _type_of("sum", asked.column.type)
        if asked.zeros:
            total = exp.Case(ifs=[exp.If(this=self._has_values(asked), true=_or_zero(total))])
        return exp.cast(total if asked.column or asked.zeros else _or_null(total), kind.sql)

    def _has_values(self, asked: Asked) -> exp.Expression:
        """Say whether there is a row that is a 0, or one with a value."""
        rows, met = (self._total("count", Asked("count", None, each)) for each in (None, asked.condition))
        zeros = exp.GT(this=_or_zero(rows), expression=_or_zero(met))
        present = exp.GT(this=_or_zero(self._total("count", asked)), expression=exp.Literal.number(0))
        return exp.or_(zeros, present, copy=False)

    def _total(self, method: str, asked: Asked) -> exp.Sum:
        return exp.Sum(this=exp.column(self._measure(method, asked.column, asked.condition).alias))

    def _measure(self, method: str, column: Column | None, condition: Filter | None) -> Measure:
        key = (method, (column.name if column else "", condition))
        if key not in self._found:
            alias = f"m_{method}_{column.name}" if column else "m_rows"
            kind = _type_of(method, column.type) if column else BIGINT
            self._found[key] = Measure(method, column, alias + self._suffix(condition), kind)
        return self._found[key]

    def _suffix(self, condition: Filter | None) -> str:
        if condition is None:
            return ""
        if condition not in self._conditions:
            self._conditions.append(condition)
        return f"_{self._conditions.index(condition) + 1}"


def _rows_of(under: _Under, measures: tuple[Measure, ...]) -> Filter | None:
    """The values of a column are aggregated where there are any: a sum over nothing comes back as 0."""
    column = measures[0].column if measures else None
    terms = (under[1], None if column is None else Null((column.wire,), negated=True))
    found = tuple(term for term in terms if term is not None)
    return (found[0] if len(found) == 1 else Both(found)) if found else None


def _or_zero(total: exp.Expression) -> exp.Expression:
    return exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])


def _or_null(total: exp.Expression) -> exp.Expression:
    return exp.Nullif(this=total, expression=exp.Literal.number(0))


def _type_of(method: str, kind: SqlType) -> SqlType:
    if method == "count":
        return BIGINT
    if method != "sum" or kind.family == "DOUBLE":
        return kind
    return HUGEINT if kind.scale is None else decimal(38, kind.scale)
