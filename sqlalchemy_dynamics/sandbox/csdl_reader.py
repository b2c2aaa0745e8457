"""Become the organisation of a genuine `$metadata` document (section 2).

What CSDL does not say (lengths, choices, primary names) comes from the demo organisation where it knows the column,
else from names: ``…code`` is a choice, an amount with a ``_base`` is money.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from sqlalchemy_dynamics.sandbox.csdl_records import (
    Document,
    EntityType,
    NavigationRecord,
    PropertyRecord,
    parse_csdl,
)
from sqlalchemy_dynamics.sandbox.demo import demo_organisation
from sqlalchemy_dynamics.sandbox.schema import (
    AlternateKey,
    Choice,
    Column,
    ManyToMany,
    OneToMany,
    Option,
    Organisation,
    Table,
    metadata_id,
)
from sqlalchemy_dynamics.sandbox.standard import CASCADES, words

__all__ = ["read_csdl"]

_KINDS = {
    "Edm.String": "String", "Edm.Int32": "Integer", "Edm.Int16": "Integer", "Edm.Int64": "BigInt",
    "Edm.Double": "Double",
    "Edm.Boolean": "Boolean", "Edm.DateTimeOffset": "DateTime", "Edm.Date": "DateTime", "Edm.Guid": "Uniqueidentifier",
    "Edm.Binary": "Image", "Edm.Decimal": "Decimal",
}
_NAMES = ("name", "fullname", "title", "subject", "friendlyname")
_LONG = ("description", "notetext", "documentbody", "xml", "composite", "comments", "notes")
_READ_ONLY = {"createdon", "modifiedon", "versionnumber", "createdby", "modifiedby", "createdonbehalfby",
              "modifiedonbehalfby", "owninguser", "owningteam", "owningbusinessunit", "exchangerate"}


@lru_cache(maxsize=1)
def _known() -> Organisation:
    return demo_organisation()


def read_csdl(text: bytes) -> Organisation:
    """Return the organisation of a `$metadata` document; raises ValueError when it is none."""
    document = parse_csdl(text)
    organisation = Organisation(document=text)
    tables = [kind for kind in document.types.values() if _is_table(document, kind)]
    if not tables:
        raise ValueError("the $metadata document declares no tables (entity types derived from crmbaseentity)")
    for kind in sorted(tables, key=lambda kind: bool(_base(document, kind))):
        organisation.add(_table(document, kind, organisation))
    for kind in tables:
        _relate(document, kind, organisation)
    for table in organisation.tables.values():
        _inherit(organisation, table)
    _many_to_many(document, tables, organisation)
    return organisation


def _inherit(organisation: Organisation, table: Table) -> None:
    """What relationships made of a base type's columns holds for the derived type's as well."""
    base = organisation.tables.get(table.base)
    for column in table.columns.values():
        if base is not None and column.inherited:
            model = base.columns[column.name]
            column.kind, column.plain_guid = model.kind, model.plain_guid
            column.targets = tuple(dict.fromkeys((*model.targets, *column.targets)))


def _chain(document: Document, kind: EntityType) -> Iterator[EntityType]:
    seen: set[str] = set()
    while kind.name not in seen:
        seen.add(kind.name)
        yield kind
        if kind.base not in document.types:
            return
        kind = document.types[kind.base]


def _is_table(document: Document, kind: EntityType) -> bool:
    chain = list(_chain(document, kind))
    roots = {other.name for other in chain}
    return bool(roots & {"crmbaseentity", "expando"}) and any(other.key for other in chain)


def _base(document: Document, kind: EntityType) -> str:
    base = document.types.get(kind.base)
    return kind.base if base is not None and _is_table(document, base) else ""


def _table(document: Document, kind: EntityType, organisation: Organisation) -> Table:
    key = next(other.key for other in _chain(document, kind) if other.key)
    base = _base(document, kind)
    known = _known().tables.get(kind.name)
    primary_id = f"{kind.name}id" if f"{kind.name}id" in kind.properties else key
    label = known.label if known else words(kind.name).title()
    table = Table(kind.name, document.sets.get(kind.name), primary_id, key=key, label=label,
                  schema_name=known.schema_name if known else "",
                  plural=known.plural if known else f"{label}s", base=base, abstract=kind.abstract,
                  is_activity="activitypointer" in (base, kind.name), custom="_" in kind.name,
                  object_type_code=known.object_type_code if known else 10_000 + len(organisation.tables))
    for column in organisation.tables[base].columns.values() if base else ():
        table.add(replace(column, inherited=True, metadata_id=""))
    taken = {name for name in kind.properties if not name.startswith("_")}
    for record in kind.properties.values():
        column_made = _column(table, kind, record, taken)
        if column_made is not None:
            table.add(column_made)
    table.primary_name = _primary_name(table, known)
    table.ownership = "UserOwned" if "ownerid" in table.columns and key != "ownerid" else "OrganizationOwned"
    table.intersect = not base and 3 <= len(kind.properties) <= 4 and not kind.navigations
    for number, names in enumerate(kind.keys, 1):
        _add_key(table, number, names)
    return table


def _add_key(table: Table, number: int, names: list[str]) -> None:
    properties = table.properties()
    if names and all(name in properties for name in names):
        name = f"{table.name}_key{number}"
        table.keys[name] = AlternateKey(name, tuple(properties[n].name for n in names), name,
                                        metadata_id=metadata_id("key", table.name, name))


def _primary_name(table: Table, known: Table | None) -> str:
    if known is not None and known.primary_name in table.columns:
        return known.primary_name
    texts = [column.name for column in table.columns.values() if column.kind == "String"]
    prefix = table.name.partition("_")[0]
    for candidate in (f"{prefix}_name", *_NAMES, f"{table.name}name"):
        if candidate in texts:
            return candidate
    return next((name for name in texts if name.endswith("name") and "yomi" not in name), "")


def _column(table: Table, kind: EntityType, record: PropertyRecord, taken: set[str]) -> Column | None:
    name = record.name
    lookup = name.startswith("_") and name.endswith("_value") and record.type == "Edm.Guid"
    if lookup and name[1:-6] not in taken:
        name = name[1:-6]
    known = _known().tables.get(table.name)
    model = known.columns.get(name) if known else None
    if lookup:
        column = Column(name, "Lookup", plain_guid=name.startswith("_"))
    elif record.type == "mscrm.BooleanManagedProperty" or record.type.endswith(".BooleanManagedProperty"):
        column = Column(name, "ManagedProperty", updatable=False)
    elif record.type in _KINDS:
        column = _plain(name, record, kind)
    else:
        return None
    if model is not None and _same_type(model, column) and not column.is_lookup:
        column = replace(model, metadata_id="", inherited=False)
    column.label = column.label or words(name).capitalize()
    column.description = record.description or column.description
    column.custom = "_" in name.strip("_") and name.partition("_")[0] not in ("address1", "address2", "address3")
    if (record.read_only and not lookup) or name in _READ_ONLY:
        column.creatable = column.updatable = False
    return column


def _same_type(model: Column, column: Column) -> bool:
    same = {"Memo": "String", "Picklist": "Integer", "State": "Integer", "Status": "Integer", "EntityName": "String",
            "MultiSelectPicklist": "String", "Money": "Decimal"}
    kinds = {same.get(one.kind, one.kind) for one in (model, column)}
    return len(kinds) == 1 and model.behaviour == column.behaviour


def _plain(name: str, record: PropertyRecord, kind: EntityType) -> Column:
    column = Column(name, _KINDS[record.type], max_length=4000)
    if record.type == "Edm.Int16":
        column.extra["edm"] = "Edm.Int16"
    if record.type == "Edm.Date":
        column.behaviour = column.format = "DateOnly"
    if record.type == "Edm.String" and any(part in name for part in _LONG):
        column.kind, column.max_length = "Memo", 1_048_576
    if record.type == "Edm.Decimal":
        money = f"{name}_base" in kind.properties or name.endswith("_base")
        column.kind, column.precision = ("Money", 4) if money else ("Decimal", 10)
        column.updatable = column.creatable = not name.endswith("_base")
    if record.type == "Edm.Double":
        column.precision = 5
    if record.type == "Edm.Int32":
        _choice(column, kind.name)
    if record.type == "Edm.Boolean":
        column.choice = Choice(f"{kind.name}_{name}", "Boolean", [Option(1, "Yes"), Option(0, "No")])
    return column


def _choice(column: Column, table: str) -> None:
    name = f"{table}_{column.name}"
    if column.name == "statecode":
        column.kind, column.default, column.required = "State", 0, "SystemRequired"
        states = [Option(0, "Active", default_status=1), Option(1, "Inactive", default_status=2)]
        column.choice = Choice(name, "State", states)
    elif column.name == "statuscode":
        column.kind, column.default = "Status", 1
        column.choice = Choice(name, "Status", [Option(1, "Active", 0), Option(2, "Inactive", 1)])
    elif column.name.endswith("code") and column.name not in ("utcconversiontimezonecode", "languagecode", "errorcode"):
        column.kind = "Picklist"
        column.choice = Choice(name, "Picklist", [Option(number, f"Option {number}") for number in (1, 2, 3)])


def _relate(document: Document, kind: EntityType, organisation: Organisation) -> None:
    table = organisation.tables[kind.name]
    for record in kind.navigations.values():
        if record.collection or record.target not in organisation.tables:
            continue
        found = _lookup_column(document, kind, record, table)
        if found is None:
            continue
        column, adds = found
        if adds:
            _point_to(column, record.target, organisation)
        target = organisation.tables[record.target]
        partner = document.types[record.target].navigations.get(record.partner)
        back = record.partner if partner is not None and partner.collection else ""
        free = record.partner and record.partner not in organisation.one_to_many
        name = record.partner if free else f"{table.name}_{record.name}"
        organisation.relate(OneToMany(
            name, target.name, target.primary_id, table.name, column.name, record.name, back, dict(CASCADES),
            "_" in column.name, constraint=bool(record.property),
        ))


def _lookup_column(
    document: Document, kind: EntityType, record: NavigationRecord, table: Table
) -> tuple[Column, bool] | None:
    """Return the lookup behind a single-valued navigation, and whether its target is one more of the lookup's."""
    properties = table.properties()
    if record.property:
        column = properties.get(record.property)
        return None if column is None else (column, True)
    base = document.types.get(kind.base)
    inherited = base.navigations.get(record.name.removesuffix(f"_{kind.name}")) if base is not None else None
    if inherited is not None and inherited.property in properties:
        return properties[inherited.property], False
    stem = record.name.removesuffix(f"_{kind.name}").removesuffix(f"_{record.target}")
    column = table.columns.get(stem)
    if column is None or not column.is_lookup:
        return None
    return column, document.types[record.target].base not in column.targets


def _point_to(column: Column, target: str, organisation: Organisation) -> None:
    if column.kind == "Uniqueidentifier":
        column.kind, column.plain_guid = "Lookup", True
    if target == "principal":
        column.kind = "Owner"
        column.targets = tuple(name for name in ("systemuser", "team") if name in organisation.tables)
    elif target not in column.targets:
        column.targets = (*column.targets, target)
        if column.name in ("customerid", "parentcustomerid"):
            column.kind = "Customer"


def _many_to_many(document: Document, tables: list[EntityType], organisation: Organisation) -> None:
    done: set[tuple[str, str]] = set()
    for kind in tables:
        for record in kind.navigations.values():
            other = document.types.get(record.target)
            partner = other.navigations.get(record.partner) if other is not None and record.partner else None
            if not record.collection or partner is None or not partner.collection:
                continue
            if record.target in organisation.tables and (kind.name, record.name) not in done:
                done |= {(kind.name, record.name), (record.target, partner.name)}
                _link(organisation, kind.name, record, partner)


def _link(organisation: Organisation, one: str, record: NavigationRecord, partner: NavigationRecord) -> None:
    first, second = organisation.tables[one], organisation.tables[record.target]
    intersect = _intersect(organisation, record.name, first, second)
    sides = (first.primary_id, second.primary_id)
    if first is second:
        sides = (f"{sides[0]}one", f"{sides[0]}two")
    if intersect is None:
        intersect = organisation.add(Table(f"{record.name}_link", None, f"{record.name}_linkid", intersect=True))
        for name in (intersect.primary_id, *sides):
            intersect.add(Column(name, "Uniqueidentifier"))
    organisation.relate(ManyToMany(
        record.name, one, second.name, intersect.name, sides[0], sides[1], record.name, partner.name
    ))


def _intersect(organisation: Organisation, name: str, first: Table, second: Table) -> Table | None:
    if first is second:
        return None
    wanted = {first.primary_id, second.primary_id}
    fitting = [t for t in organisation.tables.values()
               if t not in (first, second) and wanted <= set(t.columns) and len(t.columns) <= 10]
    stem = name.removesuffix("_association").lower()
    fitting.sort(key=lambda t: (t.name != stem, t.name != name.lower(), len(t.columns)))
    return fitting[0] if fitting else None
