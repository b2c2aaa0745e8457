"""The link-entities of FetchXML as SQL joins and subqueries (section 4.10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.fetch_conditions import all_of, compile_items
from sqlalchemy_dynamics.sandbox.fetch_failures import refuse
from sqlalchemy_dynamics.sandbox.fetch_nodes import Node, Nodes
from sqlalchemy_dynamics.sandbox.fetchxml import Entity, Fetch
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.scope import Reference, Sql
from sqlalchemy_dynamics.sandbox.values import KINDS
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["Tables", "compile_tables"]


_NOT_JOINED = frozenset({"MultiSelectPicklist", "Image", "File"})


@dataclass
class _Part:
    """A table with what is joined to it: FROM text, and the conditions that are not inside it."""

    source: str
    parameters: tuple[object, ...] = ()
    conditions: list[Sql] = field(default_factory=list)

    @property
    def where(self) -> Sql:
        return all_of(self.conditions)


@dataclass(frozen=True)
class Tables:
    """The FROM clause of a query and its WHERE condition."""

    root: Node
    nodes: Nodes
    source: Sql
    where: Sql


def compile_tables(service: Service, fetch: Fetch, table: Table) -> Tables:
    """Return the joins and conditions of a query over `table` (SQL alias ``t``)."""
    nodes = Nodes(service)
    root = Node(service, fetch.entity, table, "", "t")
    nodes.joined.append(root)
    part = _build(root, nodes)
    return Tables(root, nodes, Sql(part.source, part.parameters), part.where)


def _build(node: Node, nodes: Nodes) -> _Part:
    part = _Part(node.source)
    for link in node.entity.links:
        join = _LINKS.get(link.link_type)
        if join is None:
            place = "outside a filter" if link.link_type in _QUANTIFIERS else "here"
            raise refuse("link type", name=link.link_type, place=place)
        child = nodes.add(link)
        join(part, node, child, nodes)
    part.conditions += _own(node, nodes)
    return part


def _own(node: Node, nodes: Nodes) -> list[Sql]:
    def linked(owner: Node, link: Entity) -> Sql:
        return _quantified(owner, link, nodes)

    return [compile_items(node, nodes, found, linked) for found in node.entity.filters]


def _ends(node: Node, child: Node) -> tuple[Reference, Reference]:
    """The two columns of a link, indexed when they are ids."""
    near, far = child.entity.to_column, child.entity.from_column
    if not near and not far:
        near, far = _related(node, child)
    ends = node.reference(near), child.reference(far)
    for end in ends:
        if end.column.kind in _NOT_JOINED:
            raise refuse("link column", name=end.column.name, kind=KINDS[end.column.kind].attribute_type)
        if KINDS[end.column.kind].edm == "Edm.Guid":
            node.service.store.index_lookup(end.table, end.column.name)
    return ends


def _related(node: Node, child: Node) -> tuple[str, str]:
    """The columns of the first relationship between two tables, for a link without from and to."""
    for one in node.service.organisation.one_to_many.values():
        if (one.referencing, one.referenced) == (node.table.name, child.table.name):
            return one.attribute, one.referenced_attribute
        if (one.referenced, one.referencing) == (node.table.name, child.table.name):
            return one.referenced_attribute, one.attribute
    raise refuse("no relationship", name=child.table.name)


def _on(node: Node, child: Node) -> str:
    near, far = _ends(node, child)
    return f"{far.equal} = {near.equal}"


def _inner(part: _Part, node: Node, child: Node, nodes: Nodes) -> None:
    nodes.joined.append(child)
    below = _build(child, nodes)
    rest = below.source.removeprefix(child.source)
    part.source += f" JOIN {child.source} ON {_on(node, child)}{rest}"
    part.parameters += below.parameters
    part.conditions += below.conditions


def _outer(part: _Part, node: Node, child: Node, nodes: Nodes) -> None:
    nodes.joined.append(child)
    below = _build(child, nodes)
    source = below.source if below.source == child.source else f"({below.source})"
    part.source += f" LEFT JOIN {source} ON {_on(node, child)} AND {below.where.text}"
    part.parameters += below.parameters + below.where.parameters


def _select(what: str, node: Node, child: Node, nodes: Nodes, correlated: bool = True) -> Sql:
    """A subquery over the link; its columns are not part of the result."""
    before = list(nodes.joined)
    below = _build(child, nodes)
    nodes.joined[:] = before
    where = below.where
    on = f"{_on(node, child)} AND " if correlated else ""
    text = f"SELECT {what} FROM {below.source} WHERE {on}{where.text}"
    return Sql(text, below.parameters + where.parameters)


def _exists(part: _Part, node: Node, child: Node, nodes: Nodes) -> None:
    found = _select("1", node, child, nodes)
    part.conditions.append(Sql(f"EXISTS ({found.text})", found.parameters))


def _in(part: _Part, node: Node, child: Node, nodes: Nodes) -> None:
    near, far = _ends(node, child)
    found = _select(far.equal, node, child, nodes, correlated=False)
    part.conditions.append(Sql(f"{near.equal} IN ({found.text})", found.parameters))


def _first(part: _Part, node: Node, child: Node, nodes: Nodes) -> None:
    """CROSS APPLY of the first matching row: rows without a match are left out."""
    key = child.key.sql
    found = _select(key, node, child, nodes)
    child.sql += "x"
    part.source += f" JOIN {child.source} ON {child.key.sql} = ({found.text} ORDER BY guidkey({key}) LIMIT 1)"
    part.parameters += found.parameters
    nodes.joined.append(child)


Join = Callable[[_Part, Node, Node, Nodes], None]
_LINKS: dict[str, Join] = {
    "inner": _inner,
    "natural": _inner,
    "outer": _outer,
    "exists": _exists,
    "in": _in,
    "matchfirstrowusingcrossapply": _first,
}
_QUANTIFIERS = ("any", "not any", "all", "not all")


def _quantified(node: Node, link: Entity, nodes: Nodes) -> Sql:
    """A link inside a filter. ``not all`` is ``any``; ``all`` wants related rows of which none passes the filters."""
    if link.link_type not in _QUANTIFIERS:
        raise refuse("link type", name=link.link_type, place="inside a filter")
    child = nodes.add(link)
    found = _select("1", node, child, nodes)
    nodes.by_alias.pop(child.alias)
    exists = Sql(f"EXISTS ({found.text})", found.parameters)
    if link.link_type in ("any", "not all"):
        return exists
    without = Sql(f"NOT {exists.text}", exists.parameters)
    if link.link_type == "not any":
        return without
    return all_of([Sql(f"EXISTS (SELECT 1 FROM {child.source} WHERE {_on(node, child)})"), without])
