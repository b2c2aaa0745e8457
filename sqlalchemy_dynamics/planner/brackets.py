"""`[name]` put in double quotes, where a bracket is none of a list, an array or a subscript."""

from __future__ import annotations

import re

__all__ = ["quoted_names"]

_OTHERS = (
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`"""  # texts and quoted names
    r"""|--[^\n]*|/\*.*?\*/|(?P<dollar>\$\w*\$).*?(?P=dollar)"""  # comments, dollar-quoted texts
)
_PIECES = re.compile(_OTHERS + r"|\[(?P<inside>(?:[^\[\]]|\]\])*)\](?!\])", re.DOTALL)
_PIECES_OF_TSQL = re.compile(_OTHERS + r"|\[(?P<inside>(?:[^\]]|\]\])*)\]", re.DOTALL)
_WORD_BEFORE = re.compile(r"(\w+)\s*$")
_LISTED = re.compile(r"\s*(?:$|['(\[{$?:@\d+-]|.*\bfor\b.*\bin\b)", re.DOTALL | re.IGNORECASE)
_NO_VALUE = re.compile(r"\$[^\W\d]\w*|\d+\s*%")
_MEMBER = re.compile(r"\s*\.\s*(?:[\[\"`*]|[^\W\d]\w*\b(?!\s*\())")
_CLOSERS = tuple(")]\"'`")
_LONGEST_NAME = 200
_KEYWORDS = """
    all and as asc between by case desc distinct else end except from full group having in inner intersect into is join
    left like limit not on or order outer returning right select set table then union update using values when where
    with
"""
_NOT_INDEXED = frozenset(_KEYWORDS.split())


def quoted_names(sql: str, lists: bool = True) -> str:
    """Return the text with `[name]` as `"name"`, as long as it was unless the name holds quotes.

    A bracket right behind a name or a closing bracket is a subscript (`name[1]`), one with a value first or several
    names inside is a list (`[1, 2]`, `ARRAY[a, b]`); those stay, but for SQL without `lists`: T-SQL has none.
    """
    if "[" not in sql:
        return sql
    parts: list[str] = []
    position, pieces = 0, _PIECES if lists else _PIECES_OF_TSQL
    while (found := pieces.search(sql, position)) is not None:
        inside, start, end = found["inside"], found.start(), found.end()
        if inside is None:
            parts.append(sql[position:end])
        elif lists and _is_value(sql[max(0, start - _LONGEST_NAME) : start], inside, sql[end : end + _LONGEST_NAME]):
            end = start + 1
            parts.append(sql[position:end])
        else:
            parts += sql[position:start], '"', inside.replace("]]", "]").replace('"', '""'), '"'
        position = end
    return "".join((*parts, sql[position:]))


def _is_value(before: str, inside: str, behind: str) -> bool:
    word = _WORD_BEFORE.search(before)
    name = word[1].lower() if word else ""
    if name == "as" or before.endswith("."):
        return False
    if name == "array" or _is_subscript(before, name):
        return True
    listed = name == "in" or before.rstrip().endswith("(")
    if _MEMBER.match(behind) or (_NO_VALUE.fullmatch(inside) and not listed):
        return False
    apart = not before[-1:].isalnum() and before[-1:] != "_"
    return bool(_LISTED.match(inside)) or (apart and "," in inside and (not name or name in _NOT_INDEXED))


def _is_subscript(before: str, name: str) -> bool:
    if before[-1:].isalnum() or before[-1:] == "_":
        return name not in _NOT_INDEXED and not name.isdigit()
    return before.endswith(_CLOSERS)
