"""A query of one entity set, and the GET request it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy_dynamics.errors import InternalError
from sqlalchemy_dynamics.odata.filter_text import render
from sqlalchemy_dynamics.odata.filters import Both, Filter, Path
from sqlalchemy_dynamics.odata.literals import encode
from sqlalchemy_dynamics.odata.messages import HttpRequest

__all__ = [
    "FORMATTED_VALUE",
    "LOOKUP_TABLE",
    "MOST_ROWS",
    "Aggregate",
    "Apply",
    "Expand",
    "Order",
    "Query",
    "next_request",
    "to_request",
]

FORMATTED_VALUE = "OData.Community.Display.V1.FormattedValue"
LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
MOST_ROWS = 5000
"""Rows of one page, and the largest `$top` whose behaviour is known (dataverse-web-api: page size)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One `$orderby` term."""

    path: Path
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate of `$apply`; `method` is sum, average, min, max or count (then `path` is empty)."""

    method: str
    path: Path
    alias: str


@dataclass(frozen=True, slots=True)
class Apply:
    """`$apply`: group by `groups` (none: one row) with `aggregates` (none: distinct groups)."""

    groups: tuple[Path, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()


@dataclass(frozen=True, slots=True)
class Expand:
    """`$expand` of a single-valued navigation property."""

    navigation: str
    select: tuple[str, ...] = ()
    expand: tuple[Expand, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask of one entity set. `top` and `page_size` exclude each other (the server ignores `$top` then).

    `annotations` are the annotations to tell of every column that has them.
    """

    entity_set: str
    select: tuple[str, ...] = ()
    filter: Filter | None = None
    order: tuple[Order, ...] = ()
    top: int | None = None
    apply: Apply | None = None
    expand: tuple[Expand, ...] = ()
    annotations: tuple[str, ...] = ()
    page_size: int | None = None


def to_request(query: Query, *, placeholders: bool = False) -> HttpRequest:
    """Return the GET request of a query; its URL is relative to the service root.

    `placeholders` True shows unbound parameters as ``{key}``, for EXPLAIN. Raises InternalError when the query
    combines options that the service does not honour together, or its filter matches nothing.
    """
    _refuse_bad_mixtures(query)
    keep = ";{}" if placeholders else ";"
    options = "&".join(f"{name}={encode(text, keep)}" for name, text in _options(query, placeholders))
    url = f"{query.entity_set}?{options}" if options else query.entity_set
    return HttpRequest("GET", url, _preferences(query), repeatable=True)


def next_request(next_link: str, query: Query) -> HttpRequest:
    """Return the request of the page after: the server's link verbatim, with the first request's `Prefer`."""
    return HttpRequest("GET", next_link, _preferences(query), repeatable=True)


def _refuse_bad_mixtures(query: Query) -> None:
    if query.top is not None and (query.page_size is not None or query.top > MOST_ROWS):
        raise InternalError(f"$top={query.top} stands beside a page size or exceeds {MOST_ROWS}: page instead")
    if query.apply is not None and (query.select or query.order or query.expand or query.top is not None):
        raise InternalError("$apply takes no $select, $orderby, $expand or $top: do that on the groups")


def _options(query: Query, placeholders: bool) -> Iterator[tuple[str, str]]:
    wanted = None if query.filter == Both(()) else query.filter
    if query.apply is not None:
        yield "$apply", _apply_text(query.apply, wanted, placeholders)
        return
    if query.select:
        yield "$select", ",".join(query.select)
    if wanted is not None:
        rendered = render(wanted, placeholders=placeholders)
        yield "$filter", rendered.text
        yield from rendered.aliases
    if query.order:
        yield "$orderby", ",".join("/".join(each.path) + " desc" * each.descending for each in query.order)
    if query.top is not None:
        yield "$top", str(query.top)
    if query.expand:
        yield "$expand", _expand_text(query.expand)


def _apply_text(apply: Apply, wanted: Filter | None, placeholders: bool) -> str:
    """The filter goes inside: an outer `$filter` would be honoured, against OData, before the grouping."""
    steps = [] if wanted is None else [f"filter({render(wanted, aliases=False, placeholders=placeholders).text})"]
    aggregates = f"aggregate({','.join(map(_aggregate_text, apply.aggregates))})" if apply.aggregates else ""
    if apply.groups:
        groups = ",".join("/".join(path) for path in apply.groups)
        steps.append(f"groupby(({groups}),{aggregates})" if aggregates else f"groupby(({groups}))")
    elif aggregates:
        steps.append(aggregates)
    return "/".join(steps)


def _aggregate_text(aggregate: Aggregate) -> str:
    if aggregate.method == "count":
        return f"$count as {aggregate.alias}"
    return f"{'/'.join(aggregate.path)} with {aggregate.method} as {aggregate.alias}"


def _expand_text(expands: tuple[Expand, ...]) -> str:
    return ",".join(map(_one_expand, expands))


def _one_expand(expand: Expand) -> str:
    options = [f"$select={','.join(expand.select)}"] if expand.select else []
    if expand.expand:
        options.append(f"$expand={_expand_text(expand.expand)}")
    return f"{expand.navigation}({';'.join(options)})" if options else expand.navigation


def _preferences(query: Query) -> dict[str, str]:
    wishes = []
    if query.page_size is not None:
        wishes.append(f"odata.maxpagesize={query.page_size}")
    if query.annotations:
        wishes.append(f'odata.include-annotations="{",".join(query.annotations)}"')
    return {"Prefer": ",".join(wishes)} if wishes else {}
