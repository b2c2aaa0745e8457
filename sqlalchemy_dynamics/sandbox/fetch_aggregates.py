"""FetchXML with ``aggregate="true"``: groups, date parts, totals (section 4.10).

The fiscal calendar is the calendar year in quarters. Fiscal periods and years come as texts (``Quarter 1 FY2023``), the
sum of nothing but nulls is 0 unless no row goes in: both as the documentation's examples print them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy_dynamics.sandbox import aggregate
from sqlalchemy_dynamics.sandbox.annotations import ASSOCIATED, FORMATTED, LOOKUP, Wanted, associated, formatted_sql
from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.fetch_failures import refuse
from sqlalchemy_dynamics.sandbox.fetch_joins import Tables
from sqlalchemy_dynamics.sandbox.fetch_nodes import LABELLED, Node
from sqlalchemy_dynamics.sandbox.fetch_rows import ALIASED
from sqlalchemy_dynamics.sandbox.fetchxml import Attribute, Fetch
from sqlalchemy_dynamics.sandbox.scope import Reference
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.values import KINDS, sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["check_input", "grouped_rows", "grouped_sql"]

_METHODS = {"sum": "sum", "avg": "average", "min": "min", "max": "max"}
_NOT_GROUPED = frozenset({"MultiSelectPicklist", "Image", "File", "Virtual"})
_QUARTER = "(CAST(strftime('%m',{0}) AS INTEGER)+2)/3"
_DATE_PARTS = {
    "day": "CAST(strftime('%d',{0}) AS INTEGER)",
    "week": "(CAST(strftime('%j',{0}) AS INTEGER)+strftime('%w',{0},'start of year')-1)/7+1",
    "month": "CAST(strftime('%m',{0}) AS INTEGER)",
    "quarter": _QUARTER,
    "year": "CAST(strftime('%Y',{0}) AS INTEGER)",
    "fiscal-period": "'Quarter '||(" + _QUARTER + ")||' FY'||strftime('%Y',{0})",
    "fiscal-year": "'FY'||strftime('%Y',{0})",
}


@dataclass(frozen=True)
class Column:
    """One member of a result row: the SELECT term, the GROUP BY term (``""`` for totals) and the sort term."""

    attribute: Attribute
    node: Node
    reference: Reference
    sql: str
    group: str = ""
    order: str = ""

    @property
    def is_plain_group(self) -> bool:
        return bool(self.group) and not self.attribute.date_grouping


def _columns(service: Service, tables: Tables) -> list[Column]:
    found: dict[str, Column] = {}
    for node in tables.nodes.joined:
        for attribute in node.entity.attributes:
            if not attribute.alias:
                raise refuse("aggregate alias", name=attribute.name)
            if attribute.alias in found:
                raise refuse("alias taken", name=attribute.alias)
            found[attribute.alias] = _column(service, node, attribute)
    if not found:
        raise refuse("not aggregated", name="")
    return list(found.values())


def _column(service: Service, node: Node, attribute: Attribute) -> Column:
    reference = node.reference(attribute.name)
    if attribute.date_grouping or attribute.group:
        return _group(service, node, attribute, reference)
    if not attribute.aggregate:
        raise refuse("not aggregated", name=attribute.name)
    sql = _total(attribute, reference)
    return Column(attribute, node, reference, sql, order=sql)


def _group(service: Service, node: Node, attribute: Attribute, reference: Reference) -> Column:
    kind = reference.column.kind
    if (kind == "DateTime") != bool(attribute.date_grouping):
        raise refuse("date grouping", name=attribute.date_grouping, attribute=attribute.name)
    if kind in _NOT_GROUPED:
        raise refuse("group type", kind=KINDS[kind].attribute_type)
    if attribute.date_grouping:
        part = _DATE_PARTS.get(attribute.date_grouping)
        if part is None:
            raise refuse("date grouping", name=attribute.date_grouping, attribute=attribute.name)
        sql = part.format(reference.sql)
        order = f"min(substr({reference.sql}, 1, 7))" if attribute.date_grouping == "fiscal-period" else sql
        return Column(attribute, node, reference, sql, sql, order)
    order = reference.order
    if kind in LABELLED or reference.column.is_lookup:
        order = f"sortkey({formatted_sql(service, node.table, reference.column, reference.alias) or 'NULL'})"
    return Column(attribute, node, reference, f"min({reference.sql})", reference.equal, f"min({order})")


def _total(attribute: Attribute, reference: Reference) -> str:
    method = attribute.aggregate
    if method == "count":
        return "count(*)"
    if method == "countcolumn":
        return f"count(DISTINCT {reference.equal})" if attribute.distinct else f"count({reference.sql})"
    if method not in _METHODS:
        raise refuse("aggregate", name=method)
    aggregate.check_aggregate(reference.column, method)
    if method == "avg":
        return f"CASE WHEN count({reference.sql}) THEN sum({reference.sql})||'/'||count({reference.sql}) END"
    if method == "sum":
        return f"CASE WHEN count(*) THEN ifnull(sum({reference.sql}), 0) END"
    return f"{method}({reference.sql})"


def check_input(service: Service, fetch: Fetch, body: str, parameters: Sequence[object]) -> None:
    """Raise ODataError 400 (0x8004E023) when too many rows go in; `aggregatelimit` can only lower the limit."""
    limit = min(fetch.aggregate_limit or service.aggregate_limit, service.aggregate_limit)
    counted = service.store.query(f"SELECT count(*) FROM (SELECT 1{body} LIMIT {limit + 1})", parameters)
    if int(str(counted[0][0])) > limit:
        raise ODataError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")


@dataclass(frozen=True)
class Grouped:
    """The statement of an aggregate query without LIMIT, and what its rows hold."""

    sql: str
    columns: list[Column]


def grouped_sql(service: Service, tables: Tables, body: str, wanted: Wanted) -> Grouped:
    """Return the statement; `body` is FROM and WHERE."""
    columns = _columns(service, tables)
    terms = [term for column in columns for term in _terms(service, column, wanted)]
    groups = [column.group for column in columns if column.group]
    by = f" GROUP BY {', '.join(groups)}" if groups else ""
    return Grouped(f"SELECT {', '.join(terms)}{body}{by}{_order(tables, columns)}", columns)


def _order(tables: Tables, columns: list[Column]) -> str:
    by_alias = {column.attribute.alias: column for column in columns}
    terms = []
    for order in (order for node in tables.nodes.joined for order in node.entity.orders):
        if not order.alias:
            raise refuse("order attribute")
        if order.alias not in by_alias:
            raise refuse("alias", name=order.alias)
        column = by_alias[order.alias]
        sql = f"avg({column.reference.sql})" if column.attribute.aggregate == "avg" else column.order
        terms.append(f"{sql}{' DESC' if order.descending else ''}")
    terms += [column.order for column in columns if column.group]
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def _terms(service: Service, column: Column, wanted: Wanted) -> list[str]:
    """The value, and for groups its label and the table a lookup points to."""
    terms = [column.sql]
    if column.is_plain_group:
        text = formatted_sql(service, column.node.table, column.reference.column, column.reference.alias)
        terms.append(f"min({text})" if text and wanted(FORMATTED) else "NULL")
        polymorphic = column.reference.column.polymorphic
        kind = f"{column.reference.alias}.{sql_name(type_column(column.reference.column))}"
        terms.append(f"min({kind})" if polymorphic else "NULL")
    return terms


def grouped_rows(service: Service, grouped: Grouped, found: list[tuple[object, ...]], wanted: Wanted) -> list[str]:
    """Return the rows as JSON texts; nulls are left out."""
    return [_row(service, grouped.columns, row, wanted) for row in found]


def _row(service: Service, columns: list[Column], row: tuple[object, ...], wanted: Wanted) -> str:
    parts, values = [], iter(row)
    for column in columns:
        value = next(values)
        label, target = (next(values), next(values)) if column.is_plain_group else (None, None)
        if value is None:
            continue
        name = column.attribute.alias
        for note, text in _notes(service, column, value, label, target, wanted):
            parts.append(f'"{name}@{note}":{json.dumps(text, ensure_ascii=False)}')
        fiscal = isinstance(value, str) and bool(column.attribute.date_grouping)
        text = json.dumps(value) if fiscal else aggregate.value_text(service, _output(column), value)
        parts.append(f'"{name}":{text}')
    return f"{{{','.join(parts)}}}"


def _output(column: Column) -> aggregate.Output:
    method = _METHODS.get(column.attribute.aggregate, "group" if column.group else "count")
    counted = method == "count" or bool(column.attribute.date_grouping)
    return aggregate.Output(column.attribute.alias, "", method, None if counted else column.reference)


def _notes(
    service: Service, column: Column, value: object, label: object, target: object, wanted: Wanted
) -> Iterator[tuple[str, str]]:
    if wanted(ALIASED):
        yield ALIASED, column.attribute.name
    if wanted(FORMATTED):
        text = _label(column, value) if not column.is_plain_group else label
        if text is not None:
            yield FORMATTED, str(text)
    source = column.reference.column
    if column.is_plain_group and source.is_lookup:
        table = str(target or source.targets[0])
        navigation = associated(service.organisation, column.node.table, source).get(table)
        if wanted(ASSOCIATED) and navigation:
            yield ASSOCIATED, navigation
        if wanted(LOOKUP):
            yield LOOKUP, table


def _label(column: Column, value: object) -> str | None:
    return value if isinstance(value, str) and column.group else aggregate.label_text(_output(column), value)
