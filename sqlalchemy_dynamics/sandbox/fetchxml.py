"""FetchXML read into a tree (section 4.10). Names are not looked up here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from sqlalchemy_dynamics.sandbox.fetch_failures import refuse

__all__ = ["Attribute", "Condition", "Entity", "Fetch", "Filter", "Order", "parse_fetch"]

_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENTITY = ("filter", "order", "link-entity", "attribute", "all-attributes", "no-attrs")
_CHILDREN = {
    "fetch": ("entity",),
    "entity": _ENTITY,
    "link-entity": _ENTITY,
    "filter": ("condition", "filter", "link-entity"),
    "condition": ("value",),
    "attribute": (),
    "all-attributes": (),
    "no-attrs": (),
    "order": (),
    "value": (),
}
_MOST_LINKS = 15
_MOST_CONDITIONS = 500
_DEEPEST = 100
_LARGEST_TOP = 5000
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Attribute:
    """One `attribute`."""

    name: str
    alias: str = ""
    aggregate: str = ""
    distinct: bool = False
    group: bool = False
    date_grouping: str = ""
    row_aggregate: str = ""


@dataclass(frozen=True)
class Order:
    """One `order`, by attribute or by alias."""

    attribute: str
    alias: str
    descending: bool
    entity_name: str = ""


@dataclass(frozen=True)
class Condition:
    """One `condition`; `value_of` names a column to compare with."""

    attribute: str
    operator: str
    values: tuple[str, ...]
    value_of: str = ""
    entity_name: str = ""


@dataclass(frozen=True)
class Filter:
    """A `filter`: conditions, filters, and links that only filter, joined by AND or OR."""

    word: str
    items: tuple[Condition | Filter | Entity, ...]


@dataclass(frozen=True)
class Entity:
    """The `entity`, or a `link-entity` with the columns it is joined by. Without attributes all of the entity come."""

    name: str
    attributes: tuple[Attribute, ...]
    every_attribute: bool
    orders: tuple[Order, ...]
    filters: tuple[Filter, ...]
    links: tuple[Entity, ...]
    alias: str = ""
    link_type: str = "inner"
    from_column: str = ""
    to_column: str = ""


@dataclass(frozen=True)
class Fetch:
    """A whole query. `count` is the page size, `cookie` the decoded paging cookie."""

    entity: Entity
    top: int | None
    count: int | None
    page: int
    cookie: str
    distinct: bool
    aggregate: bool
    aggregate_limit: int | None
    total: bool
    raw_order: bool


def parse_fetch(text: str) -> Fetch:
    """Return the query of a FetchXML text; raises ODataError 400 when it is none."""
    if not text.strip():
        raise refuse("empty")
    try:
        if "<!" in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL):
            raise refuse("xml")
        root = ElementTree.fromstring(text.strip())
    except ElementTree.ParseError:
        raise refuse("xml") from None
    entity = root.find("entity")
    if root.tag != "fetch" or entity is None or not entity.get("name"):
        raise refuse("no entity")
    if root.get("datasource") == "retained":
        raise refuse("retained", name=entity.get("name"))
    _check(root)
    links, conditions = (sum(1 for _ in root.iter(name)) for name in ("link-entity", "condition"))
    if links > _MOST_LINKS:
        raise refuse("links")
    if links + conditions > _MOST_CONDITIONS:
        raise refuse("conditions")
    return _fetch(root, entity)


def _check(element: Element, depth: int = 0) -> None:
    valid = _CHILDREN[element.tag]
    if depth > _DEEPEST:
        raise refuse("xml")
    for child in element:
        if child.tag not in valid:
            xml = ElementTree.tostring(child, "unicode").strip()
            raise refuse("child", valid=", ".join(valid), name=child.tag, xml=xml)
        _check(child, depth + 1)


def _fetch(root: Element, entity: Element) -> Fetch:
    top = _whole(root, "top", 1, _LARGEST_TOP)
    for name in ("page", "count", "paging-cookie"):
        if top is not None and root.get(name):
            raise refuse("top", name=name)
    if top is not None and _true(root, "returntotalrecordcount"):
        raise refuse("top", name="returntotalrecordcount")
    return Fetch(
        entity=_entity(entity),
        top=top,
        count=_whole(root, "count", 1, _LARGEST),
        page=_whole(root, "page", 1, _LARGEST) or 1,
        cookie=root.get("paging-cookie", ""),
        distinct=_true(root, "distinct"),
        aggregate=_true(root, "aggregate"),
        aggregate_limit=_whole(root, "aggregatelimit", 1, _LARGEST),
        total=_true(root, "returntotalrecordcount"),
        raw_order=_true(root, "useraworderby"),
    )


def _entity(element: Element) -> Entity:
    return Entity(
        name=_needed(element, "name"),
        attributes=tuple(_attribute(child) for child in element.findall("attribute")),
        every_attribute=element.find("all-attributes") is not None
        or (element.tag == "entity" and element.find("attribute") is None and element.find("no-attrs") is None),
        orders=tuple(_order(child) for child in element.findall("order")),
        filters=tuple(_filter(child) for child in element.findall("filter")),
        links=tuple(_entity(child) for child in element.findall("link-entity")),
        alias=_alias(element),
        link_type=element.get("link-type") or "inner",
        from_column=element.get("from", ""),
        to_column=element.get("to", ""),
    )


def _attribute(element: Element) -> Attribute:
    return Attribute(
        name=_needed(element, "name"),
        alias=_alias(element),
        aggregate=element.get("aggregate", ""),
        distinct=_true(element, "distinct"),
        group=_true(element, "groupby"),
        date_grouping=element.get("dategrouping", ""),
        row_aggregate=element.get("rowaggregate", ""),
    )


def _order(element: Element) -> Order:
    attribute, alias = element.get("attribute", ""), element.get("alias", "")
    if not attribute and not alias:
        raise refuse("missing", name="order", attribute="attribute")
    return Order(attribute, alias, _true(element, "descending"), element.get("entityname", ""))


def _filter(element: Element) -> Filter:
    word = element.get("type", "and")
    if word not in ("and", "or"):
        raise refuse("value", value=word, attribute="type", name="filter")
    return Filter(word, tuple(_items(element)))


def _items(element: Element) -> Iterator[Condition | Filter | Entity]:
    for child in element:
        if child.tag == "condition":
            yield _condition(child)
        else:
            yield _filter(child) if child.tag == "filter" else _entity(child)


def _condition(element: Element) -> Condition:
    values = tuple(child.text or "" for child in element.findall("value"))
    if not values and element.get("value") is not None:
        values = (element.get("value", ""),)
    return Condition(
        attribute=_needed(element, "attribute"),
        operator=_needed(element, "operator"),
        values=values,
        value_of=element.get("valueof", ""),
        entity_name=element.get("entityname", ""),
    )


def _alias(element: Element) -> str:
    alias = element.get("alias", "")
    if alias and not _ALIAS.fullmatch(alias):
        raise refuse("bad alias", name=alias)
    return alias


def _needed(element: Element, attribute: str) -> str:
    value = element.get(attribute)
    if not value:
        raise refuse("missing", name=element.tag, attribute=attribute)
    return value


def _true(element: Element, attribute: str) -> bool:
    value = element.get(attribute, "false")
    if value not in ("true", "false", "1", "0"):
        raise refuse("value", value=value, attribute=attribute, name=element.tag)
    return value in ("true", "1")


def _whole(element: Element, attribute: str, low: int, high: int) -> int | None:
    value = element.get(attribute)
    if value is None or value == "":
        return None
    if not re.fullmatch(r"\d{1,10}", value) or not low <= int(value) <= high:
        raise refuse("value", value=value, attribute=attribute, name=element.tag)
    return int(value)
