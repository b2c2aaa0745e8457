"""Server paging: the cookie inside `$skiptoken`, and the condition that continues after it (section 4.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.scope import Sql

__all__ = ["Cookie", "OrderTerm", "after", "cookie_text", "read_cookie", "skip_token"]

_ENCODED = re.compile("%[0-9A-F]{2}")


@dataclass(frozen=True)
class OrderTerm:
    """One sort term: the SQL it sorts by, the SQL of the value shown in the cookie, and its name there."""

    name: str
    sql: str
    shown: str
    descending: bool = False
    wrap: str = "{}"
    guid: bool = False


@dataclass(frozen=True)
class Cookie:
    """A page to continue with: its number (from 2), and the values of the last row before it."""

    page: int
    last: tuple[object, ...]
    names: tuple[str, ...] = ()
    """The sort columns it was made for."""


def skip_token(
    page: int, terms: Sequence[OrderTerm], last: Sequence[object], first: Sequence[object], extra: str = ""
) -> str:
    """Return the `$skiptoken` of page `page` as it stands in a link, after a page from row `first` to row `last`.

    Around the cookie proper, which is encoded twice, only blanks, quotes and angle brackets are (section 4.6).
    """
    return quote(cookie_text(page, terms, last, first, extra), safe="=/%")


def cookie_text(
    page: int, terms: Sequence[OrderTerm], last: Sequence[object], first: Sequence[object], extra: str = ""
) -> str:
    """Return the cookie of page `page` as the annotation of a FetchXML answer has it."""
    inner = "".join(_element(term, a, b) for term, a, b in zip(terms, last, first, strict=True))
    once = quote(f'<cookie page="{page - 1}"{extra}>{inner}</cookie>', safe="")
    twice = quote(_ENCODED.sub(lambda found: found[0].lower(), once), safe="")
    return f'<cookie pagenumber="{page}" pagingcookie="{twice}" istracking="False" />'


def _element(term: OrderTerm, last: object, first: object) -> str:
    return f"<{_element_name(term)} {_shown('last', last, term.guid)} {_shown('first', first, term.guid)} />"


def _element_name(term: OrderTerm) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", term.name)


def _shown(side: str, value: object, guid: bool) -> str:
    if value is None:
        return f'{side}null="1"'
    text = f"{{{str(value).upper()}}}" if guid else f"r:{value!r}" if isinstance(value, float) else str(value)
    kind = "i:" if isinstance(value, int) else ""
    return f"{side}={quoteattr(kind + text)}"


def read_cookie(text: str) -> Cookie:
    """Return the cookie of a decoded `$skiptoken`; raises ODataError 400 when it is not one of ours."""
    try:
        outer = _attributes(text)[0][1]
        elements = _attributes(_decoded(outer["pagingcookie"]))
        values, names = tuple(_value(given) for _, given in elements[1:]), tuple(name for name, _ in elements[1:])
        return Cookie(int(outer["pagenumber"]), values, names)
    except (KeyError, ValueError, IndexError, expat.ExpatError):
        raise ODataError(400, "0x80060888", "Malformed XML in the $skiptoken value.") from None


def _decoded(text: str) -> str:
    """Return the cookie proper: in a link it is encoded once after the link was decoded, elsewhere twice."""
    for _ in range(2):
        text = text if text.startswith("<") else unquote(text)
    return text


def _attributes(xml: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    parser.Parse(xml, True)
    return found


def _value(attributes: dict[str, str]) -> object:
    if "lastnull" in attributes:
        return None
    text = attributes["last"]
    if text.startswith("i:"):
        return int(text[2:])
    if text.startswith("r:"):
        return float(text[2:])
    return text[1:-1].lower() if re.fullmatch(r"\{[0-9A-Fa-f-]{36}\}", text) else text


def after(terms: Sequence[OrderTerm], cookie: Cookie) -> Sql:
    """Return the condition for the rows behind the cookie's in the order of `terms` (nulls count as smallest).

    Raises ODataError 400 (0x80041129) for a cookie of another order or table.
    """
    last = cookie.last
    if tuple(map(_element_name, terms)) != cookie.names:
        raise ODataError(400, "0x80041129", "The order of the query does not match its paging cookie.")
    condition: Sql | None = None
    for term, value in reversed(list(zip(terms, last, strict=True))):
        condition = _behind(term, value, condition)
    assert condition is not None
    return condition


def _behind(term: OrderTerm, value: object, rest: Sql | None) -> Sql:
    mark = term.wrap.format("?")
    if value is None:
        beyond = Sql("0") if term.descending else Sql(f"{term.sql} IS NOT NULL")
        same = Sql(f"{term.sql} IS NULL")
        start = Sql("1")
    else:
        sign = "<" if term.descending else ">"
        null = f" OR {term.sql} IS NULL" if term.descending else ""
        beyond = Sql(f"({term.sql} {sign} {mark}{null})", (value,))
        same = Sql(f"{term.sql} = {mark}", (value,))
        start = Sql("1") if term.descending else Sql(f"{term.sql} >= {mark}", (value,))
    if rest is None:
        return beyond
    text = f"({start.text} AND ({beyond.text} OR ({same.text} AND {rest.text})))"
    return Sql(text, start.parameters + beyond.parameters + same.parameters + rest.parameters)
