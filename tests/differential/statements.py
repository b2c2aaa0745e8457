"""Random SELECTs over the small organisation: every operator, join kind and nesting the planner looks at."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.differential.organisation import COLUMNS, TEXTS

NUMBERS = ["n", "k"]
_ANY = list(COLUMNS)
_COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_text = st.sampled_from(TEXTS).map(_quoted)
_number = st.integers(-4, 7).map(str)
_moment = st.sampled_from(["'2024-01-05'", "'2024-02-03T12:00:00Z'", "TIMESTAMP '2024-02-01 00:00:00'"])
_day = st.sampled_from(["'2024-01-20'", "DATE '2024-02-10'"])
_pattern = st.sampled_from(["a%", "%o", "%o%", "_b%", "%", "_s%", "%[x]%", "50!%%", "under!_%", "abc", "o%l%"])


def _literal_of(column: str) -> st.SearchStrategy[str]:
    kinds = {"text": _text, "moment": _moment, "day": _day}
    return kinds.get(COLUMNS[column], _number)


_ODD_NUMBERS = ["2.5", "-0.5", "1e0", "3.0", "99999999999", "-99999999999", "CAST(2.5 AS DECIMAL(3,1))", "'2'"]
_UNITS = ["year", "quarter", "month", "week", "day", "hour", "minute"]
_DAYS = ["DATE '2024-02-03'", "'2024-01-31'", "CURRENT_DATE", "CURRENT_DATE - 9", "DATE '2024-01-30' + 3"]
_MOMENTS = [
    "CURRENT_TIMESTAMP",
    "now() - INTERVAL 10 DAY",
    "now() - INTERVAL '1' MONTH",
    "TIMESTAMP '2024-01-31 12:00:00' + INTERVAL 1 MONTH",
    "date_trunc('month', CURRENT_TIMESTAMP)",
    "date_trunc('week', TIMESTAMP '2024-02-08 01:00:00')",
    "CAST(now() AS DATE)",
    "TIMESTAMP '2024-02-01 00:00:00.5'",
    "TIMESTAMPTZ '2024-01-05 13:00:00+02:00'",
    *_DAYS,
]


@st.composite
def dated(draw: st.DrawFn, name: str, column: str) -> list[str]:
    """Return conditions on functions of a date column."""
    op, unit = draw(st.sampled_from(_COMPARISONS)), draw(st.sampled_from(_UNITS))
    moment, other = draw(st.sampled_from(_MOMENTS)), draw(st.sampled_from(_MOMENTS[:-5]))
    day, later = draw(st.sampled_from(_DAYS)), draw(st.sampled_from(_DAYS))
    year, month, number = draw(st.integers(2023, 2025)), draw(st.integers(0, 4)), draw(st.integers(-40, 40))
    negation = draw(st.sampled_from(["", "NOT "]))
    part = draw(st.sampled_from(["month({})", "extract(month FROM {})", "quarter({})"])).format(name)
    fixed = draw(st.sampled_from(["DAY", "HOUR", "WEEK"]))
    count_unit = unit if COLUMNS[column] == "moment" else draw(st.sampled_from(_UNITS[:5]))
    return [
        f"{name} {op} {moment}",
        f"{name} {negation}BETWEEN {moment} AND {other}",
        f"year({name}) {op} {year}",
        f"extract(year FROM {name}) {negation}IN ({year}, 2024)",
        f"{negation}(year({name}) = {year} AND {part} {op} {month})",
        f"(year({name}) = 2024 AND month({name}) = {month} AND day({name}) {op} {draw(st.integers(0, 32))})",
        f"date_trunc('{unit}', {name}) {op} {other}",
        f"date_trunc('{unit}', {name}) {negation}IN ({other}, {moment})",
        f"CAST({name} AS DATE) {op} {day}",
        f"{name}::date {negation}BETWEEN {day} AND {later}",
        f"datediff('{count_unit}', {name}, {other}) {op} {number}",
        f"datediff('{count_unit}', {moment}, {name}) {op} {number}",
        f"{name} + INTERVAL {abs(number)} {fixed} {op} {moment}",
        f"year({name}) IS {negation}NULL",
        f"({name} + to_days(CAST({name[0]}.k AS INTEGER))) IS {negation}NULL",
        f"CAST({name} AS TIMESTAMP) {op} {moment}",
    ]


@st.composite
def condition(draw: st.DrawFn, aliases: tuple[str, ...], depth: int = 2) -> str:
    """Return a condition over columns of the given table aliases."""
    if depth and draw(st.integers(0, 2)):
        left, right = draw(condition(aliases, depth - 1)), draw(condition(aliases, depth - 1))
        shape = draw(st.sampled_from(["({} AND {})", "({} OR {})", "NOT ({} AND {})", "NOT ({} OR {})"]))
        return shape.format(left, right)
    alias, column = draw(st.sampled_from(aliases)), draw(st.sampled_from(_ANY))
    name = f"{alias}.{column}"
    if COLUMNS[column] == "flag":
        return draw(st.sampled_from([name, f"NOT {name}", f"{name} IS TRUE", f"{name} IS NOT FALSE", f"{name} = TRUE"]))
    value, other = draw(_literal_of(column)), draw(_literal_of(column))
    negation = draw(st.sampled_from(["", "NOT "]))
    leaves = [
        f"{name} {draw(st.sampled_from(_COMPARISONS))} {value}",
        f"{name} IS {negation}NULL",
        f"{name} {negation}BETWEEN {value} AND {other}",
        f"{name} {negation}IN ({value}, {other}{draw(st.sampled_from(['', ', NULL']))})",
        f"{name} IS {negation}DISTINCT FROM {value}",
        f"{name} {draw(st.sampled_from(_COMPARISONS))} {draw(st.sampled_from(aliases))}.{column}",
        f"coalesce({name}, {value}) = {other}",
    ]
    leaves += draw(dated(name, column)) if COLUMNS[column] in ("moment", "day") else []
    if column in NUMBERS:
        leaves.append(f"{name} {draw(st.sampled_from(_COMPARISONS))} {draw(st.sampled_from(_ODD_NUMBERS))}")
        leaves.append(f"{name} {negation}IN ({value}, {draw(st.sampled_from(_ODD_NUMBERS))})")
    if COLUMNS[column] == "text":
        leaves += [f"{name} {negation}LIKE {_quoted(draw(_pattern))} ESCAPE '!'"] * 3
        leaves.append(f"lower({name}) = {value}")
    return draw(st.sampled_from(leaves))


@st.composite
def single(draw: st.DrawFn) -> str:
    """A plain table: columns, expressions, order, limits."""
    items = draw(
        st.lists(st.sampled_from(["t.name", "t.n", "t.price", "t.n + 1 AS m", "upper(t.city) AS u"]), min_size=1)
    )
    where = f" WHERE {draw(condition(('t',)))}" if draw(st.integers(0, 4)) else ""
    distinct = draw(st.sampled_from(["", "", "", "DISTINCT "]))
    key = "" if distinct else ", t.firmid"
    order = draw(st.sampled_from(["t.n", "t.price DESC", "t.madeon", "t.day DESC, t.k", "t.flag"]))
    numbered = [f"{item} " if " AS " in item else f"{item} AS c{number}" for number, item in enumerate(items)]
    tail = f" ORDER BY {order}" if not distinct and draw(st.booleans()) else ""
    return f"SELECT {distinct}{', '.join(dict.fromkeys(numbered))}{key} FROM firm t{where}{tail}"


@st.composite
def limited(draw: st.DrawFn) -> str:
    """A total order and a limit: the very rows are determined."""
    where = f" WHERE {draw(condition(('t',)))}" if draw(st.booleans()) else ""
    order = draw(st.sampled_from(["t.n, t.price, t.madeon", "t.madeon DESC, t.day, t.n DESC", "t.k DESC, t.n"]))
    item = draw(st.sampled_from(["t.n", "t.k", "t.price", "t.madeon", "abs(t.n)"]))
    offset = draw(st.sampled_from(["", " OFFSET 2"]))
    tail = f"ORDER BY {order}, t.n, t.k, t.price, t.madeon, t.day LIMIT {draw(st.integers(0, 9))}{offset}"
    return f"SELECT {item} AS c FROM (SELECT DISTINCT t.n, t.k, t.price, t.madeon, t.day FROM firm t{where}) t {tail}"


@st.composite
def grouped(draw: st.DrawFn) -> str:
    """Groups and aggregates over one table."""
    aggregates = ["count(*)", "count(t.n)", "sum(t.n)", "min(t.price)", "max(t.k)", "avg(t.n)", "sum(t.price)",
                  "count(DISTINCT t.k)", "count(DISTINCT t.city)", "sum(DISTINCT t.n)", "sum(t.n * 2)",
                  "max(t.madeon)"]  # fmt: skip
    met, value = draw(condition(("t",), 1)), draw(st.sampled_from(["1", "t.n", "t.price", "t.k"]))
    aggregates += [f"sum(CASE WHEN {met} THEN {value} ELSE 0 END)", f"sum(CASE WHEN {met} THEN {value} END)",
                   f"count(CASE WHEN {met} THEN {value} END)", f"count(*) FILTER (WHERE {met})",
                   f"avg({value}) FILTER (WHERE {met})", f"max(CASE WHEN {met} THEN {value} END)"]  # fmt: skip
    chosen = draw(st.lists(st.sampled_from(aggregates), min_size=1, max_size=3, unique=True))
    computed = ["t.n % 2", "t.flag IS NULL", "CASE WHEN t.k > 1 THEN t.n END", "coalesce(t.city, '-')", "t.k + t.n"]
    columns = ["t.n", "t.k", "t.flag", "t.day", "t.city"]
    keys = draw(st.lists(st.sampled_from(columns + computed), max_size=2, unique=True))
    filtered, cut = draw(st.tuples(st.booleans(), st.booleans()))
    where = f" WHERE {draw(condition(('t',)))}" if filtered else ""
    named = draw(st.sampled_from([keys, [f"c{number}" for number in range(len(keys))], ["ALL"]]))
    group = f" GROUP BY {', '.join(named)}" if keys else ""
    having = f" HAVING count(*) > {draw(st.integers(0, 2))}" if keys and cut else ""
    items = [f"{item} AS c{number}" for number, item in enumerate([*keys, *chosen])]
    shown = items[len(keys) :] if named is keys and draw(st.booleans()) else items
    return f"SELECT {', '.join(shown)} FROM firm t{where}{group}{having}"


@st.composite
def joined(draw: st.DrawFn) -> str:
    """Two or three tables, every join kind, conditions in ON and WHERE."""
    kind = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]))
    on = "p.firmid = f.firmid"
    if draw(st.booleans()):
        on += f" AND {draw(condition(('f', 'p'), 1))}"
    where = f" WHERE {draw(condition(('f', 'p')))}" if draw(st.integers(0, 3)) else ""
    source = f"firm f {kind} person p ON {on}"
    if draw(st.integers(0, 3)) == 0:
        other = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN"]))
        source += f" {other} firm g ON g.k = p.k AND {draw(condition(('g', 'p'), 0))}"
    items = draw(st.sampled_from(["f.name, p.name", "f.n, p.k", "count(*)", "f.city, p.n, p.day"]))
    numbered = ", ".join(f"{item} AS c{number}" for number, item in enumerate(items.split(", ")))
    return f"SELECT {numbered} FROM {source}{where}"


@st.composite
def nested(draw: st.DrawFn) -> str:
    """Subqueries, derived tables, common table expressions, set operations, windows."""
    inner, outer = draw(condition(("p",), 1)), draw(condition(("t",), 1))
    column = draw(st.sampled_from(NUMBERS))
    shapes = [
        f"SELECT t.n AS c FROM firm t WHERE t.{column} IN (SELECT p.{column} FROM person p WHERE {inner}) AND {outer}",
        f"SELECT t.n AS c FROM firm t WHERE t.{column} NOT IN (SELECT p.{column} FROM person p WHERE {inner})",
        f"SELECT t.k AS c FROM firm t WHERE EXISTS (SELECT 1 FROM person p WHERE p.firmid = t.firmid AND {inner})",
        f"SELECT t.k AS c FROM firm t WHERE NOT EXISTS (SELECT * FROM person p WHERE p.k = t.k AND {inner})",
        f"SELECT t.k AS c FROM firm t WHERE EXISTS (SELECT 1 FROM person p WHERE p.firmid = t.firmid AND {inner}) "
        f"AND {outer}",
        f"SELECT t.n AS c FROM firm t WHERE t.firmid IN (SELECT p.firmid FROM person p WHERE {inner}) AND {outer}",
        f"SELECT p.k AS c FROM person p WHERE p.firmid IN (SELECT t.firmid FROM firm t WHERE {outer}) AND {inner}",
        f"SELECT p.k AS c FROM person p WHERE p.firmid NOT IN (SELECT t.firmid FROM firm t WHERE {outer})",
        f"SELECT t.n AS c, lower(t.city) AS d FROM firm t WHERE {outer} ORDER BY t.n, lower(t.city) LIMIT 5 OFFSET 1",
        f"SELECT t.day AS c, -t.k AS d FROM firm t WHERE {outer} ORDER BY t.day DESC, d NULLS LAST LIMIT 4",
        f"SELECT t.n AS c FROM firm t WHERE {outer} UNION ALL SELECT p.n FROM person p WHERE {inner} "
        f"ORDER BY c LIMIT 6",
        f"SELECT t.n AS c FROM firm t WHERE {outer} UNION ALL (SELECT p.n FROM person p UNION ALL "
        f"SELECT p.k FROM person p) ORDER BY c DESC LIMIT 5 OFFSET 2",
        f"SELECT max(t.n) AS c, min(t.madeon) AS d FROM firm t WHERE {outer}",
        f"SELECT d.n AS c, p.k AS e FROM (SELECT * FROM firm t WHERE {outer} ORDER BY t.firmid LIMIT 4) d "
        f"JOIN person p ON p.firmid = d.firmid",
        f"SELECT t.n AS c FROM (SELECT * FROM firm f WHERE f.k > 0) t WHERE {outer}",
        f"WITH t AS (SELECT * FROM firm) SELECT t.n AS c FROM t WHERE {outer}",
        f"SELECT p.n AS c FROM person p WHERE {inner} UNION SELECT t.k FROM firm t WHERE {outer}",
        f"SELECT p.n AS c FROM person p WHERE {inner} EXCEPT SELECT t.n FROM firm t WHERE {outer}",
        f"SELECT p.n AS c FROM person p WHERE {inner} INTERSECT ALL SELECT t.n FROM firm t",
        f"SELECT p.city AS c FROM person p WHERE {inner} UNION SELECT t.city FROM firm t WHERE {outer}",
        f"SELECT p.k, p.n FROM person p WHERE {inner} INTERSECT SELECT t.n, t.k FROM firm t WHERE {outer}",
        f"SELECT sum(t.n) OVER (PARTITION BY t.k) AS c FROM firm t WHERE {outer}",
        f"SELECT (SELECT max(p.n) FROM person p WHERE p.k = t.k) AS c FROM firm t WHERE {outer}",
        f"SELECT CASE WHEN {outer} THEN 1 ELSE 0 END AS c FROM firm t",
        f"SELECT count(*) AS c FROM (SELECT t.n FROM firm t WHERE {outer} GROUP BY t.n) d",
    ]
    return draw(st.sampled_from(shapes))


statement = st.one_of(single(), limited(), grouped(), joined(), nested())
