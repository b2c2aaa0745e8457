"""`?sql=`: the statement over the rows, answered the way FetchXML rows come (section 4.11, a preview)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox import aggregate, listing
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.functions import stored_text
from sqlalchemy_dynamics.sandbox.options import Options
from sqlalchemy_dynamics.sandbox.paging import read_cookie, skip_token
from sqlalchemy_dynamics.sandbox.predicates import like
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.scope import Reference, Sql
from sqlalchemy_dynamics.sandbox.sql_text import Condition, Group, Item, Name, Select, SqlSyntax, parse_sql
from sqlalchemy_dynamics.sandbox.values import KINDS, json_of, sql_name
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply

__all__ = ["answer_sql"]

ALIASED = "OData.Community.Display.V1.AttributeName"
_LARGEST = 5000


@dataclass
class _Query:
    """A statement being compiled: tables by alias, the FROM clause, conditions."""

    service: Service
    select: Select
    tables: dict[str, Table] = field(default_factory=dict)

    def add(self, name: str, alias: str) -> Table:
        table = self.service.organisation.tables.get(name)
        if table is None or alias in self.tables:
            raise self.refuse(f"Invalid table or alias name '{alias}'.")
        self.service.store.touch(table.name)
        self.tables[alias] = table
        return table

    def refuse(self, message: str) -> ODataError:
        return Refused(self.service.switches.sql_error, message=message)

    def reference(self, name: Name) -> Reference:
        aliases = [name.table] if name.table else list(self.tables)
        for alias in aliases:
            table = self.tables.get(alias)
            column = table.columns.get(name.column) if table else None
            if table is not None and column is not None and column.kind not in ("Virtual", "File", "Image"):
                return Reference(column, table, sql_name(alias))
        raise self.refuse(f"Invalid column name '{name.column}'.")

    @property
    def source(self) -> str:
        """FROM with its joins."""
        self.add(self.select.table, self.select.alias)
        text = f"{sql_name(self.select.table)} AS {sql_name(self.select.alias)}"
        for join in self.select.joins:
            self.add(join.table, join.alias)
            on = f"{self.reference(join.left).sql} = {self.reference(join.right).sql}"
            text += f" {join.kind} JOIN {sql_name(join.table)} AS {sql_name(join.alias)} ON {on}"
        return text

    def condition(self, node: Condition | Group) -> Sql:
        if isinstance(node, Group):
            parts = [self.condition(item) for item in node.items]
            text = f" {node.word} ".join(part.text for part in parts)
            return Sql(f"({text})", tuple(p for part in parts for p in part.parameters))
        reference = self.reference(node.name)
        if node.operator.endswith("NULL"):
            return Sql(f"{reference.sql} {node.operator}")
        if node.operator.endswith("LIKE"):
            found = like(reference, node.values[0])
            return found if node.operator == "LIKE" else Sql(f"NOT {found.text}", found.parameters)
        return self._compared(reference, node)

    def _compared(self, reference: Reference, node: Condition) -> Sql:
        kind = KINDS[reference.column.kind]
        values = tuple(stored_text(reference.column, value) for value in node.values)
        if node.operator.endswith("IN"):
            marks = ", ".join([kind.equal("?")] * len(values))
            return Sql(f"{kind.equal(reference.sql)} {node.operator} ({marks})", values)
        if node.operator.endswith("BETWEEN"):
            mark = kind.order("?")
            return Sql(f"({kind.order(reference.sql)} {node.operator} {mark} AND {mark})", values)
        wrap = kind.equal if node.operator in ("=", "<>") else kind.order
        return Sql(f"{wrap(reference.sql)} {node.operator} {wrap('?')}", values)


def answer_sql(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer ``set?sql=SELECT …``; refused with the switch off."""
    if not service.switches.sql_parameter:
        raise Refused(service.switches.query_option, name="sql")
    try:
        select = parse_sql(request.options["sql"])
    except SqlSyntax as error:
        raise Refused(service.switches.sql_error, message=str(error)) from None
    query = _Query(service, select)
    if select.table != resource.rows.name:
        raise query.refuse(f"The table '{select.table}' in FROM is not the table of '{resource.rows.set_name}'.")
    return _page(query, request, resource)


def _page(query: _Query, request: Request, resource: Resource) -> Reply:
    select, service = query.select, query.service
    source = query.source
    items = _items(query)
    where = query.condition(select.where) if select.where is not None else Sql("1")
    grouped = bool(select.group or select.distinct or any(item.aggregate for item in select.items))
    if any(item.aggregate for item in select.items):
        _check_limit(query, source, where)
    keys = [query.reference(name).equal for name in _group_names(select)]
    by = f" GROUP BY {', '.join(keys)}" if keys else ""
    order = _order(query, resource.rows, grouped)
    plan = listing.page_plan(service, request, Options(), resource.rows)
    page = read_cookie(request.options["$skiptoken"]).page if "$skiptoken" in request.options else 1
    limit = min(value for value in (select.top, select.fetch, 2**31) if value is not None)
    first = (page - 1) * plan.size
    size = max(0, min(plan.size, limit - first))
    found = service.store.query(
        f"SELECT {', '.join(sql for _, sql in items)} FROM {source} WHERE {where.text}{by}{order} "
        f"LIMIT {size + 1} OFFSET {select.offset + first}",
        where.parameters,
    )
    rows = [_row(query, items, row) for row in found[:size]]
    more = len(found) > size and first + size < limit
    return json_reply(_body(request, resource, rows, page + 1 if more else 0), headers=listing.applied(request))


def _group_names(select: Select) -> list[Name]:
    if select.group:
        return list(select.group)
    plain = [item.name for item in select.items if item.name is not None and not item.aggregate]
    return plain if select.distinct else []


def _items(query: _Query) -> list[tuple[Item, str]]:
    """The terms to select; without grouping the key of the main table comes along."""
    select = query.select
    grouped = bool(select.group or select.distinct or any(item.aggregate for item in select.items))
    items = list(select.items)
    key = query.tables[select.alias].primary_id
    if not grouped and not any(item.name and item.name.column == key for item in items):
        items.append(Item(Name(key, select.alias)))
    allowed = {name.column for name in _group_names(select)}
    return [(item, _term(query, item, grouped, allowed)) for item in items]


def _term(query: _Query, item: Item, grouped: bool, allowed: set[str]) -> str:
    if item.name is None:
        return "count(*)"
    reference = query.reference(item.name)
    if item.aggregate == "COUNT":
        return f"count({'DISTINCT ' + reference.equal if item.distinct else reference.sql})"
    if item.aggregate:
        aggregate.check_aggregate(reference.column, item.aggregate.lower())
        if item.aggregate == "AVG":
            return f"CASE WHEN count({reference.sql}) THEN sum({reference.sql})||'/'||count({reference.sql}) END"
        return f"{item.aggregate}({reference.sql})"
    if grouped and item.name.column not in allowed:
        raise query.refuse(f"Column '{item.name.column}' is invalid in the select list: it is not in GROUP BY.")
    shown = f"min({reference.sql})" if grouped else reference.sql
    return f"CASE WHEN {shown} IS NOT NULL THEN {json_of(reference.column, shown)} END"


def _check_limit(query: _Query, source: str, where: Sql) -> None:
    limit = query.service.aggregate_limit
    counted = query.service.store.query(
        f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where.text} LIMIT {limit + 1})", where.parameters
    )
    if int(str(counted[0][0])) > limit:
        raise ODataError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")


def _order(query: _Query, table: Table, grouped: bool) -> str:
    aliases = {item.alias.lower(): item for item in query.select.items if item.alias}
    terms = []
    for name, descending in query.select.order:
        item = aliases.get(name.column)
        if item is not None and item.name is not None and not item.aggregate:
            name = item.name
        elif item is not None:
            raise query.refuse("ORDER BY an aggregate is not supported.")
        reference = query.reference(name)
        sql = KINDS[reference.column.kind].order(f"min({reference.sql})" if grouped else reference.sql)
        terms.append(f"{sql}{' DESC' if descending else ''}")
    if not grouped:
        terms.append(f"guidkey({sql_name(query.select.alias)}.{sql_name(table.primary_id)})")
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def _row(query: _Query, items: list[tuple[Item, str]], row: tuple[object, ...]) -> str:
    members = []
    for number, ((item, _), value) in enumerate(zip(items, row, strict=True), 1):
        if value is None:
            continue
        name = item.alias or _shown(query, item, number)
        if item.alias and item.name is not None and not item.aggregate:
            members.append(f"{json.dumps(f'{name}@{ALIASED}')}:{json.dumps(item.name.column)}")
        members.append(f"{json.dumps(name)}:{_value(query, item, value)}")
    return f"{{{','.join(members)}}}"


def _shown(query: _Query, item: Item, number: int) -> str:
    if item.name is None or item.aggregate:
        return f"Expr{number}"
    name = query.reference(item.name).column.property
    alias = item.name.table
    return f"{alias}.{name}" if alias and alias != query.select.alias else name


def _value(query: _Query, item: Item, value: object) -> str:
    if item.name is None or item.aggregate == "COUNT" or not item.aggregate:
        return str(value)
    method = {"AVG": "average"}.get(item.aggregate, item.aggregate.lower())
    output = aggregate.Output("", "", method, query.reference(item.name))
    return aggregate.value_text(query.service, output, value)


def _body(request: Request, resource: Resource, rows: list[str], following: int) -> str:
    context = json.dumps(f"{request.root}$metadata#{resource.rows.set_name}")
    head = (
        f'"@odata.context":{context},"@Microsoft.Dynamics.CRM.totalrecordcount":-1,'
        '"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":false'
    )
    link = ""
    if following:
        address = listing.with_token(request, skip_token(following, [], [], []))
        link = f',"@odata.nextLink":"{address}"'
    return f'{{{head},"value":[{",".join(rows)}]{link}}}'
