"""EXEC and CALL of any function or action of `$metadata`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy_dynamics.edm import BIGINT, BOOLEAN, DOUBLE, EDM_TYPES, VARCHAR, SqlType
from sqlalchemy_dynamics.errors import (
    AuthenticationError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy_dynamics.execute.calls import Caller, Procedure
from sqlalchemy_dynamics.execute.result import ListResult, Result, ResultColumn, no_rows
from sqlalchemy_dynamics.metadata.operations import Operation, Operations, Parameter, parse_operations
from sqlalchemy_dynamics.odata.changes import row_address
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.odata.operations import Typed, call_action, call_function
from sqlalchemy_dynamics.session.cache import ProcessCache

__all__ = ["find_operation"]

_TARGET = "Target"
_ROW = re.compile(r"\s*(\w+)\s*\(\s*([^)]*?)\s*\)\s*")
_METADATA = HttpRequest("GET", "$metadata", {"Accept": "application/xml"}, repeatable=True)
_KNOWN: ProcessCache[Operations] = ProcessCache(16)
_BASES = frozenset({"crmbaseentity", "crmmodelbaseentity", "principal"})
_GUESSED: Mapping[type, SqlType] = {bool: BOOLEAN, int: BIGINT, Decimal: DOUBLE}


def find_operation(caller: Caller, name: str) -> Procedure | None:
    """Return the function or action of that name, in any case; None where there is none, or without a token.

    The first one of an organisation reads `$metadata`.
    """
    try:
        known = _operations(caller)
    except (InterfaceError, AuthenticationError):
        return None
    found = known.by_name.get(name.lower())
    if not found:
        return None
    inputs = dict.fromkeys(parameter.name for each in found for parameter in each.parameters)
    if any(each.target is not None for each in found):
        inputs = {_TARGET: None, **inputs}
    return Procedure(found[0].name, tuple(inputs), lambda given: _run(caller, known, found, given))


def _operations(caller: Caller) -> Operations:
    session = caller.session
    key = (session.key, caller.catalog.stamp)
    return _KNOWN.get(key, lambda: parse_operations(session.send(_METADATA).body))


def _run(caller: Caller, known: Operations, found: tuple[Operation, ...], given: Mapping[str, Any]) -> Result:
    values = {name.lower(): _plain(value) for name, value in given.items()}
    target = values.pop(_TARGET.lower(), None)
    operation, path = _chosen(caller, found, target)
    if caller.session.settings.flag("ReadOnly") and not operation.is_function:
        raise NotSupportedError("the connection is read-only: set ReadOnly=false to call an action")
    typed = _typed(operation, values)
    address_of = _addresses(caller)
    if operation.is_function:
        request = call_function(path, operation.name, typed, address_of, known.enumerations)
    else:
        request = call_action(path, operation.name, typed, address_of)
    return _answer(caller.session.send(request).body, operation.returns, known)


def _plain(value: Any) -> Any:
    """Arguments come as texts that hide themselves from logs; the wire wants them bare."""
    return "".join(value) if isinstance(value, str) else value


def _chosen(caller: Caller, found: tuple[Operation, ...], target: Any) -> tuple[Operation, str]:
    name = found[0].name
    if target is None:
        unbound = next((each for each in found if each.target is None), None)
        if unbound is None:
            kinds = ", ".join(sorted({each.target.type for each in found if each.target}))
            raise ProgrammingError(f"{name} works on a row: give @Target = 'table(id)'; it takes {kinds}")
        return unbound, ""
    row = _ROW.fullmatch(str(target))
    table = caller.catalog.model().table(row[1] if row else str(target))
    bound = [each for each in found if each.target is not None and each.target.collection is (row is None)]
    fitting = [each for each in bound if table is not None and each.target and each.target.type in _kinds(table.name)]
    if table is None or not fitting:
        raise ProgrammingError(f"{name} does not work on {target}: give @Target = 'table(id)', or a table's name")
    return fitting[0], row_address(table.entity_set, _guid(row[2])) if row else table.entity_set


def _kinds(table: str) -> frozenset[str]:
    return _BASES | {table}


def _guid(text: str) -> str:
    return str(convert(text, "Edm.Guid"))


def _typed(operation: Operation, values: Mapping[str, Any]) -> dict[str, Typed]:
    names = {parameter.name.lower(): parameter for parameter in operation.parameters}
    unknown = next((name for name in values if name not in names), None)
    if unknown is not None:
        raise ProgrammingError(
            f"{operation.name} has no input {unknown}; it has {', '.join(map(_name, names.values()))}"
        )
    return {names[each].name: (value, names[each].type, names[each].collection) for each, value in values.items()}


def _name(parameter: Parameter) -> str:
    return parameter.name


def _addresses(caller: Caller) -> Callable[[str, str], str | None]:
    model = caller.catalog.model()

    def address_of(kind: str, text: str) -> str | None:
        row = _ROW.fullmatch(text)
        table = model.table(row[1] if row else kind)
        if table is None or not table.entity_set:
            return None
        return row_address(table.entity_set, _guid(row[2] if row else text))

    return address_of


def _answer(body: bytes, returns: Parameter | None, known: Operations) -> Result:
    if not body:
        return no_rows(-1)
    try:
        reply = json.loads(body, parse_float=Decimal)
    except ValueError:
        raise OperationalError("the reply is not JSON; check OrganizationUrl and the proxy") from None
    rows = reply["value"] if isinstance(reply, dict) and isinstance(reply.get("value"), list) else [reply]
    objects = [row if isinstance(row, dict) else {"value": row} for row in rows]
    types = known.complex_types.get(returns.type, {}) if returns is not None else {}
    names = dict.fromkeys(name for row in objects for name in row if "@" not in name)
    columns = [ResultColumn(name, _type(types.get(name), [row.get(name) for row in objects])) for name in names]
    return ListResult(columns, [tuple(_value(row.get(each.name), each.type) for each in columns) for row in objects])


def _type(declared: Parameter | None, values: list[Any]) -> SqlType:
    if declared is not None and not declared.collection and declared.type in EDM_TYPES:
        return EDM_TYPES[declared.type]
    kinds = {type(value) for value in values if value is not None}
    return _GUESSED.get(kinds.pop(), VARCHAR) if len(kinds) == 1 else VARCHAR


_EDM_OF = {kind: name for name, kind in reversed(EDM_TYPES.items())}


def _value(value: Any, kind: SqlType) -> Any:
    if value is None:
        return None
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=float)
    return convert(value if kind != VARCHAR else str(value), _EDM_OF[kind])
