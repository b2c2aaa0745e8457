"""The filter tree, meaning SQL's TRUE: which rows are wanted by SQL's three-valued logic.

Negation is already pushed down to the leaves, so that a second target (FetchXML) can render the same tree.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

__all__ = [
    "All",
    "Among",
    "Both",
    "ColumnCompare",
    "Compare",
    "CrmCall",
    "Either",
    "Filter",
    "Has",
    "Match",
    "Never",
    "Null",
    "Operand",
    "Parameter",
    "Path",
    "Value",
]

Path = tuple[str, ...]
"""Wire names from the row outwards: ``("primarycontactid", "fullname")``."""


@dataclass(frozen=True, slots=True)
class Value:
    """A constant of an Edm type (``Edm.Guid``), already converted to that type's Python value. Never None."""

    value: object
    edm: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value known when the statement runs: `key` is its position (from 1) or name, or what computes it from those.

    The text of a computed key is what EXPLAIN shows.
    """

    key: Hashable
    edm: str


Operand = Value | Parameter


@dataclass(frozen=True, slots=True)
class Compare:
    """`path op operand`; op is eq, ne, gt, ge, lt or le. NULL never matches, for ne neither."""

    path: Path
    op: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class ColumnCompare:
    """`left op right`, two columns of the same row and type. NULL never matches."""

    left: Path
    op: str
    right: Path


@dataclass(frozen=True, slots=True)
class Null:
    """`path IS NULL`, or IS NOT NULL when negated."""

    path: Path
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Text search; `kind` is contains, startswith or endswith, the operand is literal text without wildcards."""

    path: Path
    kind: str
    operand: Operand
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Among:
    """`path IN (operands)`, or NOT IN when negated. NULL never matches."""

    path: Path
    operands: tuple[Operand, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class CrmCall:
    """`Microsoft.Dynamics.CRM.<name>(PropertyName='column', PropertyValue…)`; cannot be negated."""

    name: str
    path: Path
    operands: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Both:
    """All terms are true."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one term is true."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Has:
    """Some row of the collection `navigation` matches `term` (any row at all when None); no row when negated."""

    navigation: Path
    term: Filter | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Every row of the collection `navigation` matches `term`."""

    navigation: Path
    term: Filter


@dataclass(frozen=True, slots=True)
class Never:
    """No row matches: nothing is sent."""


Filter = Compare | ColumnCompare | Null | Match | Among | CrmCall | Both | Either | Has | All | Never
