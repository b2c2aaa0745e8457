"""The organisation's tables as the planner and the dialect see them. Immutable; made by csdl and definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

from sqlalchemy_dynamics.edm import SqlType

__all__ = ["AUDIT", "Column", "Companion", "Key", "Kind", "Model", "Navigation", "Table"]

AUDIT = "audit"
_EMPTY: Mapping[Any, Any] = MappingProxyType({})


def _empty() -> Mapping[Any, Any]:
    return _EMPTY


class Kind(Enum):
    """What a column is beyond its SQL type; decides how it is filtered, sorted, written and annotated."""

    VALUE = "value"
    KEY = "key"
    LOOKUP = "lookup"
    CHOICE = "choice"
    MULTICHOICE = "multichoice"
    MONEY = "money"
    FILE = "file"
    FILE_NAME = "filename"
    IMAGE = "image"
    ENTITY_NAME = "entityname"


class Companion(Enum):
    """A read-only column made from another one: from its annotation, or from the id that stands for a file."""

    NAME = "name"  # FormattedValue of a lookup or a choice
    TYPE = "type"  # lookuplogicalname of a polymorphic lookup
    ID = "_id"  # what a row holds of a file column


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `name` is its SQL (logical) name, `wire` the property it is read from (``_ownerid_value``).

    `navigations` maps a lookup's target tables to the navigation property that binds to each (case matters).
    A companion has `companion` set and shares `wire` with the column named by `base`; a FILE_NAME has a `base`, too.
    `default` is what a choice or boolean becomes when a create leaves it out, `lowest` and `highest` bound numbers.
    `max_kb` is the size a file or image may have; `full_image` says that an image is kept as it was sent.
    """

    name: str
    wire: str
    type: SqlType
    kind: Kind = Kind.VALUE
    edm: str = "Edm.String"
    nullable: bool = True
    creatable: bool = True
    updatable: bool = True
    required: bool = False
    length: int | None = None
    label: str = ""
    description: str = ""
    navigations: Mapping[str, str] = field(default_factory=_empty, hash=False)
    options: Mapping[int, str] = field(default_factory=_empty, hash=False)
    format: str = ""
    auto_number: bool = False
    max_kb: int | None = None
    full_image: bool = False
    companion: Companion | None = None
    base: str = ""
    default: bool | int | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None

    def __hash__(self) -> int:
        """By name: hashing all fields for every cell of many rows would cost more than the rest."""
        return hash(self.name)

    @property
    def read_only(self) -> bool:
        """True when neither a create nor an update may set it."""
        return not (self.creatable or self.updatable)

    @property
    def apart(self) -> bool:
        """True when rows do not carry its content: it is downloaded, cell by cell, and left out of ``*``."""
        return self.kind is Kind.FILE or (self.kind is Kind.IMAGE and self.full_image)


@dataclass(frozen=True, slots=True)
class Key:
    """An alternate key: its logical name and its columns' SQL names, in the key's order."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Navigation:
    """A navigation property: `name` as spelt on the wire, `target` table, and the lookup `column` when single-valued.

    For a collection, `column` is the lookup of the target table that points back ("" for many-to-many).
    """

    name: str
    target: str
    collection: bool
    column: str = ""
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `columns` is ordered and holds companions directly behind their base column.

    `enriched` says whether EntityDefinitions has been merged in (labels, lengths, choices, date behaviour).
    `kind` is ``Standard``, ``Activity``, ``Elastic`` or ``Virtual``; `intersect` marks many-to-many tables.
    """

    name: str
    entity_set: str
    primary_key: str
    columns: Mapping[str, Column]
    primary_name: str = ""
    navigations: Mapping[str, Navigation] = field(default_factory=_empty)
    keys: tuple[Key, ...] = ()
    base: str = ""
    abstract: bool = False
    intersect: bool = False
    kind: str = "Standard"
    label: str = ""
    description: str = ""
    custom: bool = False
    enriched: bool = False

    @property
    def trusted(self) -> bool:
        """False where conditions, order and limits may be ignored, so that all is done again here.

        Virtual tables leave that to their providers; the audit table has columns it does not filter or group by.
        """
        return self.kind != "Virtual" and self.name != AUDIT

    @property
    def joined(self) -> bool:
        """True when the service follows the table's lookups; elastic tables have no links (dataverse-web-api)."""
        return self.kind in ("Standard", "Activity") and self.name != AUDIT

    @property
    def listed(self) -> tuple[Column, ...]:
        """What ``*`` means: every column but files and images in full size."""
        return tuple(column for column in self.columns.values() if not column.apart)

    def column(self, name: str) -> Column | None:
        """Return the column of that SQL name or wire name, in any case, or None."""
        found = self.columns.get(name) or self.columns.get(name.lower())
        if found is None and name.startswith("_") and name.lower().endswith("_value"):
            found = self.columns.get(name[1:-6].lower())
        return found


@dataclass(frozen=True)
class Model:
    """All tables of an organisation by logical name. `stamp` changes with every schema change that was seen."""

    tables: Mapping[str, Table]
    entity_sets: Mapping[str, str] = field(default_factory=_empty)
    stamp: str = ""

    def table(self, name: str) -> Table | None:
        """Return the table of that logical name or entity set name, in any case, or None."""
        lower = name.lower()
        return self.tables.get(lower) or self.tables.get(self.entity_sets.get(lower, ""))
