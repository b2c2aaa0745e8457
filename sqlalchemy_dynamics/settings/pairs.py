"""``A=1;B="x;y"``: the text form of properties. A value is taken as it stands unless it begins with a double quote."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy_dynamics.errors import InterfaceError

__all__ = ["join", "quote", "split"]

_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?:;|\Z)')
_BARE = re.compile(r"([^;]*)(?:;|\Z)")
_NEEDS_QUOTES = re.compile(r'\A(?:\s|")|;|\s\Z|\A\Z')


def split(text: str) -> list[tuple[str, str]]:
    """Names and values of `text`, in its order. Inside quotes a quote is doubled; unquoted empty values are left out.

    Raises InterfaceError naming the property, never a value.
    """
    pairs: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        equals = text.find("=", position)
        name = text[position : equals if equals >= 0 else len(text)]
        if not name.split(";")[0].strip():
            position += len(name.split(";")[0]) + 1
            continue
        if equals < 0 or ";" in name:
            raise InterfaceError(_no_equals(pairs))
        value, position = _value(name.strip(), text, equals + 1)
        if value is not None:
            pairs.append((name.strip(), value))
    return pairs


def _value(name: str, text: str, start: int) -> tuple[str | None, int]:
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted.group(1).replace('""', '"'), quoted.end()
    if text[start:].lstrip().startswith('"'):
        raise InterfaceError(
            f'{name}: a value that begins with a double quote must end with one, with quotes inside doubled ("")'
        )
    bare = _BARE.match(text, start)
    assert bare is not None
    return bare.group(1) or None, bare.end()


def _no_equals(pairs: list[tuple[str, str]]) -> str:
    after = f"what follows {pairs[-1][0]}" if pairs else "the beginning of the properties"
    return f'{after}: expected Name=Value; a value that holds a semicolon is written in double quotes ("a;b")'


def quote(value: str) -> str:
    """`value` as `split` reads it back."""
    return '"' + value.replace('"', '""') + '"' if _NEEDS_QUOTES.search(value) else value


def join(pairs: Iterable[tuple[str, str]]) -> str:
    """The inverse of `split`."""
    return ";".join(f"{name}={quote(value)}" for name, value in pairs)
