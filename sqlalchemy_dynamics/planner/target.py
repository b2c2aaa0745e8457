"""The table that a write changes: its columns by name, and how its rows are read before they are changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Companion, Table
from sqlalchemy_dynamics.planner.names import Lookup, find_occurrences
from sqlalchemy_dynamics.planner.values import read_only_text

__all__ = ["KEY", "Target"]

KEY = "__key"
"""The name under which a row's key is read."""
_PARTIES = "activityparty"


@dataclass(frozen=True)
class Target:
    """The table, what the statement calls it, and the alias it goes by."""

    table: Table
    name: str
    alias: str

    @classmethod
    def of(cls, tree: exp.Expression, lookup: Lookup) -> Target:
        """Return the target of INSERT, UPDATE or DELETE. Raises ProgrammingError when it is no table."""
        node = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if not isinstance(node, exp.Table):
            raise ProgrammingError("name the table to change")
        return cls(find_occurrences(node.copy(), lookup)[0].table, node.name, node.alias or node.name)

    @property
    def names(self) -> set[str]:
        """What the statement may put before a column of the table, in lower case."""
        return {self.alias.lower(), self.name.lower()}

    @property
    def is_list(self) -> bool:
        """Whether rows are entries of lists, which cannot be addressed: links, and parties of activities."""
        return self.table.intersect or self.table.name == _PARTIES

    @property
    def link_columns(self) -> list[str]:
        """The columns of an intersect table that say what a row links."""
        if self.table.name == _PARTIES:
            return ["activityid"]
        columns = self.table.columns.values() if self.table.intersect else ()
        return [each.name for each in columns if each.edm == "Edm.Guid" and each.name != self.table.primary_key]

    def own(self, name: str) -> exp.Expression:
        """Return a column of the table as an expression."""
        return exp.column(name, table=self.alias, quoted=True)

    def select(self, *items: exp.Expression) -> exp.Select:
        """Return SELECT key, items FROM the table."""
        table = exp.alias_(exp.to_table(self.table.name), self.alias, table=True, quoted=True)
        key = exp.alias_(self.own(self.table.primary_key), KEY, quoted=True)
        return exp.select(key, *(node.copy() for node in items)).from_(table)

    def column(self, name: str) -> Column:
        """Return a column; raises ProgrammingError when there is none of that name."""
        column = self.table.column(name)
        if column is None:
            raise ProgrammingError(
                f"{self.table.name} has no column {name}; `dynamics describe {self.table.name}` lists them"
            )
        return column

    def updated(self, name: str) -> Column:
        """Return a column that UPDATE may set; raises NotSupportedError for the key, ProgrammingError for others."""
        column = self.column(name)
        if column.name == self.table.primary_key:
            raise NotSupportedError(f"{column.name} is the key: it cannot be changed; insert a new row instead")
        if column.companion in (Companion.NAME, Companion.ID) or (column.companion is None and not column.updatable):
            raise ProgrammingError(read_only_text(self.table, column, "updated"))
        return column
