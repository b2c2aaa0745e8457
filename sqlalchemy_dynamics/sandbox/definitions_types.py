"""The types of the definition sets: bases, links, keys, and the members each declares (sections 3.1, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from sqlalchemy_dynamics.sandbox.definitions_choice import choice_members
from sqlalchemy_dynamics.sandbox.definitions_column import COLUMN_TYPES, column_members
from sqlalchemy_dynamics.sandbox.definitions_table import (
    key_members,
    managed_members,
    relationship_members,
    table_members,
)
from sqlalchemy_dynamics.sandbox.schema import AlternateKey, Choice, Column, ManyToMany, OneToMany, Organisation, Table

__all__ = ["ROOT_TYPES", "TYPES", "EntryType", "derives", "members_of"]


@dataclass(frozen=True)
class EntryType:
    """A metadata type; `links` give (declared type, collection?) by navigation property; `key` is the readable key."""

    base: str = ""
    key: str = ""
    links: dict[str, tuple[str, bool]] = field(default_factory=dict)
    castable: bool = True


_OPTION_SETS = {"OptionSet": ("OptionSetMetadata", False), "GlobalOptionSet": ("OptionSetMetadata", False)}
_BOOLEAN_SETS = dict.fromkeys(_OPTION_SETS, ("BooleanOptionSetMetadata", False))
_LINKS = {
    "Picklist": _OPTION_SETS,
    "MultiSelectPicklist": _OPTION_SETS,
    "State": _OPTION_SETS,
    "Status": _OPTION_SETS,
    "Boolean": _BOOLEAN_SETS,
}
ROOT_TYPES = {
    "EntityDefinitions": "EntityMetadata",
    "RelationshipDefinitions": "RelationshipMetadataBase",
    "GlobalOptionSetDefinitions": "OptionSetMetadataBase",
    "ManagedPropertyDefinitions": "ManagedPropertyMetadata",
}
TYPES: dict[str, EntryType] = {
    "EntityMetadata": EntryType(
        key="LogicalName",
        links={
            "Attributes": ("AttributeMetadata", True),
            "Keys": ("EntityKeyMetadata", True),
            "OneToManyRelationships": ("OneToManyRelationshipMetadata", True),
            "ManyToOneRelationships": ("OneToManyRelationshipMetadata", True),
            "ManyToManyRelationships": ("ManyToManyRelationshipMetadata", True),
        },
    ),
    "AttributeMetadata": EntryType(key="LogicalName"),
    "EnumAttributeMetadata": EntryType("AttributeMetadata", "LogicalName", castable=False),
    **{
        f"{name}AttributeMetadata": EntryType("AttributeMetadata", "LogicalName", _LINKS.get(name, {}))
        for name in sorted(set(COLUMN_TYPES.values()))
    },
    "EntityKeyMetadata": EntryType(key="LogicalName"),
    "RelationshipMetadataBase": EntryType(key="SchemaName"),
    "OneToManyRelationshipMetadata": EntryType("RelationshipMetadataBase", "SchemaName"),
    "ManyToManyRelationshipMetadata": EntryType("RelationshipMetadataBase", "SchemaName"),
    "OptionSetMetadataBase": EntryType(key="Name"),
    "OptionSetMetadata": EntryType("OptionSetMetadataBase", "Name"),
    "BooleanOptionSetMetadata": EntryType("OptionSetMetadataBase", "Name"),
    "ManagedPropertyMetadata": EntryType(key="LogicalName"),
}
_ORGANISATION = Organisation()
_TABLE = Table("sample", "samples", "sampleid")
_KINDS = {f"{name}AttributeMetadata": kind for kind, name in COLUMN_TYPES.items()}
_SAMPLES = {
    "EntityMetadata": lambda: table_members(_ORGANISATION, _TABLE),
    "EntityKeyMetadata": lambda: key_members(_ORGANISATION, _TABLE, AlternateKey("key", ())),
    "OneToManyRelationshipMetadata": lambda: relationship_members(_ORGANISATION, OneToMany("", "", "", "", "", "", "")),
    "ManyToManyRelationshipMetadata": lambda: relationship_members(
        _ORGANISATION, ManyToMany("", "", "", "", "", "", "", "")
    ),
    "OptionSetMetadata": lambda: choice_members(_ORGANISATION, Choice("c", "Picklist", [])),
    "BooleanOptionSetMetadata": lambda: choice_members(_ORGANISATION, Choice("c", "Boolean", [])),
    "ManagedPropertyMetadata": lambda: managed_members("sample"),
}


@cache
def members_of(name: str) -> frozenset[str]:
    """Return the names of the members a type declares, its base's among them."""
    if name in _SAMPLES:
        return frozenset(_SAMPLES[name]())
    if name in _KINDS or name == "AttributeMetadata":
        return frozenset(column_members(_ORGANISATION, _TABLE, Column("sample", _KINDS.get(name, "Virtual"))))
    derived = [members_of(other) for other, kind in TYPES.items() if kind.base == name]
    return frozenset.intersection(*derived) if derived else members_of(TYPES[name].base)


def derives(name: str, base: str) -> bool:
    """Return whether a type is `base` or derived from it."""
    while name:
        if name == base:
            return True
        name = TYPES[name].base
    return False
