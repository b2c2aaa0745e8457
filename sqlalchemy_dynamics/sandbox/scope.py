"""What a query reads: a FROM clause in the making, the columns that paths name in it, the rows tied to a row."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, bad_request, incompatible_types, unknown_property
from sqlalchemy_dynamics.sandbox.schema import Column, Navigation, Table
from sqlalchemy_dynamics.sandbox.values import KINDS, sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["Reference", "Scope", "Sql", "related"]


@dataclass(frozen=True)
class Sql:
    """A piece of SQL and its parameters, in order."""

    text: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A column as the SQL sees it. `guard` is the condition that the joined row exists, or ``""``."""

    column: Column
    table: Table
    alias: str
    guard: str = ""

    @property
    def sql(self) -> str:
        return f"{self.alias}.{sql_name(self.column.name)}"

    @property
    def equal(self) -> str:
        return KINDS[self.column.kind].equal(self.sql)

    @property
    def order(self) -> str:
        return KINDS[self.column.kind].order(self.sql)


@dataclass
class Scope:
    """A FROM clause in the making: the table, its alias, joins through lookups, and the variables of outer lambdas."""

    service: Service
    table: Table
    alias: str = "t"
    joins: dict[tuple[str, ...], tuple[str, Table, str]] = field(default_factory=dict)
    variables: dict[str, Scope] = field(default_factory=dict)
    it: str = ""
    """Inside any and all: the table of the query, which is all that a name without a variable could belong to."""
    counter: list[int] = field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        self.service.store.touch(self.table.name)

    def next_alias(self, prefix: str) -> str:
        self.counter[0] += 1
        return f"{prefix}{self.counter[0]}"

    @property
    def source(self) -> str:
        """The FROM clause without the word."""
        return f"{sql_name(self.table.name)} AS {self.alias}" + "".join(join for _, _, join in self.joins.values())

    def navigation(self, table: Table, name: str) -> Navigation | None:
        return self.service.organisation.navigations(table.name).get(name)

    def join(self, path: tuple[str, ...]) -> tuple[str, Table]:
        """Return alias and table of the row that a path of lookups leads to, joining it when needed."""
        if not path:
            return self.alias, self.table
        if path in self.joins:
            alias, table, _ = self.joins[path]
            return alias, table
        before, table = self.join(path[:-1])
        navigation = self.navigation(table, path[-1])
        if navigation is None or navigation.collection:
            raise unknown_property(path[-1], table.name)
        alias = self.next_alias("j")
        target = self.service.organisation.tables[navigation.target]
        self.service.store.touch(target.name)
        on = f"{alias}.{sql_name(target.primary_id)} = {before}.{sql_name(navigation.column)}"
        if table.columns[navigation.column].polymorphic and not target.abstract:
            on += f" AND {before}.{sql_name(navigation.column + ':type')} = '{target.name}'"
        self.joins[path] = alias, target, f" LEFT JOIN {sql_name(target.name)} AS {alias} ON {on}"
        return alias, target

    def resolve(self, parts: tuple[str, ...]) -> Reference:
        """Return the column a path names; raises ODataError 400 for an unknown name."""
        if parts[0] in self.variables:
            if len(parts) == 1:
                raise bad_request(f"The variable '{parts[0]}' must be followed by a property.")
            return self.variables[parts[0]].own(parts[1:])
        if self.it:
            raise unknown_property(parts[0], self.it)
        return self.own(parts)

    def own(self, parts: tuple[str, ...]) -> Reference:
        """Return the column a path from this scope's own table names; raises ODataError 400 for an unknown name."""
        alias, table = self.join(parts[:-1])
        column = table.properties().get(parts[-1])
        if column is None:
            self._refuse_navigation(table, parts[-1])
            raise unknown_property(parts[-1], table.name)
        if column.kind in ("Image", "File"):
            raise bad_request(f"The column '{column.property}' cannot be used in a query option.", "0x80060888")
        inner = len(parts) > 1 and self.service.switches.lookup_path_joins_inner
        return Reference(column, table, alias, f"{alias}.{sql_name(table.primary_id)} IS NOT NULL" if inner else "")

    def _refuse_navigation(self, table: Table, name: str) -> None:
        navigation = self.navigation(table, name)
        if navigation is not None:
            kind = (
                f"Collection({NAMESPACE}.{navigation.target})"
                if navigation.collection
                else f"{NAMESPACE}.{navigation.target}"
            )
            raise incompatible_types(kind, "Edm.Guid", "Equal")


def related(navigation: Navigation, owner: str, inner: Scope) -> tuple[str, str]:
    """Return the extra join and the condition that tie the rows of a collection (`inner`) to the row `owner`."""
    organisation = inner.service.organisation
    many = navigation.many_to_many
    source = organisation.tables[navigation.table]
    if many is None:
        inner.service.store.index_lookup(inner.table, navigation.column)
        where = f"{inner.alias}.{sql_name(navigation.column)} = {owner}.{sql_name(source.primary_id)}"
        if inner.table.columns[navigation.column].polymorphic and not source.abstract:
            where += f" AND {inner.alias}.{sql_name(navigation.column + ':type')} = '{source.name}'"
        return "", where
    inner.service.store.touch(many.intersect)
    near, far = (
        (many.attribute1, many.attribute2) if many.entity1 == source.name else (many.attribute2, many.attribute1)
    )
    link = inner.next_alias("n")
    join = (
        f" JOIN {sql_name(many.intersect)} AS {link} ON {link}.{sql_name(far)} = "
        f"{inner.alias}.{sql_name(inner.table.primary_id)}"
    )
    return join, f"{link}.{sql_name(near)} = {owner}.{sql_name(source.primary_id)}"
