"""A table in the making: what an entity type and its bases declare, and the SQL names of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy_dynamics.edm import EDM_TYPES
from sqlalchemy_dynamics.metadata.document import EntityType, NavigationProperty, Property

__all__ = ["OWNERS", "Draft", "is_lookup", "own_key", "sql_names", "wire_of"]

OWNERS = "principal"
"""The abstract type of users and teams."""

_HOUSEKEEPING = frozenset({
    "versionnumber", "name", "importsequencenumber", "overriddencreatedon", "timezoneruleversionnumber",
    "utcconversiontimezonecode",
})  # fmt: skip


@dataclass(slots=True)
class Draft:
    """A table in the making: what its type chain declares, and what its lookups bind through."""

    chain: list[EntityType]
    key: str
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: dict[str, NavigationProperty] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    bindings: dict[str, dict[str, str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def intersect(self) -> bool:
        """True for the shape of many-to-many tables: the key, two plain Guids, and nothing but housekeeping."""
        guids = [name for name, found in self.properties.items() if found.edm == "Edm.Guid"]
        housekeeping = self.properties.keys() - guids <= _HOUSEKEEPING
        return len(guids) == 3 and housekeeping and not any(is_lookup(name) for name in guids)


def own_key(chain: list[EntityType]) -> str:
    """The key property; ``<name>id`` for heirs of OWNERS, whose CSDL key is ``ownerid`` (dataverse-web-api 2.2)."""
    known = {wire for link in chain for wire, found in link.properties.items() if found.edm in EDM_TYPES}
    own = chain[-1].name + "id"
    if own in known and any(link.name == OWNERS for link in chain[:-1]):
        return own
    key = next((link.key for link in reversed(chain) if link.key), "")
    return key if key in known else ""


def is_lookup(wire: str) -> bool:
    """Whether the property is a lookup's value: ``_primarycontactid_value``."""
    return wire.startswith("_") and wire.endswith("_value") and len(wire) > 7


def sql_names(properties: Mapping[str, Property]) -> dict[str, str]:
    """The SQL name of each property: lower case, lookups bare; in a collision the later one keeps its wire name."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for wire in sorted(properties, key=lambda wire: (is_lookup(wire), wire != wire.lower())):
        name = wire[1:-6].lower() if is_lookup(wire) else wire.lower()
        names[wire] = wire if name in taken else name
        taken.add(names[wire])
    return names


def wire_of(navigation: NavigationProperty, properties: Mapping[str, Property]) -> str:
    """The Guid property behind a single-valued navigation property, by its constraint or by its name, or ``""``.

    Derived activities name theirs without a constraint: `regardingobjectid_account_task` is `_regardingobjectid_value`.
    """
    name = navigation.name.lower()
    if is_lookup(navigation.constraint) or (navigation.constraint and name.startswith(navigation.constraint)):
        return navigation.constraint if navigation.constraint in properties else ""
    while name:
        for wire in (f"_{name}_value", name):
            if wire in properties and properties[wire].edm == "Edm.Guid":
                return wire
        name = name.rpartition("_")[0]
    return ""
