"""How long a condition makes a URL: what no request can hold is computed here instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filter_text import render
from sqlalchemy_dynamics.odata.filters import (
    All,
    Among,
    Both,
    CrmCall,
    Either,
    Filter,
    Has,
    Never,
    Operand,
    Parameter,
    Value,
)
from sqlalchemy_dynamics.odata.literals import encode, encoded_length

__all__ = ["LONGEST", "Length", "characters", "fits_whole", "shaping"]

LONGEST = 55_000
"""Characters of a table's conditions; a batch takes a URL of 65,536 (dataverse-web-api: limits)."""
_UNKNOWN = 40
"""Characters of a value that is known only when the statement runs."""

Given = Mapping[int | str, object]


@dataclass(frozen=True)
class Length:
    """What is known of a long text when a statement is planned: at most how many characters of a URL it takes."""

    characters: int


def shaping(pinned: Iterable[int | str], values: Given) -> dict[int | str, object]:
    """Return what of a statement's parameters shapes its plan: the values of `pinned`, the lengths of long texts."""
    found = {key: values.get(key) for key in pinned}
    for key, value in values.items():
        if key not in found and isinstance(value, str) and (length := encoded_length(value)) > _UNKNOWN:
            found[key] = Length(_rounded(length))
    return found


def _rounded(length: int) -> int:
    """A little more, so that texts of about the same length share a plan."""
    step = max(16, 1 << (length.bit_length() - 4))
    return -(-length // step) * step


def characters(wanted: Filter, given: Given) -> int:
    """Return how long a condition makes a URL. Of a list that must hold the longest value counts: it is sent in
    portions. Query functions count nothing: nothing but the service can compute them.

    `given` holds the lengths of parameters that are long (shaping).
    """
    terms = wanted.terms if isinstance(wanted, Both) else (wanted,)
    lists = [term for term in terms if isinstance(term, Among) and not term.negated]
    longest = max((_length(each, given) for term in lists for each in term.operands), default=0)
    whole = simplify(Both(tuple(term for term in terms if term not in lists)))
    empty = whole in (Never(), Both(())) or _holds_calls(whole)
    return (0 if empty else _rendered(whole, given)) + (longest if longest > _UNKNOWN else 0)


def fits_whole(wanted: Filter, given: Given) -> bool:
    """Say whether a condition fits a URL with all of its lists."""
    whole = simplify(wanted)
    return whole in (Never(), Both(())) or _rendered(whole, given) <= LONGEST


def _length(operand: Operand, given: Given) -> int:
    if isinstance(operand, Value):
        return encoded_length(operand.value) if isinstance(operand.value, str) else 0
    known = given.get(operand.key) if isinstance(operand.key, (int, str)) else None
    return known.characters if isinstance(known, Length) else _UNKNOWN


def _holds_calls(wanted: Filter) -> bool:
    if isinstance(wanted, (Both, Either)):
        return any(map(_holds_calls, wanted.terms))
    if isinstance(wanted, (Has, All)):
        return wanted.term is not None and _holds_calls(wanted.term)
    return isinstance(wanted, CrmCall)


def _rendered(wanted: Filter, given: Given) -> int:
    rendered = render(wanted, placeholders=True)
    texts = (rendered.text, *(value for _, value in rendered.aliases))
    unbound = (_length(each, given) for each in _operands(wanted) if isinstance(each, Parameter))
    return sum(len(encode(text, "{}")) for text in texts) + sum(unbound)


def _operands(wanted: Filter) -> Iterator[Operand]:
    if isinstance(wanted, (Both, Either)):
        for term in wanted.terms:
            yield from _operands(term)
    elif isinstance(wanted, (Has, All)):
        if wanted.term is not None:
            yield from _operands(wanted.term)
    elif isinstance(wanted, (Among, CrmCall)):
        yield from wanted.operands
    elif hasattr(wanted, "operand"):
        yield wanted.operand
