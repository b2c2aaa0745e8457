"""`[name]` put in double quotes, where a bracket is none of a list, an array or a subscript."""

from __future__ import annotations

import re

__all__ = ["quoted_names"]

_PIECES = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`"""  # texts and quoted names
    r"""|--[^\n]*|/\*.*?\*/|(?P<dollar>\$\w*\$).*?(?P=dollar)"""  # comments, dollar-quoted texts
    r"""|\[(?P<inside>(?:[^\[\]]|\]\])*)\](?!\])""",
    re.DOTALL,
)
_WORD_BEFORE = re.compile(r"(\w+)\s*$")
_LISTED = re.compile(r"\s*(?:$|['(\[{$?:@\d+-]|.*\bfor\b.*\bin\b)", re.DOTALL | re.IGNORECASE)
_CLOSERS = tuple(")]\"'`")
_LONGEST_NAME = 200
_KEYWORDS = """
    all and as asc between by case desc distinct else end except from full group having in inner intersect into is join
    left like limit not on or order outer returning right select set table then union update using values when where
    with
"""
_NOT_INDEXED = frozenset(_KEYWORDS.split())


def quoted_names(sql: str) -> str:
    """Return the text with `[name]` as `"name"`, as long as it was unless the name holds quotes.

    A bracket right behind a name or a closing bracket is a subscript (`name[1]`), one with a value first or several
    names inside is a list (`[1, 2]`, `ARRAY[a, b]`); those stay.
    """
    if "[" not in sql:
        return sql
    parts: list[str] = []
    position = 0
    while (found := _PIECES.search(sql, position)) is not None:
        inside, start, end = found["inside"], found.start(), found.end()
        if inside is None:
            parts.append(sql[position:end])
        elif _is_value(sql[max(0, start - _LONGEST_NAME) : start], inside):
            end = start + 1
            parts.append(sql[position:end])
        else:
            parts += sql[position:start], '"', inside.replace("]]", "]").replace('"', '""'), '"'
        position = end
    return "".join((*parts, sql[position:]))


def _is_value(before: str, inside: str) -> bool:
    word = _WORD_BEFORE.search(before)
    name = word[1].lower() if word else ""
    if name == "as" or before.endswith("."):
        return False
    if name == "array" or _LISTED.match(inside):
        return True
    if before[-1:].isalnum() or before[-1:] == "_":
        return name not in _NOT_INDEXED and not name.isdigit()
    return before.endswith(_CLOSERS) or ("," in inside and (not name or name in _NOT_INDEXED))
