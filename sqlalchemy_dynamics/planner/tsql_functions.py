"""Functions and date styles of T-SQL as those the residual engine knows; what has no exact twin is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.planner.spoken import Reader, moment

__all__ = ["READERS", "STYLES", "iso_day", "read_in_style", "with_ties"]

STYLES = {
    "23": "%Y-%m-%d",
    "101": "%m/%d/%Y",
    "102": "%Y.%m.%d",
    "103": "%d/%m/%Y",
    "104": "%d.%m.%Y",
    "105": "%d-%m-%Y",
    "106": "%d %b %Y",
    "107": "%b %d, %Y",
    "108": "%H:%M:%S",
    "110": "%m-%d-%Y",
    "111": "%Y/%m/%d",
    "112": "%Y%m%d",
    "120": "%Y-%m-%d %H:%M:%S",
    "121": "%Y-%m-%d %H:%M:%S.%g",
    "126": "%Y-%m-%dT%H:%M:%S",
}
"""Patterns of CONVERT's styles, as STRFTIME takes them."""
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?= |$)")
_MARKS = {"[": ("[", "]"), "]": ("[", "]"), '"': ('"', '"'), "'": ("'", "'")}
_INSTEAD = {
    "DATALENGTH": "LEN(x) counts characters, octet_length(encode(x)) bytes of UTF-8",
    "STR": "use CAST(ROUND(x, n) AS VARCHAR(20))",
    "ISNUMERIC": "use TRY_CAST(x AS DECIMAL(38, 10)) IS NOT NULL",
    "ISDATE": "use TRY_CAST(x AS DATETIME) IS NOT NULL",
    "SWITCHOFFSET": "moments are in UTC; x AT TIME ZONE 'Europe/Berlin' is the time of day in a zone",
    "TODATETIMEOFFSET": "moments are in UTC; x AT TIME ZONE 'Europe/Berlin' is the time of day in a zone",
    "PARSE": "use CAST(x AS type)",
    "TRY_PARSE": "use TRY_CAST(x AS type)",
    "SOUNDEX": "compare with LIKE",
}


def iso_day(text: str) -> str | None:
    """Return `20240229`, with or without a time behind it, as `2024-02-29`; None for any other text."""
    return _DIGITS.sub(r"\1-\2-\3", text, count=1) if _DIGITS.match(text) else None


def read_in_style(text: str, style: str) -> str:
    """Return a date written in one of CONVERT's styles as ISO text. Raises ProgrammingError when it is none."""
    pattern = STYLES[style].replace("%g", "%f")
    try:
        return str(datetime.strptime(text.strip(), pattern))
    except ValueError:
        raise ProgrammingError(f"CONVERT: {text!r} is no date of style {style} ({pattern})") from None


def with_ties(select: exp.Select) -> None:
    """Put TOP n WITH TIES as QUALIFY rank() OVER (ORDER BY …) <= n. Raises NotSupportedError beside DISTINCT."""
    limit, order = select.args.get("limit"), select.args.get("order")
    options = limit.args.get("limit_options") if limit is not None else None
    if options is None or not options.args.get("with_ties"):
        return
    if order is None:
        raise ProgrammingError("TOP … WITH TIES needs an ORDER BY")
    if any(select.args.get(key) for key in ("distinct", "group", "qualify", "offset")) or options.args.get("percent"):
        raise NotSupportedError(
            "WITH TIES goes with plain rows only: rank them in a subquery, rank() OVER (ORDER BY …) AS r, and test r"
        )
    terms = [_ranked(select, ordered.copy()) for ordered in order.expressions]
    rank = exp.Window(this=exp.Anonymous(this="RANK"), order=exp.Order(expressions=terms), over="OVER")
    count = limit.args.get("count") or limit.expression
    select.set("limit", None)
    select.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=count.copy())))


def _ranked(select: exp.Select, ordered: exp.Expression) -> exp.Expression:
    """A term of ORDER BY by what it stands for: a position and an alias mean nothing inside of OVER."""
    key = ordered.this
    if isinstance(key, exp.Literal) and key.this.isdigit() and 1 <= int(key.this) <= len(select.expressions):
        key.replace(select.expressions[int(key.this) - 1].unalias().copy())
    elif isinstance(key, exp.Column) and not key.table:
        named = [item for item in select.expressions if isinstance(item, exp.Alias) and item.alias == key.name]
        if named:
            key.replace(named[0].this.copy())
    return ordered


def _function(node: exp.Expression) -> exp.Expression | None:
    name, arguments = node.name.upper(), node.expressions
    if name in _INSTEAD:
        raise NotSupportedError(f"{name} has no exact counterpart here: {_INSTEAD[name]}")
    build = _FUNCTIONS.get((name, len(arguments)))
    return build(*arguments) if build else None


def _pattern_index(pattern: exp.Expression, text: exp.Expression) -> exp.Expression:
    sought = pattern.this[1:-1] if isinstance(pattern, exp.Literal) and len(pattern.this) > 2 else ""
    if not sought or not pattern.this.startswith("%") or not pattern.this.endswith("%") or set(sought) & set("%_[]"):
        raise NotSupportedError("PATINDEX finds plain text, '%text%'; test other patterns with LIKE")
    return exp.StrPosition(this=text, substr=exp.Literal.string(sought))


def _quote_name(text: exp.Expression, mark: exp.Expression | None = None) -> exp.Expression:
    """The name in brackets; names of more than 128 letters are NULL."""
    given = mark.this if isinstance(mark, exp.Literal) else "[" if mark is None else ""
    opening, closing = _MARKS.get(given, ("", ""))
    if not closing:
        raise NotSupportedError("QUOTENAME puts names in brackets, double or single quotes")
    doubled = exp.Anonymous(this="REPLACE", expressions=[text, *map(exp.Literal.string, (closing, closing * 2))])
    quoted = exp.DPipe(this=exp.DPipe(this=exp.Literal.string(opening), expression=doubled),
                       expression=exp.Literal.string(closing))  # fmt: skip
    fits = exp.LTE(this=exp.Length(this=text.copy()), expression=exp.Literal.number(128))
    return exp.Case(ifs=[exp.If(this=fits, true=quoted)])


def _moment_of(*parts: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this="MAKE_TIMESTAMP", expressions=list(parts))


def _with_milliseconds(*parts: exp.Expression) -> exp.Expression:
    return _moment_of(*parts[:5], _seconds(parts[5], parts[6], 3))


def _with_fractions(*parts: exp.Expression) -> exp.Expression:
    places = parts[7].this if isinstance(parts[7], exp.Literal) else ""
    if not (places.isdigit() and int(places) <= 6):
        raise NotSupportedError("DATETIME2FROMPARTS takes a literal precision of 0 to 6 places")
    return _moment_of(*parts[:5], _seconds(parts[5], parts[6], int(places)))


def _seconds(whole: exp.Expression, fraction: exp.Expression, places: int) -> exp.Expression:
    divided = exp.Div(this=exp.paren(fraction), expression=exp.Literal.number(f"1{'0' * places}.0"))
    return exp.Add(this=exp.paren(whole), expression=divided)


_FUNCTIONS: dict[tuple[str, int], Callable[..., exp.Expression]] = {
    ("PATINDEX", 2): _pattern_index,
    ("QUOTENAME", 1): _quote_name,
    ("QUOTENAME", 2): _quote_name,
    ("DATETIMEFROMPARTS", 7): _with_milliseconds,
    ("DATETIME2FROMPARTS", 8): _with_fractions,
    ("SMALLDATETIMEFROMPARTS", 5): lambda *parts: _moment_of(*parts, exp.Literal.number("0.0")),
}


def _part(node: exp.Expression) -> exp.Expression | None:
    """YEAR('2024-02-29')."""
    text = node.this
    while isinstance(text, exp.TsOrDsToDate):
        text = text.this
    if not isinstance(text, exp.Literal) or not text.is_string:
        return None
    return type(node)(this=moment(exp.Literal.string(iso_day(text.this) or text.this)))


def _zone(node: exp.Expression) -> exp.Expression | None:
    zone = node.args.get("zone")
    if isinstance(zone, exp.Literal) and zone.this.endswith(" Time"):
        raise NotSupportedError(f"zones have their IANA names here, such as 'Europe/Berlin', not {zone.this!r}")
    return None


READERS: dict[type[exp.Expression], Reader] = {
    exp.Anonymous: _function,
    exp.Year: _part,
    exp.Month: _part,
    exp.Day: _part,
    exp.AtTimeZone: _zone,
}
"""What these nodes are replaced by."""
