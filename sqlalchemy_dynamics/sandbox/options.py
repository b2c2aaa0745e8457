"""The system query options of a request: read, checked, and turned into columns and sort terms (sections 4.1, 4.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.annotations import name_of
from sqlalchemy_dynamics.sandbox.failures import Refused, bad_request, unknown_property
from sqlalchemy_dynamics.sandbox.paging import OrderTerm
from sqlalchemy_dynamics.sandbox.schema import Column, Navigation, Table
from sqlalchemy_dynamics.sandbox.scope import Reference, Scope
from sqlalchemy_dynamics.sandbox.values import KINDS
from sqlalchemy_dynamics.sandbox.wire import Service, split_outside_quotes

__all__ = ["Options", "Selection", "order_terms", "read_options", "select_columns"]

SUPPORTED = frozenset(
    {"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$apply", "$skiptoken", "$deltatoken", "$id"}
)
_ADDRESS = re.compile(r"(address\d)_(?:line\d|city|county|stateorprovince|postalcode|country|postofficebox)$")


@dataclass(frozen=True)
class Options:
    """The options as texts; `select` and `orderby` split, numbers read."""

    select: tuple[str, ...] | None = None
    filter: str = ""
    orderby: tuple[str, ...] = ()
    top: int | None = None
    count: bool = False
    expand: str = ""
    apply: str = ""
    skiptoken: str = ""
    deltatoken: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)


def read_options(service: Service, raw: Mapping[str, str]) -> Options:
    """Return the options of a data request; raises ODataError for those the service does not have."""
    for name in raw:
        if name == "$skip":
            raise Refused(service.switches.skip)
        if name.startswith("$") and name not in SUPPORTED:
            raise Refused(service.switches.query_option, name=name)
    return Options(
        _names(raw["$select"]) if "$select" in raw else None,
        raw.get("$filter", ""),
        tuple(split_outside_quotes(raw["$orderby"], ",")) if raw.get("$orderby", "").strip() else (),
        _whole(raw["$top"]) if "$top" in raw else None,
        _boolean(raw.get("$count", "false")),
        raw.get("$expand", ""),
        raw.get("$apply", ""),
        raw.get("$skiptoken", ""),
        raw.get("$deltatoken", ""),
        {name: value for name, value in raw.items() if name.startswith("@")},
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole(text: str) -> int:
    if not re.fullmatch(r"\s*\d+\s*", text):
        raise bad_request(
            f"Invalid value '{text}' for $top query option found. The $top query option requires a non-negative "
            "integer value."
        )
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise bad_request(f"Invalid value '{text}' for $count query option found. Valid values are 'true' or 'false'.")
    return text == "true"


@dataclass(frozen=True)
class Selection:
    """The columns of a row, and the names as the context shows them (None without `$select`)."""

    columns: list[Column]
    shown: tuple[str, ...] | None


def select_columns(service: Service, table: Table, names: tuple[str, ...] | None) -> Selection:
    """Return what `$select` picks: the key always, the currency with money, the composite with parts of an address."""
    properties = table.properties()
    if names is None or "*" in names:
        return Selection([c for c in properties.values() if c.readable], None)
    picked: dict[str, Column] = {}
    for name in names:
        column = properties.get(name) or _by_navigation(service, table, name)
        if column is None:
            raise unknown_property(name, table.name)
        picked[column.property] = column
    for column in list(picked.values()):
        for also in _companions(column):
            if also in table.columns:
                picked.setdefault(table.columns[also].property, table.columns[also])
    picked.setdefault(table.columns[table.primary_id].property, table.columns[table.primary_id])
    if table.key in table.columns:
        picked.setdefault(table.key, table.columns[table.key])
    return Selection(list(picked.values()), names)


def _by_navigation(service: Service, table: Table, name: str) -> Column | None:
    navigation: Navigation | None = service.organisation.navigations(table.name).get(name)
    if navigation is None or navigation.collection:
        return None
    return table.columns[navigation.column]


def _companions(column: Column) -> list[str]:
    if column.kind == "Money":
        return ["transactioncurrencyid"]
    match = _ADDRESS.match(column.name)
    return [f"{match[1]}_composite"] if match else []


def order_terms(scope: Scope, orderby: tuple[str, ...]) -> list[OrderTerm]:
    """Return the sort terms, the key as the last (section 4.5)."""
    if orderby and not all(part.strip() for part in orderby):
        text = ",".join(orderby)
        raise bad_request(f"Expression expected at position {len(text)} in '{text}'.")
    terms = [_term(scope, part) for part in orderby]
    key = scope.table.columns[scope.table.primary_id]
    reference = Reference(key, scope.table, scope.alias)
    if all(term.shown != reference.sql for term in terms):
        terms.append(OrderTerm(key.name, reference.order, reference.sql, False, "guidkey({})", True))
    return terms


def _term(scope: Scope, text: str) -> OrderTerm:
    match = re.fullmatch(r"\s*([\w/]+|@\w+)(?:\s+(asc|desc))?\s*", text)
    if match is None:
        if "(" in text:
            raise Refused(scope.service.switches.filter_function, name=text.split("(")[0].strip())
        raise bad_request(f"Syntax error at position 0 in '{text}'.")
    path, descending = tuple(match[1].split("/")), match[2] == "desc"
    if len(path) > 1 and not scope.service.switches.order_by_related:
        raise bad_request(f"Sorting by the related column '{match[1]}' is not supported.", "0x80060888")
    reference = scope.resolve(path)
    column = reference.column
    if column.kind in ("MultiSelectPicklist", "Image", "File"):
        raise bad_request(f"The column '{column.property}' cannot be sorted by.", "0x80060888")
    if column.is_lookup:
        name = name_of(scope.service, column, reference.sql, reference.alias)
        return OrderTerm(column.name, f"sortkey({name})", name, descending, "sortkey({})")
    order = KINDS[column.kind].order
    return OrderTerm(
        column.name, order(reference.sql), reference.sql, descending, order("{}"), order("") == "guidkey()"
    )
