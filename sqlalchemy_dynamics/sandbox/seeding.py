"""Rows put in through the control plane: given as JSON, or made by the generator."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy_dynamics.sandbox.failures import unknown_property
from sqlalchemy_dynamics.sandbox.generator import Batch
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.values import iso, now, store_value
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["insert_made", "insert_rows"]


def insert_rows(service: Service, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows given by column or property name; values as in JSON, nothing but types is checked. Returns how many.

    A polymorphic lookup takes its table from ``<column>:type`` (or is the first target). What is not given gets the
    caller, the time and the column's default.
    """
    with service.store.transaction():
        for given in rows:
            service.store.insert(table, _stored(service, table, given))
    return len(rows)


def _stored(service: Service, table: Table, given: Mapping[str, Any]) -> dict[str, object]:
    properties = table.properties()
    row = _defaults(service, table)
    for name, value in given.items():
        if name.endswith(":type"):
            row[name] = value
            continue
        column = table.columns.get(name) or properties.get(name)
        if column is None:
            raise unknown_property(name, table.name)
        row[column.name] = store_value(column, value, service.switches.empty_string_is_null)
        if column.polymorphic and value is not None:
            row.setdefault(type_column(column), column.targets[0])
    if table.key != table.primary_id:
        row[table.key] = row[table.primary_id]
    return row


def _defaults(service: Service, table: Table) -> dict[str, object]:
    moment = iso(now())
    made: dict[str, object] = {
        table.primary_id: str(uuid.uuid4()),
        "createdon": moment,
        "modifiedon": moment,
        "createdby": service.user_id,
        "modifiedby": service.user_id,
        "versionnumber": service.store.next_version(),
        "ownerid": service.user_id,
        "owninguser": service.user_id,
        "owningbusinessunit": service.business_unit_id,
    }
    owned = "ownerid" in table.columns and table.columns["ownerid"].is_lookup
    row = {name: value for name, value in made.items() if name in table.columns and (owned or name != "ownerid")}
    if owned and table.columns["ownerid"].polymorphic:
        row["ownerid:type"] = "systemuser"
    for column in table.columns.values():
        if column.default is not None:
            row[column.name] = store_value(column, column.default)
    return row


def insert_made(service: Service, table: Table, count: int, seed: int) -> int:
    """Insert `count` made rows of a seed of their own; returns how many."""
    service.store.touch(table.name)
    chance = random.Random(f"{seed}/{table.name}/more")
    with service.store.transaction():
        batch = service.generator.batch(table, 0, count, salt=str(seed), fixed=False)
        _renew(service, table, batch, [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(count)])
        columns = list(batch.values)
        service.store.insert_many(table, columns, zip(*(batch.values[name] for name in columns), strict=True))
    return count


def _renew(service: Service, table: Table, batch: Batch, ids: list[str]) -> None:
    batch.values[table.primary_id] = list(ids)
    if table.key in table.columns and table.key != table.primary_id:
        batch.values[table.key] = list(ids)
    if "versionnumber" in batch.values:
        batch.values["versionnumber"] = [service.store.next_version() for _ in ids]
    for column in _keyed(table):
        if column.kind in ("String", "Memo"):
            batch.values[column.name] = [row_id[: column.max_length] for row_id in ids]
        else:
            batch.values[column.name] = [None] * len(ids)


def _keyed(table: Table) -> list[Column]:
    return [table.columns[name] for key in table.keys.values() for name in key.columns]
