"""`$filter` over definitions: comparisons joined by and, or, not; no functions (section 3.1)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy_dynamics.sandbox.definitions_types import members_of
from sqlalchemy_dynamics.sandbox.failures import Refused, bad_request, unknown_property
from sqlalchemy_dynamics.sandbox.grammar import parse_filter
from sqlalchemy_dynamics.sandbox.nodes import And, Call, Compare, Custom, Lambda, Literal, Node, Not, Or, Path
from sqlalchemy_dynamics.sandbox.switches import Switches

__all__ = ["Test", "compile_test"]

Test = Callable[[Mapping[str, object]], bool]
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def compile_test(text: str, declared: str, aliases: Mapping[str, str], switches: Switches) -> Test:
    """Return what decides whether a definition's members pass; raises ODataError for functions and unknown names."""
    ours = replace(switches, filter_function=switches.metadata_function)
    return _test(parse_filter(text, aliases, ours), declared, ours)


def _test(node: Node, declared: str, switches: Switches) -> Test:
    if isinstance(node, And | Or):
        tests = [_test(item, declared, switches) for item in node.items]
        joined = all if isinstance(node, And) else any
        return lambda members: joined(test(members) for test in tests)
    if isinstance(node, Not):
        inner = _test(node.item, declared, switches)
        return lambda members: not inner(members)
    if isinstance(node, Call | Custom):
        raise Refused(switches.metadata_function, name=node.name)
    if isinstance(node, Lambda):
        raise Refused(switches.metadata_function, name=node.quantifier)
    if isinstance(node, Path):
        node = Compare("eq", node, Literal("bool", True))
    if not isinstance(node, Compare):
        raise bad_request("The $filter expression must evaluate to a single boolean value.")
    return _comparison(node, declared)


def _comparison(node: Compare, declared: str) -> Test:
    if not isinstance(node.left, Path) or not isinstance(node.right, Literal):
        raise bad_request("Definitions are filtered by a property and a constant.", "0x80060888")
    path, wanted = node.left.parts, _constant(node.right)
    if path[0] not in members_of(declared):
        raise unknown_property(path[0], declared)
    return lambda members: _compare(node.op, _read(members, path, declared), wanted)


def _constant(literal: Literal) -> object:
    if literal.kind == "decimal":
        return float(str(literal.value))
    return str(literal.value).lower() if literal.kind == "guid" else literal.value


def _read(members: Mapping[str, object], path: tuple[str, ...], declared: str) -> object:
    value: object = members
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            raise unknown_property(name, declared)
        value = value[name]
    if isinstance(value, Mapping | list):
        raise bad_request(f"The property '{'/'.join(path)}' cannot be filtered by.", "0x80060888")
    return value


def _compare(op: str, value: object, wanted: object) -> bool:
    if isinstance(value, str) and isinstance(wanted, bool):
        return False
    if op in ("eq", "ne"):
        return (value == wanted) is (op == "eq")
    if value is None or wanted is None:
        return False
    try:
        return _OPERATORS[op](value, wanted)
    except TypeError:
        raise bad_request(f"A '{type(value).__name__}' cannot be compared with '{wanted}'.") from None
