"""FetchXML conditions as SQL: the operators of section 4.10, with the null rules of section 4.3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy_dynamics.sandbox.fetch_failures import refuse
from sqlalchemy_dynamics.sandbox.fetch_nodes import Node, Nodes
from sqlalchemy_dynamics.sandbox.fetchxml import Condition, Entity, Filter
from sqlalchemy_dynamics.sandbox.functions import BUILDERS, Call, stored_text
from sqlalchemy_dynamics.sandbox.nodes import Literal
from sqlalchemy_dynamics.sandbox.predicates import like, same_scale
from sqlalchemy_dynamics.sandbox.schema import TEXTS
from sqlalchemy_dynamics.sandbox.scope import Reference, Scope, Sql
from sqlalchemy_dynamics.sandbox.values import KINDS, edm_type

__all__ = ["OPERATORS", "all_of", "compile_items"]

_SIGNS = {"eq": "=", "ne": "<>", "neq": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_PATTERNS = {
    "like": ("{}", False),
    "not-like": ("{}", True),
    "begins-with": ("{}%", False),
    "not-begin-with": ("{}%", True),
    "ends-with": ("%{}", False),
    "not-end-with": ("%{}", True),
}
_NULLS = {"null": "IS NULL", "not-null": "IS NOT NULL"}
_LISTS = {
    "in": "In",
    "not-in": "NotIn",
    "between": "Between",
    "not-between": "NotBetween",
    "contain-values": "ContainValues",
    "not-contain-values": "DoesNotContainValues",
}
_SPANS = ("hours", "days", "weeks", "months", "years")
_NUMBERED = {
    **{f"last-x-{unit}": f"LastX{unit.title()}" for unit in _SPANS},
    **{f"next-x-{unit}": f"NextX{unit.title()}" for unit in _SPANS},
    **{f"olderthan-x-{unit}": f"OlderThanX{unit.title()}" for unit in ("minutes", *_SPANS)},
    **{
        f"{word}-x-fiscal-{unit}s": f"{word.title()}XFiscal{unit.title()}s"
        for word in ("last", "next")
        for unit in ("year", "period")
    },
    "in-fiscal-year": "InFiscalYear",
    "in-fiscal-period": "InFiscalPeriod",
}
_VALUED = {
    "on": "On",
    "on-or-before": "OnOrBefore",
    "on-or-after": "OnOrAfter",
    "under": "Under",
    "eq-or-under": "UnderOrEqual",
    "not-under": "NotUnder",
    "above": "Above",
    "eq-or-above": "AboveOrEqual",
    **_NUMBERED,
}
_PAIRS = {
    "in-fiscal-period-and-year": "InFiscalPeriodAndYear",
    "in-or-before-fiscal-period-and-year": "InOrBeforeFiscalPeriodAndYear",
    "in-or-after-fiscal-period-and-year": "InOrAfterFiscalPeriodAndYear",
}
_PLAIN = {
    "yesterday": "Yesterday",
    "today": "Today",
    "tomorrow": "Tomorrow",
    "last-seven-days": "Last7Days",
    "next-seven-days": "Next7Days",
    **{
        f"{word}-{unit}": f"{word.title()}{unit.title().replace('-', '')}"
        for word in ("last", "this", "next")
        for unit in ("week", "month", "year", "fiscal-year", "fiscal-period")
    },
    "eq-userid": "EqualUserId",
    "ne-userid": "NotEqualUserId",
    "eq-businessid": "EqualBusinessId",
    "ne-businessid": "NotEqualBusinessId",
    "eq-userlanguage": "EqualUserLanguage",
    "eq-userteams": "EqualUserTeams",
    "eq-useroruserteams": "EqualUserOrUserTeams",
    "eq-useroruserhierarchy": "EqualUserOrUserHierarchy",
    "eq-useroruserhierarchyandteams": "EqualUserOrUserHierarchyAndTeams",
}
OPERATORS = (*_SIGNS, *_PATTERNS, *_NULLS, *_LISTS, *_VALUED, *_PAIRS, *_PLAIN)
"""Every operator there is."""
Linked = Callable[[Node, Entity], Sql]
"""Compiles a link inside a filter."""


def all_of(parts: Sequence[Sql], word: str = "and") -> Sql:
    """Return the conditions joined by AND or OR; nothing is true."""
    if not parts:
        return Sql("1")
    text = f" {word.upper()} ".join(part.text for part in parts)
    return Sql(f"({text})", tuple(p for part in parts for p in part.parameters))


def compile_items(node: Node, nodes: Nodes, found: Filter, linked: Linked) -> Sql:
    """Return the condition of a filter of `node`."""
    parts: list[Sql] = []
    for item in found.items:
        if isinstance(item, Condition):
            parts.append(_condition(node, nodes, item))
        elif isinstance(item, Filter):
            parts.append(compile_items(node, nodes, item, linked))
        else:
            parts.append(linked(node, item))
    return all_of(parts, found.word)


def _condition(node: Node, nodes: Nodes, condition: Condition) -> Sql:
    owner = nodes.find(condition.entity_name) if condition.entity_name else node
    reference, operator = owner.shown(condition.attribute), condition.operator
    if condition.value_of:
        return _columns(owner, nodes, reference, condition)
    if operator in _SIGNS:
        return _compare(owner, reference, operator, _single(owner, condition))
    if operator in _NULLS:
        return Sql(f"{reference.sql} {_NULLS[operator]}")
    if operator in _PATTERNS:
        return _pattern(owner, reference, condition)
    return _function(owner, reference, condition)


def _single(node: Node, condition: Condition) -> str:
    if not condition.values:
        raise refuse("no value", name=f"{node.table.name}.{condition.attribute}")
    return condition.values[0]


def _stored(node: Node, reference: Reference, text: str) -> object:
    column = reference.column
    if column.kind == "EntityName" and text.isdigit():
        tables = node.service.organisation.tables.values()
        return next((table.name for table in tables if table.object_type_code == int(text)), text)
    return stored_text(column, text)


def _compare(node: Node, reference: Reference, operator: str, text: str) -> Sql:
    kind = KINDS[reference.column.kind]
    wrap = kind.equal if operator in ("eq", "ne", "neq") else kind.order
    sql = f"{wrap(reference.sql)} {_SIGNS[operator]} {wrap('?')}"
    if operator in ("ne", "neq") and node.service.switches.ne_returns_nulls:
        sql = f"({sql} OR {reference.sql} IS NULL)"
    return Sql(sql, (_stored(node, reference, text),))


def _columns(node: Node, nodes: Nodes, left: Reference, condition: Condition) -> Sql:
    alias, _, name = condition.value_of.rpartition(".")
    right = (nodes.find(alias) if alias else node).reference(name)
    if condition.operator not in _SIGNS:
        raise refuse("operator", name=condition.operator)
    if edm_type(left.column) != edm_type(right.column):
        raise refuse("compared types", name=condition.attribute, other=condition.value_of)
    side = "equal" if condition.operator in ("eq", "ne", "neq") else "order"
    near, far = same_scale(left, right, side), same_scale(right, left, side)
    sql = f"{near} {_SIGNS[condition.operator]} {far}"
    if condition.operator in ("ne", "neq") and node.service.switches.column_ne_is_one_sided:
        sql = f"({sql} OR {left.sql} IS NULL)"
    return Sql(sql)


def _pattern(node: Node, reference: Reference, condition: Condition) -> Sql:
    column = reference.column
    if column.kind not in TEXTS:
        kind = KINDS[column.kind].attribute_type
        raise refuse("operator type", operator=condition.operator, name=column.name, kind=kind)
    pattern, negated = _PATTERNS[condition.operator]
    return like(reference, pattern.format(_single(node, condition)), negated)


def _function(node: Node, reference: Reference, condition: Condition) -> Sql:
    operator = condition.operator
    arguments: Mapping[str, Literal]
    if operator in _LISTS:
        values = [
            str(_stored(node, reference, v)) if reference.column.kind == "EntityName" else v for v in condition.values
        ]
        name, arguments = _LISTS[operator], {"PropertyValues": Literal("list", values)}
    elif operator in _VALUED:
        name, arguments = _VALUED[operator], {"PropertyValue": Literal("string", _single(node, condition))}
    elif operator in _PAIRS:
        if len(condition.values) != 2:
            raise refuse("no value", name=f"{node.table.name}.{condition.attribute}")
        numbered = enumerate(condition.values, 1)
        name, arguments = _PAIRS[operator], {f"PropertyValue{n}": Literal("string", v) for n, v in numbered}
    elif operator in _PLAIN:
        name, arguments = _PLAIN[operator], {}
    else:
        raise refuse("operator", name=operator)
    return BUILDERS[name](Call(name, reference, arguments, Scope(node.service, node.table, node.sql)))
