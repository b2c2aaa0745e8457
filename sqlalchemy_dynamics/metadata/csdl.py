"""`$metadata` (CSDL) to the model: base types merged, lookups and their navigation properties joined. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from sqlalchemy_dynamics.edm import EDM_TYPES
from sqlalchemy_dynamics.metadata.columns import columns_of
from sqlalchemy_dynamics.metadata.companions import with_companions
from sqlalchemy_dynamics.metadata.document import Document, EntityType, NavigationProperty, read
from sqlalchemy_dynamics.metadata.drafts import OWNERS, Draft, is_lookup, own_key, sql_names, wire_of
from sqlalchemy_dynamics.metadata.model import Key, Model, Navigation, Table

__all__ = ["parse"]

_LONGEST_CHAIN = 16
_SCHEMA_TYPES = frozenset({"crmmodelbaseentity", "MetadataBase"})


def parse(document: bytes) -> Model:
    """Return the model of a `$metadata` document, plain or annotated.

    A lookup ``_x_value`` becomes the column ``x``; only if a real property ``x`` exists as well does the lookup
    keep the name ``_x_value``. Left out: tables without an entity set (bases of others stay), properties that are
    write-only, and those of a complex type (managed properties), which have no SQL type.
    Raises OperationalError when the bytes are not a `$metadata` document.
    """
    tables = _Tables(read(document))
    sets = {name.lower(): kind for name, kind in tables.document.sets.items() if kind in tables}
    return Model(tables, sets, hashlib.sha256(document).hexdigest())


class _Tables(Mapping[str, Table]):
    """The tables of a document, each made when it is first asked for: few statements need more than a few."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.set_of = {kind: name for name, kind in document.sets.items()}
        self.chains = dict(self._chains())
        self.heirs: dict[str, list[str]] = {}
        for name, chain in self.chains.items():
            for base in chain[:-1]:
                self.heirs.setdefault(base.name, []).append(name)
        self.drafts: dict[str, Draft] = {}
        self.made: dict[str, Table] = {}

    def __getitem__(self, name: str) -> Table:
        if name not in self.made:
            self.made[name] = self._table(name, self._draft(name))
        return self.made[name]

    def __contains__(self, name: object) -> bool:
        return name in self.chains

    def __iter__(self) -> Iterator[str]:
        return iter(self.chains)

    def __len__(self) -> int:
        return len(self.chains)

    def _chains(self) -> Iterator[tuple[str, list[EntityType]]]:
        """Yield the types that are tables: those with an entity set, and before them the bases that have a key."""
        for name in self.set_of:
            chain = self._chain(name)
            if _SCHEMA_TYPES.isdisjoint(link.name for link in chain):
                for length, link in enumerate(chain, 1):
                    if own_key(chain[:length]):
                        yield link.name, chain[:length]

    def _chain(self, name: str) -> list[EntityType]:
        """The type behind its bases, topmost first; a base that is missing, and a chain too long to be one, end it."""
        chain: list[EntityType] = []
        while name in self.document.types and len(chain) < _LONGEST_CHAIN:
            chain.insert(0, self.document.types[name])
            name = chain[0].base
        return chain

    def _draft(self, name: str) -> Draft:
        """What the types of the chain declare together; KeyError for a name that is no table."""
        if name not in self.drafts:
            chain = self.chains[name]
            draft = Draft(chain, own_key(chain))
            for link in chain:
                known = ((wire, found) for wire, found in link.properties.items() if found.edm in EDM_TYPES)
                draft.properties.update(known)
                draft.navigations.update((navigation.name, navigation) for navigation in link.navigations)
            draft.properties = {draft.key: draft.properties[draft.key], **draft.properties}
            draft.names = sql_names(draft.properties)
            self._bind(draft)
            self.drafts[name] = draft
        return self.drafts[name]

    def _bind(self, draft: Draft) -> None:
        """Find the column of each single-valued navigation property, and what each lookup binds through."""
        for navigation in draft.navigations.values():
            if navigation.collection:
                continue
            wire = wire_of(navigation, draft.properties)
            draft.columns[navigation.name] = name = draft.names.get(wire, "")
            if is_lookup(wire):
                self._bind_targets(draft.bindings.setdefault(name, {}), name, navigation)

    def _bind_targets(self, bindings: dict[str, str], column: str, navigation: NavigationProperty) -> None:
        """Record the navigation property for its target; owners, and types without a set, stand for their heirs.

        On derived activities `regardingobjectid_account_task` takes the place of the inherited
        `regardingobjectid_account`, while `ownerid` stays before `ownerid_task` (dataverse-web-api 5.3).
        """
        if navigation.target not in self.chains:
            return
        if bindings.get(navigation.target) != column:
            bindings[navigation.target] = navigation.name
        if navigation.target == OWNERS or navigation.target not in self.set_of:
            for heir in self.heirs.get(navigation.target, ()):
                bindings.setdefault(heir, navigation.name)

    def _table(self, name: str, draft: Draft) -> Table:
        base = draft.chain[-1].base
        columns = with_companions(columns_of(draft))
        return Table(
            name=name,
            entity_set=self.set_of.get(name, ""),
            primary_key=draft.names[draft.key],
            columns=columns,
            navigations=dict(self._navigations(draft)),
            keys=tuple(_alternate_keys(draft)),
            base=base if base in self.chains else "",
            abstract=draft.chain[-1].abstract,
            intersect=draft.intersect,
            kind="Activity" if any(link.name == "activitypointer" for link in draft.chain) else "Standard",
            description=draft.chain[-1].description,
        )

    def _navigations(self, draft: Draft) -> Iterator[tuple[str, Navigation]]:
        for name, raw in draft.navigations.items():
            if raw.target in self.chains:
                far = raw.collection and raw.partner
                column = self._draft(raw.target).columns.get(raw.partner, "") if far else draft.columns.get(name, "")
                yield name, Navigation(name, raw.target, raw.collection, column, raw.partner)


def _alternate_keys(draft: Draft) -> Iterator[Key]:
    """The annotated alternate keys. The document gives them no names: theirs is made from the columns."""
    seen = set()
    for wires in draft.chain[-1].alternate_keys:
        columns = tuple(draft.names.get(wire, "") for wire in wires)
        if columns and all(columns) and columns not in seen:
            seen.add(columns)
            yield Key("_".join(columns), columns)
