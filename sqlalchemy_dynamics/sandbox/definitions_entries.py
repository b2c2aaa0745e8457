"""Definitions as entries: members by name and links to other entries, all made from the organisation as it is now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from sqlalchemy_dynamics.sandbox.definitions_choice import choice_id, choice_members, choice_type
from sqlalchemy_dynamics.sandbox.definitions_column import all_columns, column_members, column_type
from sqlalchemy_dynamics.sandbox.definitions_table import (
    MANAGED_PROPERTIES,
    key_id,
    key_members,
    managed_members,
    relationship_members,
    relationship_type,
    table_members,
)
from sqlalchemy_dynamics.sandbox.schema import (
    AlternateKey,
    Choice,
    Column,
    ManyToMany,
    OneToMany,
    Organisation,
    Table,
    metadata_id,
)

__all__ = ["Entry", "Load", "root_entries"]

Load = Callable[[], "list[Entry]"]
_HIDDEN = frozenset({"principal"})
_NAMED = re.compile(r"\s*LogicalName\s*=\s*'(\w+)'\s*")
_CHOICES = frozenset({"Picklist", "MultiSelectPicklist", "State", "Status", "Boolean"})


@dataclass(frozen=True)
class Entry:
    """One metadata object. `name` is its readable key, `path` its canonical address; `links` load what it leads to."""

    type: str
    name: str
    id: str
    path: str
    make: Callable[[], dict[str, object]]
    links: Mapping[str, Load] = field(default_factory=dict)

    @cached_property
    def members(self) -> dict[str, object]:
        """The members by name, made when they are first asked for."""
        return self.make()


def root_entries(organisation: Organisation, set_name: str, key: str | None = None) -> list[Entry]:
    """Return all entries of one of the four definition sets; of tables only the one that the key names, if it does."""
    named = _NAMED.fullmatch(key or "") if set_name == "EntityDefinitions" else None
    if named:
        table = organisation.tables.get(named[1])
        return [_table(organisation, table)] if table and table.name not in _HIDDEN else []
    return list(_ROOTS[set_name](organisation))


def _tables(organisation: Organisation) -> Iterator[Entry]:
    return (_table(organisation, table) for table in organisation.tables.values() if table.name not in _HIDDEN)


def _table(organisation: Organisation, table: Table) -> Entry:
    path = f"EntityDefinitions({table.metadata_id})"
    ones, manys = organisation.one_to_many.values(), organisation.many_to_many.values()
    make = partial(table_members, organisation, table)
    return Entry(
        "EntityMetadata",
        table.name,
        table.metadata_id,
        path,
        make,
        {
            "Attributes": lambda: [_column(organisation, table, column, path) for column in all_columns(table)],
            "Keys": lambda: [_key(organisation, table, key, path) for key in table.keys.values()],
            "OneToManyRelationships": lambda: _related(
                organisation, (one for one in ones if one.referenced == table.name), f"{path}/OneToManyRelationships"
            ),
            "ManyToOneRelationships": lambda: _related(
                organisation, (one for one in ones if one.referencing == table.name), f"{path}/ManyToOneRelationships"
            ),
            "ManyToManyRelationships": lambda: _related(
                organisation,
                (many for many in manys if table.name in (many.entity1, many.entity2)),
                f"{path}/ManyToManyRelationships",
            ),
        },
    )


def _key(organisation: Organisation, table: Table, key: AlternateKey, parent: str) -> Entry:
    ident = key_id(table, key)
    make = partial(key_members, organisation, table, key)
    return Entry("EntityKeyMetadata", key.name, ident, f"{parent}/Keys({ident})", make)


def _related(organisation: Organisation, found: Iterable[OneToMany | ManyToMany], collection: str) -> list[Entry]:
    return [
        Entry(
            relationship_type(one),
            one.schema_name,
            one.metadata_id,
            f"{collection}({one.metadata_id})",
            partial(relationship_members, organisation, one),
        )
        for one in found
    ]


def _column(organisation: Organisation, table: Table, column: Column, parent: str) -> Entry:
    path = f"{parent}/Attributes({column.metadata_id})"
    kind, make = column_type(column), partial(column_members, organisation, table, column)
    if column.kind not in _CHOICES:
        return Entry(kind, column.name, column.metadata_id, path, make)
    choice = column.choice or Choice(f"{table.name}_{column.name}", column.kind, [], label=column.label)
    own = f"{path}/Microsoft.Dynamics.CRM.{kind}"
    return Entry(
        kind,
        column.name,
        column.metadata_id,
        path,
        make,
        {
            "OptionSet": lambda: [_choice(organisation, choice, f"{own}/OptionSet")],
            "GlobalOptionSet": lambda: (
                [_choice(organisation, choice, f"{own}/GlobalOptionSet")] if choice.is_global else []
            ),
        },
    )


def _choice(organisation: Organisation, choice: Choice, path: str) -> Entry:
    make = partial(choice_members, organisation, choice)
    return Entry(choice_type(choice), choice.name, choice_id(choice), path, make)


def _relationships(organisation: Organisation) -> list[Entry]:
    found: list[OneToMany | ManyToMany] = [*organisation.one_to_many.values(), *organisation.many_to_many.values()]
    return _related(organisation, found, "RelationshipDefinitions")


def _choices(organisation: Organisation) -> Iterator[Entry]:
    for choice in organisation.choices.values():
        yield _choice(organisation, choice, f"GlobalOptionSetDefinitions({choice_id(choice)})")


def _managed(organisation: Organisation) -> Iterator[Entry]:
    for name in MANAGED_PROPERTIES:
        ident = metadata_id("managed", name)
        yield Entry(
            "ManagedPropertyMetadata",
            name,
            ident,
            f"ManagedPropertyDefinitions({ident})",
            partial(managed_members, name),
        )


_ROOTS: dict[str, Callable[[Organisation], Iterable[Entry]]] = {
    "EntityDefinitions": _tables,
    "RelationshipDefinitions": _relationships,
    "GlobalOptionSetDefinitions": _choices,
    "ManagedPropertyDefinitions": _managed,
}
