"""What tables an organisation has: mutable dataclasses that `$metadata` is written from and DDL changes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = [
    "AlternateKey", "Choice", "Column", "ManyToMany", "Navigation", "OneToMany", "Option", "Organisation", "Table",
    "metadata_id",
]

LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
TEXTS = frozenset({"String", "Memo", "EntityName"})
_IDS = uuid.UUID("6a0f1c1e-0000-4000-8000-00c0ffee0000")


_KNOWN_IDS = {
    "table/account": "70816501-edb9-4740-a16c-6a5efbc05d84",
    "column/account/accountcategorycode": "118771ca-6fb9-4f60-8fd4-99b6124b63ad",
    "column/account/preferredappointmentdaycode": "5967e7cc-afbb-4c10-bf7e-e7ef430c52be",
}
"""The ids of system components are the same in every organisation; these are the documentation's examples."""


def metadata_id(*parts: str) -> str:
    """Return the MetadataId of a component: the same GUID in every run."""
    name = "/".join(parts)
    return _KNOWN_IDS.get(name) or str(uuid.uuid5(_IDS, name))


@dataclass
class Option:
    """One option of a choice. `state` and `default_status` tie status reasons to states."""

    value: int
    label: str
    state: int | None = None
    default_status: int | None = None
    labels: dict[int, str] = field(default_factory=dict)
    color: str | None = None
    external_value: str | None = None
    description: str = ""


@dataclass
class Choice:
    """An option set; `kind` is Picklist, State, Status or Boolean."""

    name: str
    kind: str
    options: list[Option]
    is_global: bool = False
    label: str = ""
    labels: dict[int, str] = field(default_factory=dict)
    metadata_id: str = ""
    custom: bool = False

    def option(self, value: int) -> Option | None:
        """Return the option with that value."""
        return next((option for option in self.options if option.value == value), None)


@dataclass
class Column:
    """A column; `kind` is a key of `values.KINDS` (AttributeTypeName without its suffix ``Type``)."""

    name: str
    kind: str
    schema_name: str = ""
    label: str = ""
    labels: dict[int, str] = field(default_factory=dict)
    description: str = ""
    max_length: int = 100
    precision: int = 2
    minimum: float | None = None
    maximum: float | None = None
    format: str = ""
    behaviour: str = "UserLocal"
    required: str = "None"
    creatable: bool = True
    updatable: bool = True
    readable: bool = True
    targets: tuple[str, ...] = ()
    choice: Choice | None = None
    default: object = None
    auto_number: str = ""
    custom: bool = False
    plain_guid: bool = False
    """A lookup that `$metadata` declares as an ordinary Guid property (``systemuser.organizationid``)."""
    inherited: bool = False
    """Declared on the base type, so the derived type does not list it."""
    attribute_of: str = ""
    primary_image: bool = False
    full_image: bool = False
    max_size_kb: int = 32768
    extra: dict[str, object] = field(default_factory=dict)
    """Members of a definition that only reading it back needs."""
    metadata_id: str = ""

    @property
    def is_lookup(self) -> bool:
        return self.kind in LOOKUPS

    @property
    def polymorphic(self) -> bool:
        return self.is_lookup and len(self.targets) > 1

    @property
    def property(self) -> str:
        """The name in rows, `$select` and `$filter`: ``_x_value`` for a lookup."""
        return f"_{self.name}_value" if self.is_lookup and not self.plain_guid else self.name


@dataclass
class AlternateKey:
    """An alternate key; only an ``Active`` one addresses rows and enforces uniqueness."""

    name: str
    columns: tuple[str, ...]
    schema_name: str = ""
    label: str = ""
    status: str = "Active"
    metadata_id: str = ""


@dataclass
class OneToMany:
    """A relationship; `referencing` has the lookup column `attribute`, `referenced` is what it points to."""

    schema_name: str
    referenced: str
    referenced_attribute: str
    referencing: str
    attribute: str
    referencing_nav: str
    referenced_nav: str
    cascade: dict[str, str] = field(default_factory=dict)
    custom: bool = False
    hierarchical: bool = False
    constraint: bool = True
    """Whether the single-valued navigation property carries a ReferentialConstraint."""
    metadata_id: str = ""


@dataclass
class ManyToMany:
    """A many-to-many relationship through the table `intersect`."""

    schema_name: str
    entity1: str
    entity2: str
    intersect: str
    attribute1: str
    attribute2: str
    nav1: str
    nav2: str
    custom: bool = False
    metadata_id: str = ""


@dataclass(frozen=True)
class Navigation:
    """A navigation property as seen from its table: single (by `column`), or a collection."""

    name: str
    table: str
    target: str
    collection: bool
    column: str = ""
    """The lookup column: of the table itself (single), or of the target (one-to-many collection)."""
    partner: str = ""
    relationship: OneToMany | ManyToMany | None = None
    constraint: bool = True

    @property
    def many_to_many(self) -> ManyToMany | None:
        return self.relationship if isinstance(self.relationship, ManyToMany) else None


@dataclass
class Table:
    """A table. `key` is the key property of its entity type (``ownerid`` for systemuser and team)."""

    name: str
    set_name: str | None
    primary_id: str
    primary_name: str = ""
    key: str = ""
    schema_name: str = ""
    label: str = ""
    plural: str = ""
    labels: dict[int, str] = field(default_factory=dict)
    description: str = ""
    object_type_code: int = 0
    ownership: str = "UserOwned"
    base: str = ""
    abstract: bool = False
    is_activity: bool = False
    intersect: bool = False
    table_type: str = "Standard"
    custom: bool = False
    change_tracking: bool = True
    optimistic: bool = True
    has_notes: bool = False
    has_activities: bool = False
    seeded: bool = True
    """Whether the generator makes rows of it; a table that a request created starts empty."""
    columns: dict[str, Column] = field(default_factory=dict)
    keys: dict[str, AlternateKey] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)
    metadata_id: str = ""

    def __post_init__(self) -> None:
        self.key = self.key or self.primary_id
        self.schema_name = self.schema_name or self.name
        self.metadata_id = self.metadata_id or metadata_id("table", self.name)

    def add(self, column: Column) -> Column:
        """Add a column and return it."""
        column.schema_name = column.schema_name or column.name
        column.metadata_id = column.metadata_id or metadata_id("column", self.name, column.name)
        self.columns[column.name] = column
        return column

    def properties(self) -> dict[str, Column]:
        """Return the columns that are OData properties, by property name, in order."""
        return {column.property: column for column in self.columns.values() if not column.attribute_of}


@dataclass
class Organisation:
    """All tables, relationships and global choices. Call `changed()` after every change of the schema."""

    tables: dict[str, Table] = field(default_factory=dict)
    one_to_many: dict[str, OneToMany] = field(default_factory=dict)
    many_to_many: dict[str, ManyToMany] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)
    language: int = 1033
    name: str = "sandbox"
    version: int = 74343461
    document: bytes = b""
    """The CSDL document it was loaded from, served as it came until the schema changes."""
    _cache: dict[tuple[str, str], object] = field(default_factory=dict, repr=False)

    def changed(self) -> None:
        """Note a change of the schema: the metadata version moves, caches are dropped."""
        self.version += 1
        self.document = b""
        self._cache.clear()

    def restore(self, fresh: Organisation) -> None:
        """Become another organisation, in place."""
        self.tables, self.choices = fresh.tables, fresh.choices
        self.one_to_many, self.many_to_many = fresh.one_to_many, fresh.many_to_many
        self.document, self.version = fresh.document, fresh.version
        self._cache.clear()

    def add(self, table: Table) -> Table:
        """Add a table and return it."""
        self.tables[table.name] = table
        self._cache.clear()
        return table

    def relate(self, relationship: OneToMany | ManyToMany) -> None:
        """Add a relationship."""
        relationship.metadata_id = relationship.metadata_id or metadata_id("relationship", relationship.schema_name)
        if isinstance(relationship, OneToMany):
            self.one_to_many[relationship.schema_name] = relationship
        else:
            self.many_to_many[relationship.schema_name] = relationship
        self._cache.clear()

    def table_of_set(self, set_name: str) -> Table | None:
        """Return the table behind an entity set; names are case-sensitive."""
        sets = self._cache.get(("", "sets"))
        if not isinstance(sets, dict):
            sets = {table.set_name: table for table in self.tables.values() if table.set_name}
            self._cache["", "sets"] = sets
        found = sets.get(set_name)
        return found if isinstance(found, Table) else None

    def navigations(self, table: str) -> dict[str, Navigation]:
        """Return the navigation properties of a table by name, its base type's included."""
        index = self._cache.get(("", "navigations"))
        if not isinstance(index, dict):
            index = self._cache["", "navigations"] = self._index_navigations()
        own: dict[str, Navigation] = index.get(table, {})
        base = self.tables[table].base if table in self.tables else ""
        return {**index.get(base, {}), **own} if base else own

    def _index_navigations(self) -> dict[str, dict[str, Navigation]]:
        index: dict[str, dict[str, Navigation]] = {}
        for navigation in self._all_navigations():
            index.setdefault(navigation.table, {})[navigation.name] = navigation
        return index

    def _all_navigations(self) -> Iterator[Navigation]:
        for one in self.one_to_many.values():
            if one.referencing_nav:
                yield Navigation(
                    one.referencing_nav, one.referencing, one.referenced, False, one.attribute, one.referenced_nav, one,
                    one.constraint,
                )
            if one.referenced_nav:
                yield Navigation(
                    one.referenced_nav, one.referenced, one.referencing, True, one.attribute, one.referencing_nav, one
                )
        for many in self.many_to_many.values():
            yield Navigation(many.nav1, many.entity1, many.entity2, True, "", many.nav2, many)
            if (many.nav2, many.entity2) != (many.nav1, many.entity1):
                yield Navigation(many.nav2, many.entity2, many.entity1, True, "", many.nav1, many)

    def derived(self, table: str) -> list[Table]:
        """Return the tables whose base type is `table`."""
        return [other for other in self.tables.values() if other.base == table]
