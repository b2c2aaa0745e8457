"""Functions as people and other systems write them, as those the residual engine knows: a table by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from sqlalchemy_dynamics.errors import NotSupportedError

__all__ = ["Reader", "friendly", "keep_names", "part_unit", "replace_all", "title"]

Reader = Callable[[exp.Expression], exp.Expression | None]
"""Returns what a node is replaced by, None for nodes that stay."""

_PARTS = {
    "year": "yy yyyy",
    "quarter": "qq q",
    "month": "mm m",
    "dayofyear": "dy y",
    "day": "dd d",
    "week": "wk ww",
    "weekday": "dw w",
    "hour": "hh",
    "minute": "mi n",
    "second": "ss s",
    "millisecond": "ms",
    "microsecond": "mcs",
    "iso_week": "isowk isoww",
}
_PART_OF = {short: part for part, shorts in _PARTS.items() for short in (part, *shorts.split())}
_ENGINE_PARTS = {"dayofyear": "doy", "iso_week": "week"}
_FIRST_DAY = "1900-01-01"
_TRUNCATED = frozenset({"year", "quarter", "month", "day", "hour"})
_LASTING = {"dayofyear": "day", "weekday": "day"}
_EXTRACTED = frozenset({"year", "quarter", "month", "day", "hour", "minute", "second", "doy", "dow", "week"})


def part_unit(node: exp.Expression) -> str:
    """Return the part of a date that a bare word such as ``mm`` stands for. Raises NotSupportedError for others."""
    part = _PART_OF.get(node.name.lower())
    if part is None:
        raise NotSupportedError(f"{node.sql()} is no part of a date: use year, quarter, month, day, hour, minute, …")
    return part


def friendly(tree: exp.Expression) -> exp.Expression:
    """Replace the function names people bring along by those the residual engine knows."""
    replace_all(tree, _READERS)
    return tree


def replace_all(tree: exp.Expression, readers: Mapping[type[exp.Expression], Reader]) -> None:
    """Replace nodes, inner ones first. Selected columns without a name are called by the text they had."""
    kinds = tuple(readers)
    keep_names(node for node in tree.find_all(*kinds) if readers[type(node)](node.copy()) is not None)
    for node in reversed(list(tree.find_all(*kinds))):
        found = readers[type(node)](node)
        if found is not None:
            node.replace(found)


def keep_names(nodes: Iterable[exp.Expression]) -> None:
    """Name the unnamed items of select lists that hold these nodes by their text, which is about to change."""
    for item in {id(item): item for item in map(_selected, list(nodes)) if item is not None}.values():
        item.replace(exp.alias_(item.copy(), title(item), quoted=True))


def title(node: exp.Expression) -> str:
    """Return the name of an expression without an alias: its own text."""
    return str(node.sql(unsupported_level=ErrorLevel.IGNORE) or node.sql(dialect="duckdb"))


def _selected(node: exp.Expression) -> exp.Expression | None:
    while node.parent is not None and not isinstance(node.parent, exp.Select):
        node = node.parent
    return node if node.arg_key == "expressions" and not isinstance(node, exp.Alias) else None


def _function(node: exp.Expression) -> exp.Expression | None:
    arguments = node.expressions
    name = node.name.upper()
    build = _FUNCTIONS.get((name, len(arguments))) or _FUNCTIONS.get((name, None))
    return build(*arguments) if build else None


def moment(node: exp.Expression) -> exp.Expression:
    """Return an argument that must be a date; text is read as one, and 0 is the day T-SQL counts from."""
    if isinstance(node, exp.Literal) and node.this == "0":
        return exp.cast(exp.Literal.string(_FIRST_DAY), "TIMESTAMP")
    return exp.cast(node, "TIMESTAMP") if isinstance(node, exp.Literal) and node.is_string else node


def _date_add(unit: exp.Expression, count: exp.Expression, date: exp.Expression) -> exp.Expression:
    part = part_unit(unit)
    if part in _TRUNCATED and isinstance(count, exp.DateDiff) and count.unit.name.lower() == part:
        first = exp.cast(exp.Literal.string(_FIRST_DAY), "TIMESTAMP")
        if moment(date) == first == count.expression:  # DATEADD(month, DATEDIFF(month, 0, x), 0)
            return exp.TimestampTrunc(this=count.this, unit=exp.var(part.upper()))
    span = exp.Interval(this=exp.paren(count), unit=exp.var(_LASTING.get(part, part).upper()))
    return exp.paren(exp.Add(this=moment(date), expression=span))


def _date_part(unit: exp.Expression, date: exp.Expression) -> exp.Expression:
    """DATEPART(month, x) of T-SQL takes a bare word, DuckDB's date_part('month', x) a text."""
    if isinstance(unit, exp.Column):
        part = part_unit(unit)
        if part == "week":
            raise NotSupportedError("weeks are counted differently here: use DATEPART(iso_week, …)")
        if part == "weekday":
            return exp.paren(exp.Add(this=_extract("dow", date), expression=exp.Literal.number(1)))
        return _extract(_ENGINE_PARTS.get(part, part), date)
    if isinstance(unit, exp.Literal) and unit.name.lower() in _EXTRACTED:
        return _extract(unit.name, date)
    return exp.Anonymous(this="DATE_PART", expressions=[unit, date])


def _extract(part: str, date: exp.Expression) -> exp.Expression:
    return exp.Extract(this=exp.var(part.upper()), expression=moment(date))


def _date_name(unit: exp.Expression, date: exp.Expression) -> exp.Expression:
    names = {"month": "MONTHNAME", "weekday": "DAYNAME"}
    part = part_unit(unit)
    if part in names:
        return exp.Anonymous(this=names[part], expressions=[moment(date)])
    return exp.cast(_date_part(unit, date), "TEXT")


def _end_of_month(date: exp.Expression, months: exp.Expression | None = None) -> exp.Expression:
    shifted = date if months is None else _date_add(exp.column("month"), months, date)
    return exp.LastDay(this=moment(shifted))


def _date_sub(date: exp.Expression, span: exp.Expression) -> exp.Expression | None:
    """DuckDB's own DATE_SUB counts units between two dates."""
    return exp.paren(exp.Sub(this=date, expression=span)) if isinstance(span, exp.Interval) else None


def _choose(number: exp.Expression, *choices: exp.Expression) -> exp.Expression:
    cases = [exp.If(this=exp.Literal.number(position), true=choice) for position, choice in enumerate(choices, start=1)]
    return exp.Case(this=number, ifs=cases)


def _stuff(text: exp.Expression, start: exp.Expression, length: exp.Expression, new: exp.Expression) -> exp.Expression:
    one = exp.Literal.number(1)
    before = exp.Substring(this=text, start=one, length=exp.Sub(this=exp.paren(start), expression=one.copy()))
    after = exp.Substring(this=text.copy(), start=exp.Add(this=exp.paren(start.copy()), expression=exp.paren(length)))
    return exp.paren(exp.DPipe(this=exp.DPipe(this=before, expression=new), expression=after))


def _call(name: str) -> Callable[..., exp.Expression]:
    return lambda *arguments: exp.Anonymous(this=name, expressions=list(arguments))


_FUNCTIONS: dict[tuple[str, int | None], Callable[..., exp.Expression | None]] = {
    ("ISNULL", 2): lambda one, two: exp.Coalesce(this=one, expressions=[two]),
    ("DATEADD", 3): _date_add,
    ("DATEPART", 2): _date_part,
    ("DATE_PART", 2): _date_part,
    ("DATENAME", 2): _date_name,
    ("EOMONTH", 1): _end_of_month,
    ("EOMONTH", 2): _end_of_month,
    ("DATE_SUB", 2): _date_sub,
    ("NEWID", 0): _call("UUID"),
    ("COUNT_BIG", 1): lambda each: exp.Count(this=each),
    ("STDEV", 1): _call("STDDEV_SAMP"),
    ("STDEVP", 1): _call("STDDEV_POP"),
    ("VAR", 1): _call("VAR_SAMP"),
    ("VARP", 1): _call("VAR_POP"),
    ("SQUARE", 1): lambda each: exp.Pow(this=each, expression=exp.Literal.number(2)),
    ("CHOOSE", None): _choose,
    ("STUFF", 4): _stuff,
    ("REPLICATE", 2): lambda text, times: exp.Repeat(this=text, times=times),
    ("DATEDIFF_BIG", 3): lambda unit, one, two: _counted(unit, one, two),
}


def _difference(node: exp.Expression) -> exp.Expression | None:
    """DATEDIFF(dd, a, b): the unit may be short, a date may be text."""
    unit = node.args.get("unit")
    part = _PART_OF.get(unit.name.lower()) if unit is not None else None
    texts = any(isinstance(side, exp.Literal) for side in (node.this, node.expression))
    if part is None or (part == unit.name.lower() and not texts and part not in _LASTING):
        return None
    return _counted(unit, node.expression, node.this)


def _counted(unit: exp.Expression, start: exp.Expression, end: exp.Expression) -> exp.Expression:
    part = part_unit(unit)
    wanted = exp.var(_LASTING.get(part, _ENGINE_PARTS.get(part, part)).upper())
    return exp.DateDiff(this=moment(end), expression=moment(start), unit=wanted)


def _today(node: exp.Expression) -> exp.Expression | None:
    """`today(createdon)` is a query function of Dataverse, not the date of a time zone."""
    return exp.Anonymous(this="today", expressions=[node.this]) if isinstance(node.this, exp.Column) else None


def _fetch(node: exp.Expression) -> exp.Expression | None:
    """FETCH NEXT 5 ROWS ONLY is LIMIT 5."""
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        return None
    return exp.Limit(expression=node.args.get("count") or exp.Literal.number(1))


def _limit(node: exp.Expression) -> exp.Expression | None:
    if node.args.get("with_ties"):
        raise NotSupportedError("WITH TIES is not supported: use QUALIFY rank() OVER (ORDER BY …) <= n")
    return None


def _hint(node: exp.Expression) -> exp.Expression | None:
    """WITH (NOLOCK) says nothing to a service without locks."""
    if node.args.get("hints"):
        node.set("hints", None)
    return None


def _listed(node: exp.Expression) -> exp.Expression | None:
    """`x = ANY([1, 2])` is x IN (1, 2), `x <> ALL([1, 2])` is x NOT IN (1, 2)."""
    quantified, inside = node.expression, None
    if isinstance(node, exp.EQ) and isinstance(quantified, exp.Any):
        inside = quantified.this
    elif isinstance(node, exp.NEQ) and isinstance(quantified, exp.Anonymous) and quantified.name.upper() == "ALL":
        inside = quantified.expressions[0] if len(quantified.expressions) == 1 else None
    elif isinstance(node, exp.NEQ) and isinstance(quantified, exp.All):
        inside = quantified.this
    while isinstance(inside, exp.Paren):
        inside = inside.this
    if not isinstance(inside, exp.Array) or not inside.expressions:
        return None
    among = exp.In(this=node.this, expressions=inside.expressions)
    return among if isinstance(node, exp.EQ) else exp.paren(exp.Not(this=among))


def _columns_alike(node: exp.Expression) -> exp.Expression | None:
    """`* LIKE 'new_%'` are the columns of such names. Replaced in place: as an item it has no name of its own."""
    star, pattern = node.this, node.expression
    if not isinstance(star, exp.Star) and not (isinstance(star, exp.Column) and isinstance(star.this, exp.Star)):
        return None
    negated = node.args.get("negate") or isinstance(node.parent, (exp.Not, exp.Escape))
    bare = isinstance(star, exp.Star) and not any(star.args.values())
    if negated or not bare or not isinstance(node, (exp.Like, exp.ILike)) or not isinstance(pattern, exp.Literal):
        raise NotSupportedError(
            "columns are chosen by * LIKE 'pattern', without NOT, ESCAPE, EXCLUDE or a table before the star: "
            "use that, COLUMNS('regular expression') or the columns' names"
        )
    letters = "".join(_WILD.get(letter) or re.escape(letter) for letter in pattern.name)
    node.replace(exp.Columns(this=exp.Literal.string(f"(?i)^{letters}$")))
    return None


_ALIKE = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike, exp.RegexpFullMatch)
_WILD = {"%": ".*", "_": "."}


def _collated(node: exp.Expression) -> exp.Expression | None:
    """SQL Server's collations: those that compare as all texts compare here say nothing."""
    name = node.expression.name
    found = _SERVER_COLLATION.search(name)
    if found is None:
        return None
    if found[0].upper() not in _AS_HERE:
        raise NotSupportedError(
            f"COLLATE {name} is not supported: texts compare without case and accents, as Dataverse does; leave it out"
        )
    return node.this


_SERVER_COLLATION = re.compile(r"_C[IS]_A[IS]|_BIN2?\b|^database_default$", re.IGNORECASE)
_AS_HERE = ("_CI_AI", "DATABASE_DEFAULT")

_TO_CHAR = (
    ("YYYY", "%Y"), ("YY", "%y"), ("MONTH", "%B"), ("MON", "%b"), ("MM", "%m"), ("DDD", "%j"), ("DD", "%d"),
    ("HH24", "%H"), ("HH12", "%I"), ("HH", "%I"), ("MI", "%M"), ("SS", "%S"), ("DAY", "%A"), ("DY", "%a"),
)  # fmt: skip


def _to_char(node: exp.Expression) -> exp.Expression:
    """Translate a literal TO_CHAR format; sqlglot's duckdb generator would drop it silently."""
    pattern = node.args.get("format")
    if not isinstance(pattern, exp.Literal):
        raise NotSupportedError("TO_CHAR needs a literal format")
    text, out = pattern.this, ""
    while text:
        for name, directive in _TO_CHAR:
            if text.upper().startswith(name):
                out, text = out + directive, text[len(name) :]
                break
        else:
            out, text = out + text[0], text[1:]
    return exp.Anonymous(this="STRFTIME", expressions=[node.this, exp.Literal.string(out)])


def _largest(node: exp.Expression) -> exp.Expression | None:
    """MAX(x, 3) is a list of the three largest, no MAX."""
    more = [*node.expressions, *filter(None, (node.args.get("count"),))]
    return exp.AnonymousAggFunc(this=node.key.upper(), expressions=[node.this, *more]) if more else None


def _similarity(node: exp.Expression) -> exp.Expression | None:
    """The third argument is the least similarity that is told."""
    least = node.args.get("case_insensitive")
    return least and _call("JARO_WINKLER_SIMILARITY")(node.this, node.expression, least)


def _arrow(node: exp.Expression) -> exp.Expression | None:
    """`j -> 'a'` looks like a lambda to sqlglot wherever it is an argument; few functions take one."""
    parent = node.parent
    names = parent.sql_names() if isinstance(parent, exp.Func) else []
    names = [parent.name.upper()] if isinstance(parent, exp.Anonymous) else names
    if parent is None or node.args.get("colon") or any(name.rpartition("_")[2] in _TAKING_LAMBDAS for name in names):
        node.set("colon", True)  # the engine knows no other lambdas
        return None
    first = node.this
    while isinstance(first, (exp.JSONExtract, exp.JSONExtractScalar)):
        first = first.this
    found = _call("JSON_EXTRACT")(exp.column(node.expressions[0].copy()), first.copy())
    if first is node.this:
        return found
    first.replace(found)
    return node.this


_TAKING_LAMBDAS = frozenset({"TRANSFORM", "APPLY", "FILTER", "REDUCE"})
_READERS: dict[type[exp.Expression], Reader] = {
    exp.Anonymous: _function,
    exp.Lambda: _arrow,
    exp.Max: _largest,
    exp.Min: _largest,
    exp.JarowinklerSimilarity: _similarity,
    exp.Reduce: lambda node: _call("LIST_REDUCE")(node.this, node.args["initial"], node.args["merge"]),
    exp.ToChar: _to_char,
    exp.CurrentDate: _today,
    exp.DateDiff: _difference,
    exp.Fetch: _fetch,
    exp.LimitOptions: _limit,
    exp.Table: _hint,
    exp.EQ: _listed,
    exp.NEQ: _listed,
    **dict.fromkeys(_ALIKE, _columns_alike),
    exp.Collate: _collated,
    exp.Stuff: lambda node: _stuff(node.this, node.args["start"], node.args["length"], node.expression),
    exp.National: lambda node: exp.Literal.string(node.name),
}
