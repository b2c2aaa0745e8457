"""DELETE of a row and what becomes of the rows that point to it: cascade, restrict, remove link (section 3.5)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy_dynamics.sandbox.binding import concrete
from sqlalchemy_dynamics.sandbox.failures import ODataError, no_such_row
from sqlalchemy_dynamics.sandbox.schema import Column, OneToMany, Table
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.validation import unsupported_message
from sqlalchemy_dynamics.sandbox.values import iso, now, sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["delete_row"]

_NOT_DELETED = frozenset({"systemuser", "organization", "principal"})


def delete_row(service: Service, table: Table, row_id: str) -> None:
    """Delete a row, obeying the `Delete` behaviour of every relationship that points to it.

    Raises ODataError 404 when it is missing, 405 (0x80040227) when a row that restricts points to it.
    """
    table, row_id = concrete(service, table, row_id)
    if table.name in _NOT_DELETED or table.intersect:
        raise unsupported_message("Delete", table.name)
    if service.store.row(table, row_id) is None:
        raise no_such_row(table.name, row_id)
    with service.store.transaction():
        _delete(service, table, row_id, set())


def _delete(service: Service, table: Table, row_id: str, deleted: set[tuple[str, str]]) -> None:
    if (table.name, row_id) in deleted:
        return
    deleted.add((table.name, row_id))
    for relationship, child, column in _pointing_here(service, table):
        ids = _children(service, table, row_id, child, column)
        if ids:
            _treat(service, relationship, child, column, ids, deleted)
    _leave_intersects(service, table, row_id)
    service.store.delete(table, row_id)


def _pointing_here(service: Service, table: Table) -> Iterator[tuple[OneToMany, Table, Column]]:
    organisation = service.organisation
    for relationship in list(organisation.one_to_many.values()):
        if relationship.referenced not in (table.name, table.base):
            continue
        child = organisation.tables.get(relationship.referencing)
        if child is None or relationship.cascade.get("Delete") == "NoCascade":
            continue
        for each in organisation.derived(child.name) if child.abstract else [child]:
            column = each.columns.get(relationship.attribute)
            if column is not None:
                yield relationship, each, column


def _children(service: Service, table: Table, row_id: str, child: Table, column: Column) -> list[str]:
    service.store.index_lookup(child, column.name)
    sql = f"SELECT {sql_name(child.primary_id)} FROM {sql_name(child.name)} WHERE {sql_name(column.name)} = ?"
    parameters = [row_id]
    if column.polymorphic:
        sql += f" AND {sql_name(type_column(column))} IN (?, ?)"
        parameters += [table.name, table.base]
    return [str(row[0]) for row in service.store.query(sql, parameters)]


def _treat(
    service: Service,
    relationship: OneToMany,
    child: Table,
    column: Column,
    ids: list[str],
    deleted: set[tuple[str, str]],
) -> None:
    behaviour = relationship.cascade.get("Delete", "RemoveLink")
    ids = [row_id for row_id in ids if (child.name, row_id) not in deleted]
    if behaviour == "Cascade":
        for row_id in ids:
            _delete(service, child, row_id, deleted)
    elif ids and (behaviour == "Restrict" or column.required == "SystemRequired"):
        raise ODataError(
            405,
            "0x80040227",
            ("The object you tried to delete is associated with another object and cannot be deleted."),
        )
    else:
        for row_id in ids:
            _clear(service, child, column, row_id)


def _clear(service: Service, child: Table, column: Column, row_id: str) -> None:
    values: dict[str, object] = {column.name: None, type_column(column): None}
    if not column.polymorphic:
        del values[type_column(column)]
    if "versionnumber" in child.columns:
        values["versionnumber"] = service.store.next_version()
    if "modifiedon" in child.columns:
        values["modifiedon"] = iso(now())
    service.store.update(child, row_id, values)


def _leave_intersects(service: Service, table: Table, row_id: str) -> None:
    for many in list(service.organisation.many_to_many.values()):
        ends = ((many.entity1, many.attribute1), (many.entity2, many.attribute2))
        intersect = service.organisation.tables.get(many.intersect)
        if intersect is None:
            continue
        for attribute in (attribute for entity, attribute in ends if entity == table.name):
            service.store.touch(intersect.name)
            sql = (
                f"SELECT {sql_name(intersect.primary_id)} FROM {sql_name(intersect.name)} "
                f"WHERE {sql_name(attribute)} = ?"
            )
            for row in service.store.query(sql, (row_id,)):
                service.store.delete(intersect, str(row[0]))
