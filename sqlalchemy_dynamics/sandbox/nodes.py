"""The tree of a `$filter`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["And", "Call", "Compare", "Custom", "Lambda", "Literal", "Node", "Not", "Or", "Path"]


@dataclass(frozen=True)
class Literal:
    """A constant; `kind` is null, bool, int, decimal, double, string, guid, datetime, date, list or enum."""

    kind: str
    value: object


@dataclass(frozen=True)
class Path:
    """A property, perhaps reached through lookups or a lambda variable."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        return "/".join(self.parts)


@dataclass(frozen=True)
class Compare:
    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class And:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    item: Node


@dataclass(frozen=True)
class Call:
    """contains, startswith or endswith."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Custom:
    """A ``Microsoft.Dynamics.CRM.*`` query function with its named parameters."""

    name: str
    arguments: Mapping[str, Node]


@dataclass(frozen=True)
class Lambda:
    """``path/any(variable:body)`` or all; `body` None means "has rows"."""

    path: Path
    quantifier: str
    variable: str
    body: Node | None


Node = Literal | Path | Compare | And | Or | Not | Call | Custom | Lambda
