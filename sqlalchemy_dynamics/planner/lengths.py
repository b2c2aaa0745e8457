"""How long a condition makes a URL: what no request can hold is computed here instead."""

from __future__ import annotations

from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import All, Among, Both, CrmCall, Either, Filter, Has, Never, render
from sqlalchemy_dynamics.odata.literals import encode

__all__ = ["LONGEST", "characters"]

LONGEST = 55_000
"""Characters of a table's conditions; a batch takes a URL of 65,536 (dataverse-web-api: limits)."""
_UNKNOWN = 40
"""Characters of a value that is known only when the statement runs."""


def characters(wanted: Filter) -> int:
    """Return how long a condition makes a URL. A list of values that must hold counts nothing: it is sent in portions.

    Query functions count nothing either: nothing but the service can compute them.
    """
    terms = wanted.terms if isinstance(wanted, Both) else (wanted,)
    whole = simplify(Both(tuple(term for term in terms if not (isinstance(term, Among) and not term.negated))))
    return 0 if whole in (Never(), Both(())) or _holds_calls(whole) else _rendered(whole)


def _holds_calls(wanted: Filter) -> bool:
    if isinstance(wanted, (Both, Either)):
        return any(map(_holds_calls, wanted.terms))
    if isinstance(wanted, (Has, All)):
        return wanted.term is not None and _holds_calls(wanted.term)
    return isinstance(wanted, CrmCall)


def _rendered(wanted: Filter) -> int:
    rendered = render(wanted, placeholders=True)
    texts = (rendered.text, *(value for _, value in rendered.aliases))
    return sum(len(encode(text, "{}")) + _UNKNOWN * text.count("{") for text in texts)
