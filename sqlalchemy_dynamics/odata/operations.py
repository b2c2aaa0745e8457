"""A function or action as a request: values typed by their Edm type, references as addresses, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from sqlalchemy_dynamics.errors import DataError
from sqlalchemy_dynamics.odata.literals import convert, json_value, literal
from sqlalchemy_dynamics.odata.messages import HttpRequest

__all__ = ["Typed", "call_action", "call_function"]

_NAMESPACE = "Microsoft.Dynamics.CRM"
_encoder = msgspec.json.Encoder(decimal_format="number")

Typed = tuple[object, str, bool]
"""A value, its type (Edm.* or a bare name), and whether it is a collection of that type."""
AddressOf = Callable[[str, str], str | None]
"""(type, ``account(guid)`` or a guid) to the row's address, None when the type is no table."""


def call_function(
    path: str, name: str, values: Mapping[str, Typed], address_of: AddressOf, enumerations: frozenset[str]
) -> HttpRequest:
    """Return the GET of a function, its arguments as aliases: ``Name(A=@p1)?@p1='x'``."""
    names = ",".join(f"{each}=@p{number}" for number, each in enumerate(values, start=1))
    texts = (_literal(each, value, address_of, enumerations) for each, value in values.items())
    aliases = "&".join(f"@p{number}={quote(text, safe='')}" for number, text in enumerate(texts, start=1))
    full = f"{path}/{_NAMESPACE}.{name}" if path else name
    return HttpRequest("GET", f"{full}({names})" + (f"?{aliases}" if aliases else ""), repeatable=True)


def call_action(path: str, name: str, values: Mapping[str, Typed], address_of: AddressOf) -> HttpRequest:
    """Return the POST of an action, its arguments in the body."""
    full = f"{path}/{_NAMESPACE}.{name}" if path else name
    body = {each: _json(each, value, address_of) for each, value in values.items()}
    return HttpRequest("POST", full, {}, _encoder.encode(body))


def _literal(name: str, typed: Typed, address_of: AddressOf, enumerations: frozenset[str]) -> str:
    value, kind, collection = typed
    if value is None:
        return "null"
    if kind in enumerations and not collection:
        return f"{_NAMESPACE}.{kind}'{value}'"
    if kind.startswith("Edm.") and not collection:
        return literal(value, kind)
    return json.dumps(_json(name, typed, address_of), ensure_ascii=False, separators=(",", ":"), default=str)


def _json(name: str, typed: Typed, address_of: AddressOf) -> Any:
    value, kind, collection = typed
    if value is None:
        return None
    if collection:
        items = _read(name, value) if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)):
            raise DataError(f"{name} takes a list, or the text of a JSON array")
        return [_json(name, (item, kind, False), address_of) for item in items]
    if kind.startswith("Edm."):
        return json_value(convert(value, kind), kind)
    address = address_of(kind, value) if isinstance(value, str) and not value.lstrip().startswith("{") else None
    if address is not None:
        return {"@odata.id": address}
    return _read(name, value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else value


def _read(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise DataError(f"{name} takes JSON text, which this is not") from None
