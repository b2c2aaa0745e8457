"""`$apply`: filter, groupby, aggregate; at most 50,000 rows go in, at most a page of groups comes out (section 4.9)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy_dynamics.sandbox import listing
from sqlalchemy_dynamics.sandbox.annotations import FORMATTED, LOOKUP, Wanted, formatted_sql
from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request
from sqlalchemy_dynamics.sandbox.formats import formatted
from sqlalchemy_dynamics.sandbox.grammar import parse_filter
from sqlalchemy_dynamics.sandbox.options import Options
from sqlalchemy_dynamics.sandbox.predicates import compile_filter
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.schema import Column
from sqlalchemy_dynamics.sandbox.scope import Reference
from sqlalchemy_dynamics.sandbox.values import KINDS, SCALES, scale_of
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply, split_outside_quotes

__all__ = ["apply", "check_aggregate", "check_limit", "label_text", "number_text", "value_text"]

_METHODS = {"sum": "sum", "average": "avg", "min": "min", "max": "max"}
_NUMBERS = frozenset({"Integer", "BigInt", "Decimal", "Double", "Money"})
_ORDERED = _NUMBERS | {"DateTime"}
_PLACES = 9


@dataclass(frozen=True)
class Shape:
    """What an `$apply` asks for, as texts: filters, group paths (None: no groupby), aggregates."""

    filters: tuple[str, ...]
    groups: tuple[str, ...] | None
    aggregates: tuple[str, ...]


@dataclass(frozen=True)
class Output:
    """One member of a result row: its name, the SELECT term, and the column it comes from."""

    name: str
    sql: str
    method: str
    reference: Reference | None = None


def _read(text: str) -> Shape:
    filters: list[str] = []
    groups: tuple[str, ...] | None = None
    aggregates: tuple[str, ...] = ()
    steps = [step.strip() for step in split_outside_quotes(text, "/")]
    for number, step in enumerate(steps):
        match = re.fullmatch(r"(filter|aggregate|groupby)\s*\((.*)\)", step, re.DOTALL)
        if match is None or (match[1] != "filter" and number < len(steps) - 1):
            raise bad_request(f"The $apply expression '{text}' is not supported.", "0x80060888")
        if match[1] == "filter":
            filters.append(match[2])
        elif match[1] == "aggregate":
            aggregates = _list(match[2])
        else:
            groups, aggregates = _groupby(match[2], text)
    if groups is None and not aggregates:
        raise bad_request(f"The $apply expression '{text}' is not supported.", "0x80060888")
    return Shape(tuple(filters), groups, aggregates)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in split_outside_quotes(text, ",") if part.strip())


def _groupby(inner: str, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parts = _list(inner)
    keys = re.fullmatch(r"\(([^()]*)\)", parts[0]) if parts else None
    if keys is None or len(parts) > 2:
        raise bad_request(f"Syntax error in the $apply expression '{text}'.")
    if len(parts) == 1:
        return _list(keys[1]), ()
    match = re.fullmatch(r"aggregate\s*\((.*)\)", parts[1], re.DOTALL)
    if match is None:
        raise bad_request(f"The $apply expression '{text}' is not supported.", "0x80060888")
    return _list(keys[1]), _list(match[1])


def apply(service: Service, request: Request, resource: Resource, options: Options) -> Reply:
    """Answer an aggregation."""
    shape = _read(options.apply)
    rows, wanted = listing.start_rows(service, resource), Wanted.of(request)
    for text in (*shape.filters, *([options.filter] if options.filter else [])):
        rows.restrict(compile_filter(parse_filter(text, options.aliases, service.switches), rows.scope))
    groups = [_group(rows, path) for path in shape.groups or ()]
    outputs = [*groups, *(_aggregate(rows, text) for text in shape.aggregates)]
    names = [output.name for output in outputs]
    if len(set(names)) < len(names):
        raise bad_request("Duplicate alias in the $apply expression.", "0x80041130")
    if shape.aggregates or service.switches.grouping_is_limited:
        check_limit(service, rows)
    keys = [o.reference.equal for o in groups if o.reference is not None]
    terms = [term for output in outputs for term in (output.sql, *_extra(service, output, wanted))]
    by = f" GROUP BY {', '.join(keys)}" if keys else ""
    found = service.store.query(
        f"SELECT {', '.join(terms)}{rows.body}{by} LIMIT {service.max_page_size}", rows.parameters
    )
    if not keys and not service.switches.aggregate_of_nothing:
        found = [row for row in found if any(value is not None for value in row)]
    members = [_row(service, outputs, row, wanted) for row in found]
    context = json.dumps(f"{request.root}$metadata#{resource.rows.set_name}")
    return json_reply(f'{{"@odata.context":{context},"value":[{",".join(members)}]}}', headers=listing.applied(request))


def check_limit(service: Service, rows: listing.Rows, limit: int | None = None) -> None:
    """Raise ODataError 400 (0x8004E023) when more rows go into an aggregation than the service listing."""
    largest = min(limit or service.aggregate_limit, service.aggregate_limit)
    counted = service.store.query(f"SELECT count(*) FROM (SELECT 1{rows.body} LIMIT {largest + 1})", rows.parameters)
    if int(str(counted[0][0])) > largest:
        raise ODataError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")


def _group(rows: listing.Rows, path: str) -> Output:
    parts = tuple(path.split("/"))
    reference = rows.scope.resolve(parts)
    column = reference.column
    if column.kind == "DateTime":
        raise bad_request(f"Grouping by the date column '{path}' is not supported.", "0x80060888")
    if column.kind in ("MultiSelectPicklist", "Image", "File"):
        raise bad_request(f"Grouping by the column '{path}' is not supported.", "0x80060888")
    name = column.property if len(parts) == 1 else f"{reference.table.name}_{column.name}"
    return Output(name, f"min({reference.sql})", "group", reference)


def _aggregate(rows: listing.Rows, text: str) -> Output:
    counted = re.fullmatch(r"\$count\s+as\s+([A-Za-z_]\w*)", text)
    if counted:
        return Output(counted[1], "count(*)", "count")
    match = re.fullmatch(r"([\w/]+)\s+with\s+(\w+)\s+as\s+([A-Za-z_]\w*)", text)
    if match is None:
        raise bad_request(f"Syntax error in the aggregate expression '{text}'.")
    if match[2] not in _METHODS:
        raise bad_request(f"The aggregation method '{match[2]}' is not supported.", "0x80060888")
    reference = rows.scope.resolve(tuple(match[1].split("/")))
    check_aggregate(reference.column, _METHODS[match[2]])
    sql = f"{_METHODS[match[2]]}({reference.sql})"
    if match[2] == "average":
        sql = f"CASE WHEN count({reference.sql}) THEN sum({reference.sql})||'/'||count({reference.sql}) END"
    return Output(match[3], sql, match[2], reference)


def check_aggregate(column: Column, method: str) -> None:
    """Raise ODataError 400 (0x8004112f) when a column type has no such aggregate."""
    if column.kind not in (_NUMBERS if method in ("sum", "avg") else _ORDERED):
        message = f"Aggregate {method} is not supported for attribute of type {KINDS[column.kind].attribute_type}."
        raise ODataError(400, "0x8004112f", message)


def _extra(service: Service, output: Output, wanted: Wanted) -> list[str]:
    reference = output.reference
    if output.method != "group" or reference is None or not wanted(FORMATTED):
        return []
    text = formatted_sql(service, reference.table, reference.column, reference.alias)
    return [f"min({text})"] if text else []


def _row(service: Service, outputs: Sequence[Output], row: tuple[object, ...], wanted: Wanted) -> str:
    members, values = [], iter(row)
    for output in outputs:
        value = next(values)
        label = next(values) if _extra(service, output, wanted) else None
        if value is None:
            continue
        if output.method != "group" and wanted(FORMATTED):
            label = label_text(output, value)
        if label is not None:
            members.append(f'"{output.name}@{FORMATTED}":{json.dumps(str(label), ensure_ascii=False)}')
        members += _target(output, wanted)
        members.append(f'"{output.name}":{value_text(service, output, value)}')
    return f"{{{','.join(members)}}}"


def _target(output: Output, wanted: Wanted) -> list[str]:
    column = output.reference.column if output.reference and output.method == "group" else None
    if column is None or not column.is_lookup or column.polymorphic or not wanted(LOOKUP):
        return []
    return [f'"{output.name}@{LOOKUP}":"{column.targets[0]}"']


def label_text(output: Output, value: object) -> str | None:
    """Return the formatted value of an aggregate."""
    if output.reference is None:
        return f"{int(str(value)):,}"
    column = output.reference.column
    if column.kind in SCALES:
        number = _average(value) if output.method == "average" else Decimal(str(value))
        return formatted(column.kind, number, None if column.kind == "Money" else column.precision)
    if column.kind == "DateTime":
        return formatted("DateTime", value, column.format == "DateOnly")
    return f"{_average(value) if output.method == 'average' else Decimal(str(value)):,f}"


def _average(value: object) -> Decimal:
    total, _, count = str(value).partition("/")
    return Decimal(total) / Decimal(count)


def value_text(service: Service, output: Output, value: object) -> str:
    """Return the JSON text of a group or an aggregate."""
    if output.reference is None:
        return str(value)
    column = output.reference.column
    if output.method == "average":
        return number_text(column, _average(value), service.switches.average_of_integers_is_whole)
    if output.method == "sum" and column.kind in SCALES:
        return number_text(column, Decimal(str(value)))
    if column.kind in SCALES:
        return f"{Decimal(str(value)).scaleb(-scale_of(column)):.{SCALES[column.kind]}f}"
    if column.kind == "Boolean":
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def number_text(column: Column, number: Decimal, whole: bool = True) -> str:
    """Return a sum or an average as JSON text: money and decimals with nine places or their own ten."""
    if column.kind in SCALES:
        return f"{number.scaleb(-scale_of(column)):.{max(SCALES[column.kind], _PLACES)}f}"
    if column.kind == "Double":
        return repr(float(number))
    return str(int(number)) if whole else f"{number.normalize():f}"
