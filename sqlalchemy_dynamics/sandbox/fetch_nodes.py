"""The tables of a FetchXML query: each entity and link with the alias SQL knows it by."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.fetch_failures import refuse
from sqlalchemy_dynamics.sandbox.fetchxml import Entity
from sqlalchemy_dynamics.sandbox.predicates import Reference
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["Node", "Nodes"]


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
