"""`$metadata` (CSDL) to the model: base types merged, lookups and their navigation properties joined. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy_dynamics.edm import EDM_TYPES, MONEY, VARCHAR
from sqlalchemy_dynamics.metadata.companions import with_companions
from sqlalchemy_dynamics.metadata.document import Document, EntityType, NavigationProperty, Property, read
from sqlalchemy_dynamics.metadata.model import Column, Key, Kind, Model, Navigation, Table

__all__ = ["SERVER_MADE", "parse"]

# Always made by the server, whatever the document says (dataverse-web-api 2.2; every annotated table agrees).
SERVER_MADE = frozenset({
    "versionnumber", "createdon", "modifiedon", "createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby",
    "createdbyexternalparty", "modifiedbyexternalparty", "owningbusinessunit", "owninguser", "owningteam",
    "organizationid", "exchangerate", "ismanaged", "overwritetime", "componentstate", "solutionid",
})  # fmt: skip
_SCHEMA_TYPES = frozenset({"crmmodelbaseentity", "MetadataBase"})
_IMAGE_PARTS = ("_url", "_timestamp", "id")


def parse(document: bytes) -> Model:
    """Return the model of a `$metadata` document, plain or annotated.

    A lookup ``_x_value`` becomes the column ``x``; only if a real property ``x`` exists as well does the lookup
    keep the name ``_x_value``. Raises OperationalError when the bytes are not a `$metadata` document.
    """
    builder = _Builder(read(document))
    tables = builder.tables()
    sets = {table.entity_set.lower(): name for name, table in tables.items() if table.entity_set}
    return Model(tables, sets, hashlib.sha256(document).hexdigest())


@dataclass(slots=True)
class _Draft:
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
        """True for the shape of many-to-many tables: the key, two plain Guids and at most a version number."""
        guids = [name for name, found in self.properties.items() if found.edm == "Edm.Guid"]
        rest = self.properties.keys() - guids
        return len(guids) == 3 and rest <= {"versionnumber"} and not any(_is_lookup(name) for name in guids)


class _Builder:
    def __init__(self, document: Document) -> None:
        self.types = document.types
        self.set_of = {kind: name for name, kind in document.sets.items()}
        self.drafts = {name: self._draft(chain) for name, chain in self._chains()}
        self.derived: dict[str, list[str]] = {}
        for name, draft in self.drafts.items():
            for base in draft.chain[:-1]:
                self.derived.setdefault(base.name, []).append(name)
        for draft in self.drafts.values():
            self._bind(draft)

    def tables(self) -> dict[str, Table]:
        return {name: self._table(name, draft) for name, draft in self.drafts.items()}

    def _chains(self) -> Iterator[tuple[str, list[EntityType]]]:
        """Yield the types that are tables: those with an entity set, and before them the bases that have a key."""
        found: dict[str, list[EntityType]] = {}
        for name in self.set_of:
            chain = self._chain(name)
            if _SCHEMA_TYPES.isdisjoint(link.name for link in chain):
                for length, link in enumerate(chain, 1):
                    if link.key or link.name == name:
                        found.setdefault(link.name, chain[:length])
        yield from ((name, chain) for name, chain in found.items() if chain and _own_key(chain))

    def _chain(self, name: str) -> list[EntityType]:
        """The type behind its bases, topmost first; a base that is missing or repeated ends the walk."""
        chain: list[EntityType] = []
        while name in self.types and all(link.name != name for link in chain):
            chain.insert(0, self.types[name])
            name = chain[0].base
        return chain

    def _draft(self, chain: list[EntityType]) -> _Draft:
        draft = _Draft(chain, _own_key(chain))
        for link in chain:
            draft.properties.update(link.properties)
            draft.navigations.update((navigation.name, navigation) for navigation in link.navigations)
        draft.properties = {draft.key: draft.properties[draft.key], **draft.properties}
        draft.names = _sql_names(draft.properties)
        return draft

    def _bind(self, draft: _Draft) -> None:
        """Find the column of each single-valued navigation property, and what each lookup binds through."""
        for navigation in draft.navigations.values():
            if navigation.collection:
                continue
            wire = _wire_of(navigation, draft.properties)
            draft.columns[navigation.name] = name = draft.names.get(wire, "")
            if _is_lookup(wire):
                self._bind_targets(draft.bindings.setdefault(name, {}), name, navigation)

    def _bind_targets(self, bindings: dict[str, str], column: str, navigation: NavigationProperty) -> None:
        """Record the navigation property for its target; a type without a set (principal) stands for its heirs.

        On derived activities `regardingobjectid_account_task` takes the place of the inherited
        `regardingobjectid_account`, while `ownerid` stays before `ownerid_task` (dataverse-web-api 5.3).
        """
        if navigation.target not in self.drafts:
            return
        if bindings.get(navigation.target) != column:
            bindings[navigation.target] = navigation.name
        if navigation.target not in self.set_of:
            for heir in self.derived.get(navigation.target, ()):
                bindings.setdefault(heir, navigation.name)

    def _table(self, name: str, draft: _Draft) -> Table:
        base = draft.chain[-1].base
        columns = with_companions(_columns(draft))
        return Table(
            name=name,
            entity_set=self.set_of.get(name, ""),
            primary_key=draft.names[draft.key],
            columns=columns,
            navigations=dict(self._navigations(draft)),
            keys=tuple(_alternate_keys(draft)),
            base=base if base in self.drafts else "",
            abstract=draft.chain[-1].abstract,
            intersect=draft.intersect,
            kind="Activity" if any(link.name == "activitypointer" for link in draft.chain) else "Standard",
            description=draft.chain[-1].description,
        )

    def _navigations(self, draft: _Draft) -> Iterator[tuple[str, Navigation]]:
        for name, raw in draft.navigations.items():
            target = self.drafts.get(raw.target)
            if target is None:
                continue
            column = target.columns.get(raw.partner, "") if raw.collection else draft.columns[name]
            yield name, Navigation(name, raw.target, raw.collection, column, raw.partner)


def _own_key(chain: list[EntityType]) -> str:
    """The key property; ``<name>id`` for heirs of principal, whose CSDL key is ``ownerid`` (dataverse-web-api 2.2)."""
    own = chain[-1].name + "id"
    if any(link.name == "principal" for link in chain[:-1]) and own in chain[-1].properties:
        return own
    key = next((link.key for link in reversed(chain) if link.key), "")
    return key if any(key in link.properties for link in chain) else ""


def _is_lookup(wire: str) -> bool:
    return wire.startswith("_") and wire.endswith("_value") and len(wire) > 7


def _sql_names(properties: Mapping[str, Property]) -> dict[str, str]:
    """The SQL name of each property: lower case, lookups bare; in a collision the later one keeps its wire name."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for wire in sorted(properties, key=_is_lookup):
        name = wire[1:-6].lower() if _is_lookup(wire) else wire.lower()
        names[wire] = wire if name in taken else name
        taken.add(names[wire])
    return names


def _wire_of(navigation: NavigationProperty, properties: Mapping[str, Property]) -> str:
    """The Guid property behind a single-valued navigation property, by its constraint or by its name, or ``""``.

    Derived activities name theirs without a constraint: `regardingobjectid_account_task` is `_regardingobjectid_value`.
    """
    name = navigation.name.lower()
    if _is_lookup(navigation.constraint) or (navigation.constraint and name.startswith(navigation.constraint)):
        return navigation.constraint if navigation.constraint in properties else ""
    while name:
        for wire in (f"_{name}_value", name):
            if wire in properties and properties[wire].edm == "Edm.Guid":
                return wire
        name = name.rpartition("_")[0]
    return ""


def _columns(draft: _Draft) -> Iterator[Column]:
    image_parts = {
        name + part
        for name, found in draft.properties.items()
        if found.edm == "Edm.Binary"
        for part in _IMAGE_PARTS
        if name + "_url" in draft.properties
    }
    for wire, found in draft.properties.items():
        if found.permission != "Write":
            yield _column(draft, wire, found, wire in image_parts)


def _column(draft: _Draft, wire: str, found: Property, part_of_image: bool) -> Column:
    name, kind = draft.names[wire], _kind(draft, wire, found)
    bindings = draft.bindings.get(name, {})
    made = part_of_image or _server_made(draft, wire, found, kind) or (kind is Kind.LOOKUP and not bindings)
    return Column(
        name=name,
        wire=wire,
        type=MONEY if kind is Kind.MONEY else EDM_TYPES.get(found.edm, VARCHAR),
        kind=kind,
        edm=found.edm,
        nullable=kind is not Kind.KEY,
        creatable=not made,
        updatable=not made and kind is not Kind.KEY and name != "overriddencreatedon",
        description=found.description,
        navigations=bindings,
    )


def _kind(draft: _Draft, wire: str, found: Property) -> Kind:
    if wire == draft.key:
        return Kind.KEY
    if _is_lookup(wire) and found.edm == "Edm.Guid":
        return Kind.LOOKUP
    if found.edm == "Edm.Decimal" and (wire + "_base" in draft.properties or _is_base(draft, wire)):
        return Kind.MONEY
    return Kind.IMAGE if found.edm == "Edm.Binary" and wire + "_url" in draft.properties else Kind.VALUE


def _is_base(draft: _Draft, wire: str) -> bool:
    return wire.endswith("_base") and wire[:-5] in draft.properties


def _server_made(draft: _Draft, wire: str, found: Property, kind: Kind) -> bool:
    """Whether the server alone sets it. Every plain lookup is annotated Computed and Read, which says nothing."""
    if kind is Kind.KEY:
        return False
    if draft.intersect:
        return wire == "versionnumber"
    annotated = found.permission == "Read" and not found.computed if kind is Kind.LOOKUP else _read_only(found)
    inherited_key = wire == "ownerid" and kind is Kind.VALUE
    return annotated or inherited_key or draft.names[wire] in SERVER_MADE or _is_base(draft, wire)


def _read_only(found: Property) -> bool:
    return found.computed or found.permission == "Read"


def _alternate_keys(draft: _Draft) -> Iterator[Key]:
    """The annotated alternate keys. The document gives them no names: theirs is made from the columns."""
    seen = set()
    for wires in draft.chain[-1].alternate_keys:
        columns = tuple(draft.names.get(wire, "") for wire in wires)
        if columns and all(columns) and columns not in seen:
            seen.add(columns)
            yield Key("_".join(columns), columns)
