"""Links between rows: lookups set from the other side, and rows of intersect tables (section 5.3)."""

from __future__ import annotations

import sqlite3

from sqlalchemy_dynamics.sandbox.binding import Target
from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.schema import ManyToMany, Navigation, Table
from sqlalchemy_dynamics.sandbox.sequences import new_id
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.values import iso, now, sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["link", "sides", "unlink"]


def link(service: Service, navigation: Navigation, parent: Target, child: Target) -> None:
    """Put a row into a collection of another; raises ODataError 412 when a many-to-many link exists already."""
    if navigation.many_to_many is None:
        _point(service, navigation, parent, child)
        return
    many, table, one, two = _ends(service, navigation, parent, child)
    service.store.touch(table.name)
    if _linked(service, many, table, one, two):
        raise ODataError(412, "0x80040237", "Cannot insert duplicate key.")
    row: dict[str, object] = {table.primary_id: new_id(service), many.attribute1: one, many.attribute2: two}
    if "versionnumber" in table.columns:
        row["versionnumber"] = service.store.next_version()
    try:
        service.store.insert(table, row)
    except sqlite3.IntegrityError:
        raise ODataError(412, "0x80040237", "Cannot insert duplicate key.") from None


def unlink(service: Service, navigation: Navigation, parent: Target, child: Target) -> None:
    """Take a row out of a collection of another; a link that is not there is no error."""
    if navigation.many_to_many is None:
        _point(service, navigation, None, child)
        return
    many, table, one, two = _ends(service, navigation, parent, child)
    for row_id in _linked(service, many, table, one, two):
        service.store.delete(table, row_id)


def sides(many: ManyToMany, navigation: Navigation) -> tuple[str, str]:
    """Return the intersect columns that hold the navigation's own row and the other row."""
    own_first = (navigation.name, navigation.table) == (many.nav1, many.entity1)
    return (many.attribute1, many.attribute2) if own_first else (many.attribute2, many.attribute1)


def _ends(
    service: Service, navigation: Navigation, parent: Target, child: Target
) -> tuple[ManyToMany, Table, str, str]:
    many = navigation.many_to_many
    assert many is not None
    if child[0].name != navigation.target and child[0].base != navigation.target:
        raise wrong_table(navigation, child[0])
    swap = sides(many, navigation)[0] == many.attribute2
    one, two = (child[1], parent[1]) if swap else (parent[1], child[1])
    return many, service.organisation.tables[many.intersect], one, two


def _linked(service: Service, many: ManyToMany, table: Table, one: str, two: str) -> list[str]:
    service.store.touch(table.name)
    sql = (
        f"SELECT {sql_name(table.primary_id)} FROM {sql_name(table.name)} WHERE {sql_name(many.attribute1)} = ? "
        f"AND {sql_name(many.attribute2)} = ?"
    )
    return [str(row[0]) for row in service.store.query(sql, (one, two))]


def _point(service: Service, navigation: Navigation, parent: Target | None, child: Target) -> None:
    table, row_id = child
    if table.name != navigation.target and table.base != navigation.target:
        raise wrong_table(navigation, table)
    column = table.columns[navigation.column]
    values: dict[str, object] = {column.name: None if parent is None else parent[1]}
    if column.polymorphic:
        values[type_column(column)] = (
            None if parent is None else (parent[0].name if parent[0].name in column.targets else navigation.table)
        )
    if "versionnumber" in table.columns:
        values |= {"versionnumber": service.store.next_version()}
    if "modifiedon" in table.columns:
        values |= {"modifiedon": iso(now())}
    service.store.update(table, row_id, values)


def wrong_table(navigation: Navigation, table: Table) -> ODataError:
    """Return the 400 for a row of a table the navigation property does not hold."""
    return ODataError(
        400,
        "0x80048d19",
        (
            f"The resource of type '{table.name}' cannot be part of the navigation property '{navigation.name}', which "
            f"holds '{navigation.target}'."
        ),
    )
