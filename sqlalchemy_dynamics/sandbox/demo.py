"""The demo organisation, read from a compact notation.

A table starts at the margin: ``SchemaName set owner object-type-code primary-name [<base] [money] [empty]``; indented
lines give columns by kind (``text Name:160``), ``choice`` options, ``lookup Column target:collection-nav[:nav]``,
``states`` with their status reasons, ``back`` (navigation names of the system lookups), ``navs`` (those that an
activity type adds to its base), ``plain`` (lookups that are ordinary Guid properties) and ``key``. The rows of an
``empty`` table come from actions alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy_dynamics.sandbox import demo_core, demo_custom, demo_operations, demo_sales, demo_system
from sqlalchemy_dynamics.sandbox.demo_cascades import set_delete_behaviours
from sqlalchemy_dynamics.sandbox.schema import (
    AlternateKey,
    Choice,
    Column,
    ManyToMany,
    OneToMany,
    Option,
    Organisation,
    Table,
)
from sqlalchemy_dynamics.sandbox.standard import (
    CASCADES,
    add_base_amount,
    add_currency,
    add_image_parts,
    add_lookup,
    add_owner,
    add_primary_key,
    add_state,
    add_system,
    words,
)

__all__ = ["demo_organisation", "intersect_table"]

_OWNERSHIP = {"user": "UserOwned", "organization": "OrganizationOwned", "none": "None"}
_SIMPLE: dict[str, dict[str, Any]] = {
    "text": {"kind": "String", "format": "Text"},
    "memo": {"kind": "Memo", "format": "TextArea", "max_length": 2000},
    "int": {"kind": "Integer", "minimum": -2147483648, "maximum": 2147483647},
    "bigint": {"kind": "BigInt"},
    "decimal": {"kind": "Decimal", "minimum": -1e11, "maximum": 1e11},
    "double": {"kind": "Double", "precision": 5, "minimum": -1e11, "maximum": 1e11},
    "money": {"kind": "Money", "minimum": -922337203685477.0, "maximum": 922337203685477.0},
    "bool": {"kind": "Boolean", "default": False},
    "date": {"kind": "DateTime", "format": "DateAndTime"},
    "wall": {"kind": "DateTime", "format": "DateAndTime", "behaviour": "TimeZoneIndependent"},
    "day": {"kind": "DateTime", "format": "DateOnly", "behaviour": "DateOnly"},
    "night": {"kind": "DateTime", "format": "DateOnly"},
    "guid": {"kind": "Uniqueidentifier"},
    "image": {"kind": "Image", "max_size_kb": 10240},
    "photo": {"kind": "Image", "max_size_kb": 10240, "full_image": True},
    "file": {"kind": "File"},
}
_MANY_TO_MANY = (
    ("accountleads_association", "account", "lead", "accountleads", "accountleadscollection", "accountleadid"),
    ("contactleads_association", "contact", "lead", "contactleads", "contactleadscollection", "contactleadid"),
    ("teammembership_association", "systemuser", "team", "teammembership", "teammemberships", ""),
    ("systemuserroles_association", "systemuser", "role", "systemuserroles", "systemuserrolescollection",
     "systemuserroleid"),
    ("teamroles_association", "team", "role", "teamroles", "teamrolescollection", "teamroleid"),
    ("opportunitycompetitors_association", "opportunity", "competitor", "opportunitycompetitors",
     "opportunitycompetitorscollection", "opportunitycompetitorid"),
    ("leadcompetitors_association", "lead", "competitor", "leadcompetitors", "leadcompetitorscollection",
     "leadcompetitorid"),
    ("competitorproduct_association", "competitor", "product", "competitorproduct", "competitorproducts", ""),
)
_ENTITY_NAMES = ("activitytypecode", "returnedtypecode", "primaryobjecttypecode", "secondaryobjecttypecode",
                 "primaryentitytype", "objecttypecode")
_IMAGES = ("account", "contact", "lead", "systemuser", "product")
_PLURALS = {"Opportunity": "Opportunities", "Activity Party": "Activity Parties", "Territory": "Territories",
            "Business Unit": "Business Units", "Saved Query": "Views", "Incident": "Cases"}


def demo_organisation() -> Organisation:
    """Return a fresh demo organisation."""
    organisation = Organisation()
    texts = (demo_core.TABLES, demo_sales.TABLES, demo_system.TABLES, demo_custom.TABLES, demo_operations.TABLES)
    blocks = [block for text in texts for block in re.split(r"\n(?=\S)", text.strip("\n"))]
    first = sorted(blocks, key=lambda block: "<" in block.split("\n", 1)[0])
    readers = [_Reader(organisation, block) for block in first]
    for reader in readers:
        reader.columns()
    set_delete_behaviours(organisation)
    for name, one, two, intersect, set_name, key in _MANY_TO_MANY:
        organisation.relate(ManyToMany(name, one, two, intersect, f"{one}id", f"{two}id", name, name))
        organisation.add(intersect_table(organisation, intersect, set_name, key, one, two))
    demo_operations.add_shares(organisation)
    return organisation


def intersect_table(organisation: Organisation, name: str, set_name: str, key: str, one: str, two: str) -> Table:
    """Return the table behind a many-to-many relationship: four read-only properties (section 2.2)."""
    table = Table(name, set_name, key or f"{name}id", label=name, plural=set_name, intersect=True, ownership="None",
                  change_tracking=False, optimistic=False)
    add_primary_key(table, table.primary_id)
    for side in (one, two):
        table.add(Column(organisation.tables[side].primary_id, "Uniqueidentifier", creatable=False, updatable=False))
    table.add(Column("versionnumber", "BigInt", "VersionNumber", creatable=False, updatable=False))
    return table


def _options(text: str) -> list[Option]:
    return [Option(int(value), label) for value, _, label in (part.partition("=") for part in text.split("|"))]


class _Reader:
    """One table of the notation: made on construction, its columns added by `columns` once all tables exist."""

    def __init__(self, organisation: Organisation, block: str) -> None:
        self.organisation = organisation
        head, *self.lines = block.split("\n")
        schema_name, set_name, owner, code, primary, *flags = head.split()
        name = schema_name.lower()
        label = words(schema_name)
        self.money = "money" in flags
        base = next((flag[1:] for flag in flags if flag.startswith("<")), "")
        activity = base == "activitypointer" or name == "activitypointer"
        principal = "principal" in (base, name)
        self.table = organisation.add(Table(
            name, None if set_name == "-" else set_name,
            "activityid" if activity else "ownerid" if name == "principal" else f"{name}id",
            "" if primary == "-" else primary, key="ownerid" if principal else "", schema_name=schema_name, label=label,
            plural=_PLURALS.get(label, f"{label}s"), object_type_code=int(code), ownership=_OWNERSHIP[owner], base=base,
            abstract=name in ("activitypointer", "principal"), is_activity=activity, custom=name.startswith("new_"),
            has_notes=owner == "user", has_activities=owner == "user" and not activity, seeded="empty" not in flags,
        ))
        self.back: dict[str, str] = {}

    def columns(self) -> None:
        """Add all columns, keys and relationships."""
        table = self.table
        lines = [line.split(None, 1) for line in self.lines if line.strip()]
        self.back = {k: v for kind, rest in lines if kind == "back" for k, v in (p.split(":") for p in rest.split())}
        if table.base:
            for column in self.organisation.tables[table.base].columns.values():
                table.add(replace(column, inherited=True, metadata_id=""))
        if table.primary_id not in table.columns:
            add_primary_key(table, "ActivityId" if table.is_activity else f"{table.schema_name}Id")
        for kind, rest in lines:
            self._line(kind, rest)
        if table.name in _IMAGES:
            self._simple("image", "EntityImage")
        if not table.abstract or table.is_activity:
            self._system()
        primary = table.columns.get(table.primary_name)
        if primary:
            primary.required = "ApplicationRequired"

    def _system(self) -> None:
        table = self.table
        if not table.base or table.base == "principal":
            add_system(self.organisation, table, self.back)
        if table.ownership == "UserOwned" and not table.base:
            add_owner(self.organisation, table, self.back)
        if self.money:
            add_currency(self.organisation, table, self.back)

    def _line(self, kind: str, rest: str) -> None:
        if kind in _SIMPLE:
            for entry in rest.split():
                self._simple(kind, entry)
        else:
            handlers: dict[str, Callable[[str, str], None]] = {
                "choice": self._choice, "multi": self._choice, "lookup": self._lookup, "customer": self._lookup,
                "plain": self._lookup, "more": self._more, "navs": self._navs, "states": self._states, "key": self._key,
                "auto": self._auto, "back": lambda kind, rest: None,
            }
            handlers[kind](kind, rest)

    def _simple(self, kind: str, entry: str) -> None:
        schema_name, _, size = entry.partition(":")
        column = Column(schema_name.lower(), schema_name=schema_name, label=words(schema_name), **_SIMPLE[kind])
        column.custom = schema_name.startswith("new_")
        if size:
            setattr(column, "max_length" if kind in ("text", "memo") else "precision", int(size))
        if column.name in _ENTITY_NAMES:
            column.kind = "EntityName"
        if kind == "bool":
            column.choice = Choice(f"{self.table.name}_{column.name}", "Boolean", [Option(1, "Yes"), Option(0, "No")])
        self.table.add(column)
        if kind == "money":
            add_base_amount(self.table, column)
        elif kind in ("image", "photo"):
            column.primary_image = column.name == "entityimage"
            add_image_parts(self.table, column)
        elif kind == "file":
            self.table.add(Column(f"{column.name}_name", "String", f"{schema_name}_Name", creatable=False,
                                  updatable=False, custom=column.custom))

    def _choice(self, kind: str, rest: str) -> None:
        head, options = rest.split(None, 1)
        schema_name, _, shared = head.partition("@")
        name = schema_name.lower()
        choice = Choice(shared or f"{self.table.name}_{name}", "Picklist", _options(options), bool(shared),
                        words(schema_name), custom=schema_name.startswith("new_"))
        if shared:
            self.organisation.choices[shared] = choice
        self.table.add(Column(
            name, "MultiSelectPicklist" if kind == "multi" else "Picklist", schema_name, label=words(schema_name),
            choice=choice, custom=choice.custom,
        ))

    def _lookup(self, kind: str, rest: str) -> None:
        schema_name, *targets = rest.split()
        custom = schema_name.startswith("new_")
        name = schema_name if custom else schema_name.lower()
        navs = []
        for target in targets:
            table, back, *forward = target.split(":")
            default = name if len(targets) == 1 else f"{name}_{table}"
            navs.append((table, back, forward[0] if forward else default))
        column = Column(
            schema_name.lower(), "Customer" if kind == "customer" or name == "parentcustomerid" or
            (name == "customerid" and len(targets) == 2) else "Lookup", schema_name, label=words(schema_name),
            custom=custom, plain_guid=kind == "plain",
        )
        add_lookup(self.organisation, self.table, column, navs)

    def _more(self, kind: str, rest: str) -> None:
        schema_name, *targets = rest.split()
        for table, back, forward in (target.split(":") for target in targets):
            self.organisation.relate(OneToMany(
                back, table, "activityid", self.table.name, schema_name.lower(), forward, back, dict(CASCADES),
                constraint=False,
            ))

    def _navs(self, kind: str, rest: str) -> None:
        base_navs = self.organisation.navigations(self.table.base)
        for name, back in (entry.split(":") for entry in rest.split()):
            inherited = base_navs.get(name)
            if inherited:
                target = self.organisation.tables[inherited.target]
                self.organisation.relate(OneToMany(
                    back, target.name, target.primary_id, self.table.name, inherited.column,
                    f"{name}_{self.table.name}", back, dict(CASCADES), constraint=False,
                ))

    def _states(self, kind: str, rest: str) -> None:
        states = []
        for part in rest.split("|"):
            state, _, reasons = part.partition(":")
            states.append((_options(state)[0], _options(reasons.replace(",", "|"))))
        add_state(self.table, states)

    def _key(self, kind: str, rest: str) -> None:
        schema_name, *columns = rest.split()
        name = schema_name.lower()
        self.table.keys[name] = AlternateKey(name, tuple(c.lower() for c in columns), schema_name, words(schema_name))

    def _auto(self, kind: str, rest: str) -> None:
        schema_name, number_format = rest.split(None, 1)
        self.table.add(Column(schema_name.lower(), "String", schema_name, label=words(schema_name),
                              auto_number=number_format, custom=True))
