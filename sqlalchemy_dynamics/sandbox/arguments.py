"""The arguments of a function or an action: named as declared, all that must be there, each of its type."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy_dynamics.sandbox.declared import ANY_ROW, Operation, Parameter
from sqlalchemy_dynamics.sandbox.declared_csdl import members_of
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, no_such_segment, payload_refusal
from sqlalchemy_dynamics.sandbox.schema import Organisation
from sqlalchemy_dynamics.sandbox.values import parse_date_time
from sqlalchemy_dynamics.sandbox.wire import Request, split_outside_quotes

__all__ = ["arguments_of", "function_arguments", "required"]

_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_RANGES = {"Int32": 2**31, "Int64": 2**63}


def required(body: Mapping[str, Any], name: str, operation: str) -> Any:
    """Return an argument; raises ODataError 400 (InvalidArgument) when it is missing or null."""
    if body.get(name) is None:
        raise ODataError(400, "0x80040203", f"Required field '{name}' is missing for RequestName='{operation}'")
    return body[name]


def arguments_of(organisation: Organisation, operation: Operation, request: Request) -> dict[str, Any]:
    """Return the arguments in the body of an action by name; numbers with a fraction are Decimals.

    Raises ODataError 400 for a parameter that is unknown or missing, or a value of another type.
    """
    whole = request.json() if request.body else {}
    exact = json.loads(request.body.decode("utf-8-sig"), parse_float=Decimal) if request.body else {}
    known = {parameter.name: parameter for parameter in operation.parameters}
    for name in whole:
        if name not in known and not name.startswith("@"):
            raise payload_refusal(
                f"The parameter '{name}' in the request payload is not a valid parameter for the operation "
                f"'{operation.name}'."
            )
    for name, parameter in known.items():
        if parameter.required:
            required(whole, name, operation.name)
        if whole.get(name) is not None:
            _check(organisation, parameter, exact[name])
    return {name: exact[name] if known[name].edm else whole[name] for name in whole if name in known}


def function_arguments(organisation: Organisation, operation: Operation, request: Request, text: str) -> dict[str, Any]:
    """Return the arguments between the parentheses of a function, aliases resolved.

    Names that do not fit are another function: 404. Raises ODataError 400 for a value of another type.
    """
    known = {parameter.name: parameter for parameter in operation.parameters}
    given = dict(_named(text, request.options))
    missing = {name for name, parameter in known.items() if not parameter.optional} - given.keys()
    if missing or not given.keys() <= known.keys():
        raise no_such_segment(operation.name)
    values = {name: _literal(known[name], value) for name, value in given.items()}
    for name, value in values.items():
        if value is not None:
            _check(organisation, known[name], value)
        elif known[name].required:
            required(values, name, operation.name)
    return values


def _named(text: str, options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for part in split_outside_quotes(text, ","):
        name, _, value = part.partition("=")
        if name.strip():
            bare = value.strip()
            yield name.strip(), options.get(bare, "null") if bare.startswith("@") else bare


def _literal(parameter: Parameter, text: str) -> Any:
    """Return the value of a literal: JSON for lists and rows (apostrophes pass for quotes), else OData's own."""
    text = text.strip()
    if text == "null":
        return None
    if text[:1] in ("[", "{"):
        for candidate in (text, text.replace("'", '"')):
            try:
                return json.loads(candidate, parse_float=Decimal)
            except ValueError:
                continue
        raise payload_refusal(f"The value of the parameter '{parameter.name}' is no valid JSON.")
    quoted = re.fullmatch(r"([\w.]*)'(.*)'", text, re.DOTALL)
    if quoted:
        return quoted[2].replace("''", "'")
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[+-]?\d+", text) and parameter.type in (*_RANGES, "Decimal", "Double"):
        return int(text)
    if re.fullmatch(r"[+-]?\d+\.\d+(?:[eE][+-]?\d+)?", text):
        return Decimal(text)
    return text if parameter.type in ("Guid", "DateTimeOffset") else (text,)


def _check(organisation: Organisation, parameter: Parameter, value: Any) -> None:
    if parameter.collection:
        if not isinstance(value, list):
            raise payload_refusal(f"The parameter '{parameter.name}' must be a collection.")
        for each in value:
            _check_one(organisation, parameter, each)
    else:
        _check_one(organisation, parameter, value)


def _check_one(organisation: Organisation, parameter: Parameter, value: Any) -> None:
    test = _TESTS.get(parameter.type)
    members = members_of(parameter.type)
    if test is not None:
        if not test(value):
            raise payload_refusal(
                f"Cannot convert the literal '{_shown(value)}' to the expected type '{parameter.edm}'."
            )
    elif members is not None:
        if not isinstance(value, str) or not {name.strip() for name in value.split(",")} <= members.keys():
            raise payload_refusal(f"Requested value '{_shown(value)}' was not found.")
    else:
        _check_row(organisation, parameter, value)


def _check_row(organisation: Organisation, parameter: Parameter, value: Any) -> None:
    if not isinstance(value, dict):
        raise payload_refusal(
            f"An object was expected for the parameter '{parameter.name}' of type '{NAMESPACE}.{parameter.type}'."
        )
    kind = str(value.get("@odata.type", "")).lstrip("#").removeprefix(f"{NAMESPACE}.")
    if parameter.type == ANY_ROW and not kind and "@odata.id" not in value:
        raise payload_refusal(
            f"The parameter '{parameter.name}' of type '{NAMESPACE}.{ANY_ROW}' needs the annotation '@odata.type'."
        )
    if kind and parameter.type in organisation.tables and kind != parameter.type:
        raise payload_refusal(
            f"A value with type '{NAMESPACE}.{kind}' was found for the parameter '{parameter.name}', which takes "
            f"'{NAMESPACE}.{parameter.type}'."
        )


def _shown(value: Any) -> str:
    return json.dumps(value, default=str) if isinstance(value, (dict, list)) else str(value)


def _is_whole(limit: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _is_binary(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return False
    return True


_TESTS: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Guid": lambda value: isinstance(value, str) and _GUID.fullmatch(value) is not None,
    "DateTimeOffset": lambda value: isinstance(value, str) and parse_date_time(value) is not None,
    "Binary": _is_binary,
    "Decimal": _is_number,
    "Double": _is_number,
    **{name: _is_whole(limit) for name, limit in _RANGES.items()},
}
