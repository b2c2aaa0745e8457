"""A query of one entity set, and the GET request it is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy_dynamics.odata.filters import Filter, Path

__all__ = ["Aggregate", "Apply", "Expand", "Order", "Query"]


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

    `annotations` asks for formatted values and lookup annotations of every column.
    """

    entity_set: str
    select: tuple[str, ...] = ()
    filter: Filter | None = None
    order: tuple[Order, ...] = ()
    top: int | None = None
    apply: Apply | None = None
    expand: tuple[Expand, ...] = ()
    annotations: bool = False
    page_size: int | None = None
