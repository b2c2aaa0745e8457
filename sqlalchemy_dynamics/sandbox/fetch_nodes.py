"""The tables of a FetchXML query: each entity and link with the alias SQL knows it by."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.annotations import formatted_sql
from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.fetch_failures import refuse
from sqlalchemy_dynamics.sandbox.fetchxml import Entity
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.scope import Reference
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["LABELLED", "Companion", "Node", "Nodes"]

LABELLED = frozenset({"Picklist", "State", "Status", "Boolean"})


@dataclass(frozen=True)
class Companion(Reference):
    """A column that shows another: ``<column>name``, its label, or ``<lookup>type``, the table it points to."""

    text: str = ""

    @property
    def sql(self) -> str:
        return self.text


@dataclass
class Node:
    """One table of the query. `alias` is what FetchXML calls it (``""`` for the entity), `sql` its alias in SQL."""

    service: Service
    entity: Entity
    table: Table
    alias: str
    sql: str

    @property
    def key(self) -> Reference:
        """The primary key."""
        return Reference(self.table.columns[self.table.primary_id], self.table, self.sql)

    @property
    def source(self) -> str:
        return f"{sql_name(self.table.name)} AS {self.sql}"

    def reference(self, name: str) -> Reference:
        """Return the column of that logical name; raises ODataError 400 (0x80041103)."""
        column = self.table.columns.get(name)
        if column is None or column.attribute_of or column.kind == "Virtual":
            raise self.unknown(name)
        return Reference(column, self.table, self.sql)

    def shown(self, name: str) -> Reference:
        """Return a column as `reference` does, or the companion of that name."""
        for suffix in ("name", "type"):
            base = self.table.columns.get(name.removesuffix(suffix)) if name not in self.table.columns else None
            if base is not None and name.endswith(suffix) and (text := self._companion(base, suffix)):
                kind = "String" if suffix == "name" else "EntityName"
                return Companion(Column(name, kind), self.table, self.sql, text=text)
        return self.reference(name)

    def _companion(self, base: Column, suffix: str) -> str | None:
        if suffix == "type":
            return f"{self.sql}.{sql_name(type_column(base))}" if base.polymorphic else None
        if base.is_lookup or base.kind in LABELLED:
            return f"({formatted_sql(self.service, self.table, base, self.sql)})"
        return None

    def unknown(self, name: str) -> ODataError:
        """Return the 400 for a name that is no column of the table."""
        text = self.service.switches.unknown_attribute.format(table=self.table.name, name=name)
        return ODataError(400, "0x80041103", text)


@dataclass
class Nodes:
    """All tables of the query that outer conditions, orders and results can name, in document order."""

    service: Service
    by_alias: dict[str, Node] = field(default_factory=dict)
    joined: list[Node] = field(default_factory=list)
    """Those that add rows or columns to the result, the entity first."""
    count: int = 0

    def table(self, name: str) -> Table:
        """Return a table by logical name; raises ODataError 400 (0x80041102)."""
        table = self.service.organisation.tables.get(name)
        if table is None:
            raise refuse("entity", name=name)
        self.service.store.touch(name)
        return table

    def add(self, entity: Entity) -> Node:
        """Add a link; raises ODataError 400 (0x80041130) when its alias is taken."""
        table = self.table(entity.name)
        self.count += 1
        alias = entity.alias or self.service.switches.link_alias.format(table=entity.name, number=self.count)
        if alias in self.by_alias:
            raise refuse("alias taken", name=alias)
        node = self.by_alias[alias] = Node(self.service, entity, table, alias, f"l{self.count}")
        return node

    def find(self, name: str) -> Node:
        """Return the link of that alias, or the only one of that table name; raises ODataError 400 (0x8004110a)."""
        if name in self.by_alias:
            return self.by_alias[name]
        named = [node for node in self.by_alias.values() if node.entity.name == name and not node.entity.alias]
        if len(named) != 1:
            raise refuse("alias", name=name)
        return named[0]
