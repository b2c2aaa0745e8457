"""POST, PUT and DELETE of columns, and what comes and goes with them in the schema and in sqlite (section 3.4)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.ddl_columns import fill_column, new_column, reset
from sqlalchemy_dynamics.sandbox.ddl_names import publisher
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.schema import Column, ManyToMany, OneToMany, Table
from sqlalchemy_dynamics.sandbox.standard import add_base_amount, add_currency, add_image_parts
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.values import scale_of, sql_name

__all__ = ["attach", "create_column", "drop_column", "forget_column", "put_column", "relationships_of"]

_ELASTIC_REFUSES = frozenset({"Money", "MultiSelectPicklist", "File", "Image"})
_BEHAVIOUR_TO_DAY = {("UserLocal", "DateOnly"), ("TimeZoneIndependent", "DateOnly")}


def refuse_duplicate(table: Table, column: Column) -> None:
    """Raise ODataError 0x80047013 when the table has a column of that name."""
    if column.name in table.columns:
        raise ODataError(400, "0x80047013", "An attribute with the specified name already exists")


def attach(draft: Draft, table: Table, column: Column) -> None:
    """Add a column to the schema of a table, with what comes with money, images and files."""
    refuse_duplicate(table, column)
    if table.table_type == "Elastic" and column.kind in _ELASTIC_REFUSES:
        raise invalid(f"Elastic tables have no columns of the type {column.kind}.")
    table.add(column)
    if column.kind == "Money":
        add_base_amount(table, column)
        add_currency(draft.organisation, table, {})
    elif column.kind == "Image":
        if column.primary_image:
            _only_primary(table, column)
        add_image_parts(table, column)
    elif column.kind == "File":
        table.add(
            Column(
                f"{column.name}_name",
                "String",
                f"{column.schema_name}_Name",
                creatable=False,
                updatable=False,
                custom=True,
            )
        )


def _only_primary(table: Table, column: Column) -> None:
    for other in list(table.columns.values()):
        if other.primary_image and other is not column:
            table.columns[other.name] = replace(other, primary_image=False)


def store_new(draft: Draft, table: Table, before: set[str]) -> None:
    """Add the physical columns of those that are new in the schema."""
    for column in table.columns.values():
        if column.name not in before:
            draft.store.add_column(table, column)


def create_column(draft: Draft, table_name: str, body: Body) -> str:
    """Add a column to a table; returns its MetadataId."""
    table = draft.table(table_name)
    if table.abstract or table.intersect:
        raise Refused(draft.service.switches.managed_component, kind="Entity", name=table.name, done="extended")
    before = set(table.columns)
    column = new_column(draft, table, body.check(), publisher(draft))
    attach(draft, table, column)
    store_new(draft, table, before)
    return column.metadata_id


def put_column(draft: Draft, table_name: str, old: Column, body: Body) -> None:
    """Replace the definition of a column: what the body does not say goes back to its default."""
    if old.attribute_of:
        raise Refused(draft.service.switches.managed_component, kind="Attribute", name=old.name, done="changed")
    table = draft.table(table_name)
    kind = body.check().type.removesuffix("AttributeMetadata")
    same = {"Customer": "Lookup", "Owner": "Lookup", "Uniqueidentifier": "UniqueIdentifier"}.get(old.kind, old.kind)
    if kind not in (same, ""):
        raise invalid(f"The type of '{old.schema_name}' cannot be changed from {same} to {kind}.")
    for member, name in (("SchemaName", old.schema_name), ("LogicalName", old.name)):
        if body.text(member, name).lower() != name.lower():
            raise invalid(f"The {member} of '{old.schema_name}' cannot be changed.")
    column = fill_column(draft, reset(old), body, old)
    _change_behaviour(draft, table, old, column)
    _change_scale(draft, table, old, column)
    table.columns[old.name] = column


def _change_behaviour(draft: Draft, table: Table, old: Column, new: Column) -> None:
    if old.behaviour == new.behaviour:
        return
    if old.behaviour != "UserLocal":
        raise invalid(f"The behavior of '{old.schema_name}' cannot be changed once it is {old.behaviour}.")
    if (old.behaviour, new.behaviour) in _BEHAVIOUR_TO_DAY:
        draft.store.touch(table.name)
        quoted = sql_name(old.name)
        draft.store.execute(f"UPDATE {sql_name(table.name)} SET {quoted} = substr({quoted}, 1, 10)")


def _change_scale(draft: Draft, table: Table, old: Column, new: Column) -> None:
    """Store the values as the new precision has them; places it does not have are rounded away."""
    change = scale_of(new) - scale_of(old)
    if change:
        draft.store.touch(table.name)
        quoted = sql_name(old.name)
        term = f"{quoted} * {10**change}" if change > 0 else f"CAST(round({quoted} / {10**-change}e0) AS INTEGER)"
        draft.store.execute(f"UPDATE {sql_name(table.name)} SET {quoted} = {term}")


def drop_column(draft: Draft, table_name: str, column: Column) -> None:
    """Drop a column; raises ODataError when it is the system's, the primary name, or something depends on it."""
    table, switches = draft.table(table_name), draft.service.switches
    parts = _parts(table, column)
    if not column.custom or column.name == table.primary_name or _is_part(table, column):
        raise Refused(switches.managed_component, kind="Attribute", name=column.name, done="deleted")
    users = [key for key in table.keys.values() if column.name in key.columns]
    if users:
        raise Refused(switches.component_in_use, kind="Attribute", ident=column.metadata_id, count=len(users))
    for one in _relationships(draft, table.name, column.name):
        del draft.organisation.one_to_many[one.schema_name]
        draft.drop("Relationship", one.metadata_id)
    for part in parts:
        forget_column(draft, table, part)


def _relationships(draft: Draft, table: str, column: str) -> list[OneToMany]:
    found = draft.organisation.one_to_many.values()
    return [one for one in found if one.referencing == table and one.attribute == column]


_SUFFIXES = {"Money": ("_base",), "Image": ("_url", "_timestamp", "id"), "File": ("_name",)}


def _parts(table: Table, column: Column) -> list[Column]:
    names = [column.name, *(column.name + suffix for suffix in _SUFFIXES.get(column.kind, ()))]
    return [table.columns[name] for name in names if name in table.columns]


def _is_part(table: Table, column: Column) -> bool:
    return any(column in _parts(table, other)[1:] for other in table.columns.values() if other.kind in _SUFFIXES)


def forget_column(draft: Draft, table: Table, column: Column) -> None:
    """Take a column out of the schema and out of sqlite."""
    del table.columns[column.name]
    draft.drop("Attribute", column.metadata_id)
    store = draft.store
    store.touch(table.name)
    for name in (column.name, type_column(column)):
        quoted = sql_name(name)
        sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND instr(sql, ?)"
        for (index,) in store.query(sql, (table.name, quoted)):
            store.execute(f"DROP INDEX {sql_name(str(index))}")
    store.drop_column(table, column)


def relationships_of(draft: Draft, table: str) -> list[OneToMany | ManyToMany]:
    """Return all relationships a table takes part in."""
    organisation = draft.organisation
    ones = [one for one in organisation.one_to_many.values() if table in (one.referenced, one.referencing)]
    manys = [many for many in organisation.many_to_many.values() if table in (many.entity1, many.entity2)]
    return [*ones, *manys]
