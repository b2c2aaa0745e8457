"""Which annotations a request asked for, and the SQL that prints them before their property (section 1.4)."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

from sqlalchemy_dynamics.sandbox.schema import Column, Organisation, Table
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = ["ASSOCIATED", "FORMATTED", "LOOKUP", "Wanted", "formatted_sql", "quote"]

FORMATTED = "OData.Community.Display.V1.FormattedValue"
ASSOCIATED = "Microsoft.Dynamics.CRM.associatednavigationproperty"
LOOKUP = "Microsoft.Dynamics.CRM.lookuplogicalname"


def quote(text: str) -> str:
    """Return an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


class Wanted:
    """The `odata.include-annotations` preference: ``*`` or a list with wildcards; ``-`` takes away."""

    def __init__(self, preference: str | None) -> None:
        self.preference = preference
        self.patterns = [part.strip() for part in (preference or "").split(",") if part.strip()]

    @classmethod
    def of(cls, request: Request) -> Wanted:
        return cls(request.prefer.get("odata.include-annotations"))

    def __call__(self, term: str) -> bool:
        wanted = False
        for pattern in self.patterns:
            if fnmatchcase(term, pattern.removeprefix("-")):
                wanted = not pattern.startswith("-")
        return wanted

    def __bool__(self) -> bool:
        return bool(self.patterns)


def _case(sql: str, labels: dict[int, str]) -> str:
    if not labels:
        return "NULL"
    whens = " ".join(f"WHEN {value} THEN {quote(label)}" for value, label in labels.items())
    return f"CASE {sql} {whens} END"


def name_of(service: Service, column: Column, sql: str, alias: str) -> str:
    """Return SQL for the primary name of the row a lookup points to."""
    targets = [service.organisation.tables[t] for t in column.targets if t in service.organisation.tables]
    named = [table for table in targets if table.primary_name in table.columns]
    if not named:
        return "NULL"
    for table in named:
        service.store.touch(table.name)
    selects = {table.name: _name_select(table, sql) for table in named}
    if not column.polymorphic:
        return selects[named[0].name]
    whens = " ".join(f"WHEN {quote(name)} THEN {select}" for name, select in selects.items())
    return f"CASE {alias}.{sql_name(column.name + ':type')} {whens} END"


def _name_select(table: Table, sql: str) -> str:
    name, key = sql_name(table.primary_name), sql_name(table.primary_id)
    return f"(SELECT n.{name} FROM {sql_name(table.name)} AS n WHERE n.{key} = {sql})"


def _currency_symbol(service: Service, table: Table, alias: str) -> str:
    if "transactioncurrencyid" not in table.columns or "transactioncurrency" not in service.organisation.tables:
        return "NULL"
    service.store.touch("transactioncurrency")
    return (
        "(SELECT n.currencysymbol FROM transactioncurrency AS n WHERE n.transactioncurrencyid = "
        f"{alias}.transactioncurrencyid)"
    )


def formatted_sql(service: Service, table: Table, column: Column, alias: str) -> str | None:
    """Return SQL for the formatted value of a column; None for types that have none (plain text, ids)."""
    sql = f"{alias}.{sql_name(column.name)}"
    if column.is_lookup:
        return name_of(service, column, sql, alias)
    if column.kind in ("Picklist", "State", "Status", "Boolean"):
        return _case(sql, {option.value: option.label for option in column.choice.options} if column.choice else {})
    if column.kind == "MultiSelectPicklist":
        labels = {option.value: option.label for option in column.choice.options} if column.choice else {}
        return f"choicelabels({sql}, {quote(json.dumps(labels))})"
    if column.kind == "Money":
        symbol = "NULL" if column.name.endswith("_base") else _currency_symbol(service, table, alias)
        return f"formatted('Money', {sql}, {symbol})"
    if column.kind == "DateTime":
        return f"formatted('DateTime', {sql}, {int(column.format == 'DateOnly')})"
    if column.kind in ("Decimal", "Double", "Integer", "BigInt"):
        return f"formatted('{column.kind}', {sql}, {column.precision})"
    return None


def associated(organisation: Organisation, table: Table, column: Column) -> dict[str, str]:
    """Return the navigation property of a lookup by target table; the one of a derived type wins."""
    found: dict[str, str] = {}
    for navigation in organisation.navigations(table.name).values():
        if not navigation.collection and navigation.column == column.name:
            targets = column.targets if navigation.target == "principal" else (navigation.target,)
            for target in targets:
                if navigation.table == table.name or target not in found:
                    found[target] = navigation.name
    return found
