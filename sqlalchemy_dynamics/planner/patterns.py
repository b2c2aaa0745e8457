"""LIKE patterns as text searches."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.odata.filters import Both, Compare, Filter, Match, Null, Path, Value

__all__ = ["pattern_matches", "searches"]

_ANY, _ONE = object(), object()


def searches(path: Path, pattern: str, escape: str, negated: bool) -> tuple[Filter, bool] | None:
    """Return the searches a pattern implies, and whether they say exactly the same; None when they say nothing.

    Anything but plain text with a leading or trailing ``%`` implies more rows than it matches, so it is inexact, and
    its negation cannot go down.
    """
    parts = _split(pattern, escape)
    texts = [part for part in parts if isinstance(part, str)]
    if parts and all(part is _ANY for part in parts):
        return (Null(path, negated=not negated), True) if not negated else None
    simple = _simple(parts)
    if simple is not None:
        return Match(path, simple, Value(texts[0], "Edm.String"), negated), True
    if negated or not texts:
        return None
    if len(parts) == 1:
        return Compare(path, "eq", Value(texts[0], "Edm.String")), False
    terms = tuple(_implied(path, parts, position) for position, part in enumerate(parts) if isinstance(part, str))
    return (terms[0] if len(terms) == 1 else Both(terms)), False


def pattern_matches(pattern: str, escape: str) -> Callable[[str], bool]:
    """Return the test whether a text matches a pattern; both are folded already."""
    pieces = {_ANY: ".*", _ONE: "."}
    parts = (re.escape(part) if isinstance(part, str) else pieces[part] for part in _split(pattern, escape))
    matches = re.compile("".join(parts), re.DOTALL)
    return lambda text: matches.fullmatch(text) is not None


def _implied(path: Path, parts: list[object], position: int) -> Filter:
    last = len(parts) - 1
    kind = "startswith" if position == 0 else "endswith" if position == last else "contains"
    return Match(path, kind, Value(parts[position], "Edm.String"))


def _simple(parts: list[object]) -> str | None:
    match parts:
        case [str(), second] if second is _ANY:
            return "startswith"
        case [first, str()] if first is _ANY:
            return "endswith"
        case [first, str(), third] if first is _ANY and third is _ANY:
            return "contains"
    return None


def _split(pattern: str, escape: str) -> list[object]:
    """Cut a pattern into literal texts and wildcards; neighbouring ``%`` are one."""
    parts: list[object] = []
    position = 0
    if len(escape) > 1:
        raise ProgrammingError(f"ESCAPE takes one character, got {escape!r}")
    while position < len(pattern):
        letter = pattern[position]
        if escape and letter == escape:
            position += 1
            if position == len(pattern):
                raise ProgrammingError(f"the LIKE pattern {pattern!r} ends with its escape character")
            _append(parts, pattern[position])
        elif letter == "%":
            if not parts or parts[-1] is not _ANY:
                parts.append(_ANY)
        elif letter == "_":
            parts.append(_ONE)
        else:
            _append(parts, letter)
        position += 1
    return parts


def _append(parts: list[object], letter: str) -> None:
    if parts and isinstance(parts[-1], str):
        parts[-1] += letter
    else:
        parts.append(letter)
