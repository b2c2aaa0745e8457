"""`$filter` text to tokens, and the constants that tokens are (section 4.2)."""

from __future__ import annotations

import json
import re

from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request
from sqlalchemy_dynamics.sandbox.nodes import Literal

__all__ = ["Token", "invalid_json", "literal", "tokens_of", "unquoted"]

Token = tuple[str, str, int]
"""Kind, text and position."""
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<double>-?\d+(?:\.\d+)?[eE][+-]?\d+)
    |(?P<decimal>-?\d+\.\d+[mMdDfF]?)
    |(?P<int>-?\d+[lLmM]?)
    |(?P<string>'(?:[^']|'')*')
    |(?P<list>\[(?:"(?:[^"\\]|\\.)*"|[^\[\]"])*\])
    |(?P<alias>@[A-Za-z_]\w*)
    |(?P<name>[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)
    |(?P<mark>[(),:=/-])
    )""",
    re.VERBOSE,
)


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text, an ``end`` behind the last; raises ODataError for what is none."""
    position, found = 0, list[Token]()
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            if text[start] == "'":
                raise bad_request(f"There is an unterminated literal at position {len(text)} in '{text}'.")
            what = f"character '{text[start]}' is not valid at position {start} in '{text}'."
            raise bad_request(f"Syntax error: {what}")
        kind = str(match.lastgroup)
        found.append((kind, match[kind], match.start(kind)))
        position = match.end()
    found.append(("end", "", len(text)))
    return found


def unquoted(text: str) -> str:
    """Return what a literal in apostrophes says."""
    return text[1:-1].replace("''", "'")


def literal(kind: str, text: str) -> Literal:
    """Return the constant that a token is; raises ODataError for a list that is no JSON."""
    if kind == "string":
        return Literal(kind, unquoted(text))
    if kind == "int":
        return Literal("decimal", text[:-1]) if text[-1] in "mM" else Literal("int", int(text.rstrip("lL")))
    if kind == "decimal":
        return Literal("decimal", text.rstrip("mMdDfF"))
    if kind == "bool":
        return Literal(kind, text == "true")
    if kind == "list":
        return Literal(kind, _list(text))
    return Literal(kind, None if kind == "null" else float(text) if kind == "double" else text)


def _list(text: str) -> list[object]:
    try:
        return list(json.loads(text))
    except ValueError:
        single = text.replace("'", '"')
        try:
            return list(json.loads(single))
        except ValueError:
            raise invalid_json() from None


def invalid_json() -> ODataError:
    """Return the 400 for a list that is no JSON."""
    return bad_request(
        "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and "
        "properties of an object must be separated by commas."
    )
