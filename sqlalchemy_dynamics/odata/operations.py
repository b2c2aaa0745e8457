"""A function or action as a request: values of Edm types as literals, enumerations named, the rest as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from sqlalchemy_dynamics.odata.literals import literal
from sqlalchemy_dynamics.odata.messages import HttpRequest

__all__ = ["NAMESPACE", "Typed", "call_action", "call_function", "json_text"]

NAMESPACE = "Microsoft.Dynamics.CRM"
_encoder = msgspec.json.Encoder(decimal_format="number")

Typed = tuple[object, str, bool]
"""A value as JSON has it, its type (Edm.*, or the bare name of one of the organisation), whether it is a list."""


def json_text(value: object) -> str:
    """Return JSON; decimals keep all their digits."""
    return _encoder.encode(value).decode()


def call_function(path: str, name: str, values: Mapping[str, Typed], enumerations: Mapping[str, Any]) -> HttpRequest:
    """Return the GET of a function, its arguments as aliases: ``Name(A=@p1)?@p1='x'``."""
    names = ",".join(f"{each}=@p{number}" for number, each in enumerate(values, start=1))
    texts = (_literal(typed, enumerations) for typed in values.values())
    aliases = "&".join(f"@p{number}={quote(text, safe='')}" for number, text in enumerate(texts, start=1))
    return HttpRequest("GET", f"{_path(path, name)}({names})" + (f"?{aliases}" if aliases else ""), repeatable=True)


def call_action(path: str, name: str, values: Mapping[str, Typed], headers: Mapping[str, str]) -> HttpRequest:
    """Return the POST of an action, its arguments in the body."""
    body = {each: value for each, (value, _, _) in values.items()}
    return HttpRequest("POST", _path(path, name), headers, _encoder.encode(body))


def _path(path: str, name: str) -> str:
    """What is bound is called by its full name (dataverse-web-api: functions)."""
    return f"{path}/{NAMESPACE}.{name}" if path else name


def _literal(typed: Typed, enumerations: Mapping[str, Any]) -> str:
    value, kind, collection = typed
    if value is None:
        return "null"
    if kind in enumerations and not collection:
        return f"{NAMESPACE}.{kind}'{value}'"
    if kind.startswith("Edm.") and not collection:
        return literal(value, kind)
    return json_text(value)
