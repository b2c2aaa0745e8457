"""FetchXML rows: which members they have, how sqlite prints them, in which order they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy_dynamics.sandbox.annotations import ASSOCIATED, Wanted, associated, formatted_sql, name_of
from sqlalchemy_dynamics.sandbox.fetch_failures import refuse
from sqlalchemy_dynamics.sandbox.fetch_joins import Tables
from sqlalchemy_dynamics.sandbox.fetch_nodes import LABELLED, Companion, Node
from sqlalchemy_dynamics.sandbox.fetchxml import Fetch, Order
from sqlalchemy_dynamics.sandbox.functions import hierarchy
from sqlalchemy_dynamics.sandbox.paging import OrderTerm
from sqlalchemy_dynamics.sandbox.rows import Pieces, RowShape, property_pieces, row_sql
from sqlalchemy_dynamics.sandbox.schema import Column
from sqlalchemy_dynamics.sandbox.scope import Reference
from sqlalchemy_dynamics.sandbox.values import KINDS, sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["ALIASED", "Sorting", "context_names", "members", "row_text", "sorting"]

ALIASED = "OData.Community.Display.V1.AttributeName"
_NOT_SORTED = frozenset({"MultiSelectPicklist", "Image", "File"})


@dataclass(frozen=True)
class Member:
    """One member of a row. `renamed` when its name is not the property's own."""

    name: str
    reference: Reference
    node: Node
    renamed: bool = False


def members(tables: Tables, fetch: Fetch) -> list[Member]:
    """Return the members of a row, in order; raises ODataError 400 for a name that is there twice."""
    found: dict[str, Member] = {}
    for node in tables.nodes.joined:
        for member in (*_listed(node), *_every(node)):
            if member.renamed and not node.alias and member.name in found:
                raise refuse("alias taken", name=member.name)
            found.setdefault(member.name, member)
    if not fetch.distinct:
        for column in _companions(tables.root, list(found.values())):
            found.setdefault(column.property, Member(column.property, tables.root.reference(column.name), tables.root))
    return list(found.values())


def _listed(node: Node) -> Iterator[Member]:
    for attribute in node.entity.attributes:
        if attribute.aggregate or attribute.group:
            raise refuse("aggregate outside", name=attribute.name)
        if attribute.row_aggregate:
            continue
        reference = node.shown(attribute.name)
        name = attribute.alias or _own_name(node, reference.column)
        yield Member(name, reference, node, bool(attribute.alias or node.alias))


def _every(node: Node) -> Iterator[Member]:
    if node.entity.every_attribute:
        for column in node.table.properties().values():
            if column.readable and column.kind != "Virtual":
                yield Member(_own_name(node, column), node.reference(column.name), node, bool(node.alias))


def _own_name(node: Node, column: Column) -> str:
    if node.entity.link_type == "matchfirstrowusingcrossapply":
        return column.schema_name
    return f"{node.alias}.{column.name}" if node.alias else column.property


def _companions(root: Node, found: list[Member]) -> Iterator[Column]:
    """The currency beside money, and the key."""
    money = any(member.node is root and member.reference.column.kind == "Money" for member in found)
    if money and "transactioncurrencyid" in root.table.columns:
        yield root.table.columns["transactioncurrencyid"]
    yield root.table.columns[root.table.primary_id]


def context_names(tables: Tables, found: list[Member]) -> str:
    """Return what the context URL shows in parentheses, with them (section 4.10)."""
    if tables.root.entity.every_attribute:
        return ""
    root, names, lookups = tables.root, [], []
    for member in found:
        column = member.reference.column
        if member.node is not root:
            continue
        names.append(column.name if member.renamed else member.name)
        if column.is_lookup and not column.plain_guid:
            targets = dict.fromkeys(associated(root.service.organisation, root.table, column).values())
            names += [] if member.renamed else targets
            lookups += [f"{name}()" for name in targets]
    return f"({','.join([*names, *lookups])})" if names else ""


def row_text(service: Service, tables: Tables, fetch: Fetch, found: list[Member], wanted: Wanted) -> str:
    """Return the SQL of one row as JSON text; nulls are left out."""
    shape = RowShape(tables.root.table, [], tables.root.sql, etag=not fetch.distinct)
    renamed = Wanted(f"{wanted.preference or ''},-{ASSOCIATED}")
    for member in found:
        pieces = Pieces()
        own = RowShape(member.node.table, [], member.node.sql, omit_nulls=True)
        if member.renamed and wanted(ALIASED):
            note = f',"{member.name}@{ALIASED}":"{member.reference.column.name}"'
            pieces.add(f"CASE WHEN {member.reference.sql} IS NULL THEN '' ELSE '{note}' END")
        if isinstance(member.reference, Companion):
            pieces.add(_text_member(member.name, member.reference.sql))
        else:
            notes = renamed if member.renamed else wanted
            property_pieces(service, own, member.reference.column, notes, pieces, member.name)
        shape.members.append(pieces.sql())
    shape.members += _children(service, tables.root)
    return row_sql(service, shape, wanted)


def _text_member(name: str, text: str) -> str:
    return f"(SELECT CASE WHEN x IS NULL THEN '' ELSE ',\"{name}\":'||json_quote(x) END FROM (SELECT {text} AS x))"


def _children(service: Service, root: Node) -> Iterator[str]:
    """``rowaggregate="CountChildren"``: the number of rows right below in the hierarchy."""
    for attribute in root.entity.attributes:
        if not attribute.row_aggregate:
            continue
        relationship = hierarchy(root.table, service)
        if attribute.row_aggregate != "CountChildren" or not attribute.alias or relationship is None:
            raise refuse("aggregate", name=attribute.row_aggregate)
        where = f"h.{sql_name(relationship.attribute)} = {root.key.sql}"
        yield f"',\"{attribute.alias}\":'||(SELECT count(*) FROM {sql_name(root.table.name)} AS h WHERE {where})"


@dataclass(frozen=True)
class Sorting:
    """The order of the rows. Only a `keyed` one can go on behind a paging cookie."""

    terms: list[OrderTerm]
    keyed: bool


def sorting(service: Service, tables: Tables, fetch: Fetch, found: list[Member]) -> Sorting:
    """Return the sort terms: the entity's, the links', then keys (or all members of distinct rows)."""
    ordered = [(node, order) for node in tables.nodes.joined for order in node.entity.orders]
    terms = [_term(service, tables, fetch, node, order) for node, order in ordered]
    on_link = any(node.alias or order.entity_name for node, order in ordered)
    if fetch.distinct:
        rest = [_plain(member.reference, member.name) for member in found]
    else:
        rest = [_plain(node.key, f"{node.alias}.{node.table.primary_id}".lstrip(".")) for node in tables.nodes.joined]
    known = {term.shown for term in terms}
    return Sorting(terms + [term for term in rest if term.shown not in known], not on_link and not fetch.distinct)


def _term(service: Service, tables: Tables, fetch: Fetch, node: Node, order: Order) -> OrderTerm:
    if order.alias:
        raise refuse("order alias")
    owner = tables.nodes.find(order.entity_name) if order.entity_name else node
    reference = owner.shown(order.attribute)
    column = reference.column
    if column.kind in _NOT_SORTED:
        kind = KINDS[column.kind].attribute_type
        raise refuse("operator type", operator="order", name=column.name, kind=kind)
    if column.is_lookup:
        return _by_text(column.name, name_of(service, column, reference.sql, reference.alias), order.descending)
    if column.kind in LABELLED and not fetch.raw_order:
        label = formatted_sql(service, owner.table, column, reference.alias) or "NULL"
        return _by_text(column.name, label, order.descending)
    return _plain(reference, column.name, order.descending)


def _by_text(name: str, text: str, descending: bool) -> OrderTerm:
    return OrderTerm(name, f"sortkey({text})", text, descending, "sortkey({})")


def _plain(reference: Reference, name: str, descending: bool = False) -> OrderTerm:
    order = KINDS[reference.column.kind].order
    return OrderTerm(name, reference.order, reference.sql, descending, order("{}"), order("") == "guidkey()")
