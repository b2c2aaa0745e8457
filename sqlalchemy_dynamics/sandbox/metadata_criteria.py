"""The criteria of a metadata query: conditions on members of a definition (section 3.6)."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy_dynamics.sandbox.failures import bad_request

__all__ = ["passes"]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "In": lambda value, wanted: value in wanted,
    "NotIn": lambda value, wanted: value not in wanted,
    "GreaterThan": operator.gt,
    "LessThan": operator.lt,
}
_READERS: dict[str, Callable[[str], object]] = {
    "System.Boolean": lambda text: text.strip().lower() == "true",
    "System.Int32": int,
    "System.Int64": int,
    "System.Guid": str.lower,
}


def passes(criteria: object, members: Mapping[str, object]) -> bool:
    """Return whether the members of a definition meet the criteria; no criteria are met. Raises ODataError 400."""
    if not isinstance(criteria, Mapping):
        return True
    tests = [_holds(condition, members) for condition in _list(criteria, "Conditions")]
    tests += [passes(inner, members) for inner in _list(criteria, "Filters")]
    return any(tests) if criteria.get("FilterOperator") == "Or" and tests else all(tests)


def _list(criteria: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = criteria.get(name) or []
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _holds(condition: Mapping[str, object], members: Mapping[str, object]) -> bool:
    name = str(condition.get("PropertyName"))
    compare = _OPERATORS.get(str(condition.get("ConditionOperator")))
    if name not in members or compare is None:
        raise bad_request(f"The condition on '{name}' is not valid for this metadata query.", "0x80040203")
    value = members[name]
    value = value.get("Value") if isinstance(value, Mapping) else value
    wanted = _wanted(condition.get("Value"))
    try:
        return compare(value, wanted)
    except TypeError:
        return False


def _wanted(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    kind, value = str(given.get("Type", "")), given.get("Value")
    try:
        if not kind.endswith("[]"):
            return _one(kind, value)
        items = json.loads(value) if isinstance(value, str) else value
        return [_one(kind.removesuffix("[]"), item) for item in items] if isinstance(items, list) else []
    except ValueError:
        raise bad_request(f"The value '{value}' is no {kind}.", "0x80040203") from None


def _one(kind: str, value: object) -> object:
    reader = _READERS.get(kind)
    return reader(value) if reader is not None and isinstance(value, str) else value
