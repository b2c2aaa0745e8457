"""Random SELECTs over tables that are tied together: joins, semi-joins, anti-joins, subqueries, keys out of LIMIT."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.differential.joined_organisation import KEYS, LINKS, LOOKUPS

_COMPARISONS = ["=", "<>", "<", ">="]
TIES: dict[str, list[tuple[str, str, str]]] = {
    table: [
        *((KEYS[target], target, lookup) for lookup, targets in LOOKUPS[table].items() for target in targets),
        *(
            (lookup, child, KEYS[table])
            for child, lookups in LOOKUPS.items()
            for lookup, targets in lookups.items()
            if table in targets
        ),
    ]
    for table in LOOKUPS
}
"""By table: (other table's column, other table, own column) that are equal where rows belong together."""
for _link, _ends in LINKS.items():
    for _end in _ends:
        TIES[_end].append((KEYS[_end], _link, KEYS[_end]))
        TIES[_link].append((KEYS[_end], _end, KEYS[_end]))
_PLAIN = [table for table in LOOKUPS if table not in LINKS]


def _number(alias: str, table: str) -> str:
    """What no two rows of a table share."""
    return f"CAST({alias}.{KEYS[table]} AS VARCHAR)" if table in LINKS else f"{alias}.no"


def _columns(table: str) -> list[str]:
    return ["n", "k", "name", "madeon"] if table not in LINKS else [KEYS[end] for end in LINKS[table]]


@st.composite
def leaf(draw: st.DrawFn, alias: str, table: str) -> str:
    """A condition on one column of a table."""
    column = draw(st.sampled_from([*_columns(table), *LOOKUPS[table]]))
    name, negation = f"{alias}.{column}", draw(st.sampled_from(["", "NOT "]))
    if column not in ("n", "k", "name", "madeon"):
        return f"{name} IS {negation}NULL"
    if column == "name":
        return draw(
            st.sampled_from([f"{name} {negation}LIKE 'o%'", f"{name} = 'oslo'", f"{name} <> 'a'", f"{name} IS NULL"])
        )
    if column == "madeon":
        return draw(st.sampled_from([f"{name} >= '2024-02-03'", f"month({name}) = 2 AND year({name}) = 2024"]))
    number, other = draw(st.integers(-1, 4)), draw(st.integers(-1, 4))
    return draw(
        st.sampled_from(
            [
                f"{name} {draw(st.sampled_from(_COMPARISONS))} {number}",
                f"{name} {negation}IN ({number}, {other})",
                f"{name} IS {negation}NULL",
                f"{name} {negation}BETWEEN {number} AND {other}",
                f"coalesce({name}, 1) = {number}",
            ]
        )
    )


@st.composite
def condition(draw: st.DrawFn, tables: tuple[tuple[str, str], ...], depth: int = 2, ties: bool = True) -> str:
    """A condition over (alias, table) pairs; with `ties` it may hold subqueries."""
    if depth and draw(st.booleans()):
        left, right = (draw(condition(tables, depth - 1, ties)) for _ in range(2))
        shape = draw(st.sampled_from(["({} AND {})", "({} AND {})", "({} OR {})", "NOT ({} AND {})", "NOT ({} OR {})"]))
        return shape.format(left, right)
    alias, table = draw(st.sampled_from(tables))
    if ties and draw(st.booleans()):
        return draw(tied(alias, table, depth))
    return draw(leaf(alias, table))


@st.composite
def tied(draw: st.DrawFn, alias: str, table: str, depth: int) -> str:
    """EXISTS, IN or a count over the rows that belong to `alias`."""
    column, other, own = draw(st.sampled_from(TIES[table]))
    inner = f"{alias}{draw(st.sampled_from('xyz'))}"
    further = (
        f" AND {draw(condition(((inner, other),), max(depth - 1, 0), depth > 0))}" if draw(st.integers(0, 3)) else ""
    )
    where = f"{inner}.{column} = {alias}.{own}{further}"
    listed = f"SELECT {inner}.{column} FROM {other} {inner}"
    negation = draw(st.sampled_from(["", "NOT "]))
    guard = draw(st.sampled_from(["", f"{inner}.{column} IS NOT NULL"]))
    wanted = " AND ".join(term for term in (guard, further.removeprefix(" AND ")) if term)
    exists = f"SELECT 1 FROM {other} {inner}"
    if draw(st.integers(0, 4)) == 0:
        onward, third, held = draw(st.sampled_from(TIES[other]))
        exists += f" JOIN {third} {inner}j ON {inner}j.{onward} = {inner}.{held}"
        where += f" AND {draw(leaf(f'{inner}j', third))}"
    return draw(
        st.sampled_from(
            [
                f"{negation}EXISTS ({exists} WHERE {where})",
                f"{negation}EXISTS ({exists} WHERE {where})",
                f"{alias}.{own} {negation}IN ({listed}{' WHERE ' * bool(wanted)}{wanted})",
                f"(SELECT count(*) FROM {other} {inner} WHERE {inner}.{column} = {alias}.{own}{further}) "
                f"{draw(st.sampled_from(['> 0', '= 0', '>= 2', '< 1']))}",
            ]
        )
    )


@st.composite
def chosen(draw: st.DrawFn) -> str:
    """One table and what its rows are tied to."""
    table = draw(st.sampled_from(_PLAIN))
    where = draw(condition((("t", table),)))
    head = draw(
        st.sampled_from(
            ["t.n AS c, t.name AS d", "count(*) AS c", "DISTINCT t.k AS c", "sum(t.n) AS c, count(t.k) AS d", "t.*"]
        )
    )
    tail = draw(st.sampled_from(["", "", " ORDER BY t.madeon DESC, t.no LIMIT 4"]))
    head = head if not tail else "t.n AS c, t.k AS d"
    return f"SELECT {head} FROM {table} t WHERE {where}{tail}"


@st.composite
def _source(draw: st.DrawFn, most: int) -> tuple[str, tuple[tuple[str, str], ...], list[str]]:
    """A FROM clause, its (alias, table) pairs, and the conditions that commas leave to WHERE."""
    tables = [("t1", draw(st.sampled_from(_PLAIN)))]
    text, left_over = f"{tables[0][1]} t1", list[str]()
    for number in range(2, draw(st.integers(2, most)) + 1):
        alias, (before, table) = f"t{number}", draw(st.sampled_from(tables))
        column, other, own = draw(st.sampled_from(TIES[table]))
        on = f"{alias}.{column} = {before}.{own}"
        on = draw(st.sampled_from([on, on, on, f"{before}.{own} = {alias}.{column}", f"{alias}.k = {before}.k"]))
        if "k" in on and (other in LINKS or table in LINKS):
            on = f"{alias}.{column} = {before}.{own}"
        tables.append((alias, other))
        kind = draw(st.sampled_from(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", ",", "RIGHT JOIN", "FULL JOIN"]))
        if kind == ",":
            text, left_over = f"{text}, {other} {alias}", [*left_over, on]
            continue
        if draw(st.integers(0, 3)) == 0:
            on += f" AND {draw(condition(((alias, other), (before, table)), 1, False))}"
        if kind in ("RIGHT JOIN", "FULL JOIN") and "," in text:
            kind = "JOIN"
        text += f" {kind} {other} {alias} ON {on}" if not text.count(", ") else f" JOIN {other} {alias} ON TRUE"
        if text.endswith("ON TRUE"):
            left_over.append(on)
    return text, tuple(tables), left_over


@st.composite
def joined(draw: st.DrawFn) -> str:
    """Two to four tables; some are wanted, some only choose."""
    text, tables, left_over = draw(_source(4))
    terms = list(left_over)
    if draw(st.booleans()):
        terms.append(draw(condition(tables, 2, draw(st.booleans()))))
    if draw(st.integers(0, 3)) == 0:
        alias, table = draw(st.sampled_from(tables))
        terms.append(f"{alias}.{draw(st.sampled_from([KEYS[table], *LOOKUPS[table]]))} IS NULL")
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    wanted = draw(st.lists(st.sampled_from(tables), min_size=1, max_size=2, unique=True))
    names = [f"{alias}.{draw(st.sampled_from([*_columns(table), KEYS[table]]))}" for alias, table in wanted]
    items = ", ".join(f"{name} AS c{number}" for number, name in enumerate(names))
    numbered = draw(st.sampled_from([alias for alias, table in tables if table not in LINKS]))
    return draw(
        st.sampled_from(
            [
                f"SELECT {items} FROM {text}{where}",
                f"SELECT {items} FROM {text}{where}",
                f"SELECT DISTINCT {items} FROM {text}{where}",
                f"SELECT count(*) AS c FROM {text}{where}",
                f"SELECT {names[0]} AS c, count(*) AS d FROM {text}{where} GROUP BY {names[0]}",
                f"SELECT {numbered}.name AS c, count({names[0]}) AS d FROM {text}{where} GROUP BY {numbered}.name",
                f"SELECT min({numbered}.n) AS c, max({numbered}.madeon) AS d FROM {text}{where}",
                f"SELECT {wanted[0][0]}.* FROM {text}{where}",
                f"SELECT {items}, upper(coalesce({names[0]}::varchar, '-')) AS u FROM {text}{where}",
            ]
        )
    )


@st.composite
def ordered(draw: st.DrawFn) -> str:
    """Joins along lookups with a total order and a limit: the very rows are determined."""
    text, tables, left_over = draw(_source(3))
    keys = ", ".join(_number(alias, table) for alias, table in tables)
    first = draw(st.sampled_from([alias for alias, table in tables if table not in LINKS] or ["t1"]))
    terms = left_over + ([draw(condition(tables, 1, False))] if draw(st.booleans()) else [])
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    items = ", ".join(f"{alias}.{_columns(table)[0]} AS c{number}" for number, (alias, table) in enumerate(tables))
    numbers = [number for number, (_, table) in enumerate(tables) if table not in LINKS]
    named = [
        f"{name}{way}" for n in numbers for name in (n + 1, f"c{n}", f"upper(c{n}::varchar)") for way in ("", " DESC")
    ]
    order = draw(st.sampled_from([f"{first}.n", f"{first}.madeon DESC", f"{first}.k, {first}.n", *named]))
    return f"SELECT {items} FROM {text}{where} ORDER BY {order}, {keys} LIMIT {draw(st.integers(1, 6))}"


@st.composite
def limited(draw: st.DrawFn) -> str:
    """Keys that come out of a derived table: by LIMIT, DISTINCT, GROUP BY, a window."""
    table = draw(st.sampled_from(_PLAIN))
    column, other, own = draw(st.sampled_from(TIES[table]))
    inner = draw(condition((("s", table),), 1))
    order = f"ORDER BY s.n, s.no LIMIT {draw(st.integers(1, 5))}"
    kind = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN"]))
    derived = draw(
        st.sampled_from(
            [
                f"SELECT s.{own} AS x, s.n AS m FROM {table} s WHERE {inner} {order}",
                f"SELECT s.{own} AS x, s.n AS m FROM {table} s {order}",
                f"SELECT DISTINCT s.{own} AS x, s.n AS m FROM {table} s WHERE {inner}",
                f"SELECT s.{own} AS x, count(*) AS m FROM {table} s WHERE {inner} GROUP BY s.{own}",
                f"SELECT s.{own} AS x, row_number() OVER (ORDER BY s.n, s.no) AS m FROM {table} s WHERE {inner}",
            ]
        )
    )
    listed = f"SELECT s.{own} FROM {table} s WHERE {inner} {order}"
    where = draw(st.sampled_from(["", f" WHERE {draw(leaf('o', other))}", " WHERE d.m > 1"]))
    return draw(
        st.sampled_from(
            [
                f"SELECT d.m AS c, o.{column} AS e FROM ({derived}) d {kind} {other} o ON o.{column} = d.x{where}",
                f"WITH d AS ({derived}) SELECT d.m AS c, count(*) AS e FROM d {kind} {other} o "
                f"ON o.{column} = d.x{where} GROUP BY d.m",
                f"SELECT o.{column} AS c FROM {other} o WHERE o.{column} IN ({listed})",
                f"SELECT o.{column} AS c FROM {other} o WHERE o.{column} NOT IN ({listed})",
                f"SELECT t.n AS c, sum(t.k) AS e FROM {table} t JOIN (SELECT s.name AS mne, sum(s.n) AS q "
                f"FROM {table} s WHERE {inner} GROUP BY s.name ORDER BY q DESC, mne LIMIT 3) d "
                "ON t.name = d.mne GROUP BY t.n",
                draw(below_a_join(table, inner)),
                draw(below_a_join(table, inner)),
            ]
        )
    )


@st.composite
def below_a_join(draw: st.DrawFn, table: str, inner: str) -> str:
    """Groups of a table that a query repeats the rows of, or leaves some out of."""
    key = draw(st.sampled_from(["k", "n", "name"]))
    queries = [
        f"SELECT s.{key} AS x, s.n AS m FROM {table} s WHERE {inner} ORDER BY s.n, s.no LIMIT 4",
        f"SELECT s.{key} AS x, count(*) AS m FROM {table} s WHERE {inner} GROUP BY s.{key}",
        "SELECT 1 AS x, 2 AS m UNION ALL SELECT 1, 3 UNION ALL SELECT NULL, 0" if key != "name" else
        "SELECT 'oslo' AS x, 1 AS m UNION ALL SELECT 'Oslo', 2",
    ]  # fmt: skip
    kind, on = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN"])), f"t.{key} = d.x"
    values = [
        "count(*)",
        "sum(t.n)",
        "avg(t.k)",
        "min(t.n)",
        "count(t.k)",
        "max(d.m)",
        "count(DISTINCT t.k)",
        "count(CASE WHEN t.n > 1 THEN 1 END)",
    ]
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))
    by = draw(st.sampled_from(["t.k", f"t.{key}", "t.k % 2", f"t.{key}, d.m", "d.m"]))
    where = draw(
        st.sampled_from(["", f" WHERE {draw(leaf('t', table))}", " WHERE t.n > d.m", " WHERE d.m > 1 AND t.k > 0"])
    )
    items = ", ".join(f"{each} AS c{number}" for number, each in enumerate([*by.split(", "), *chosen]))
    return f"SELECT {items} FROM {table} t {kind} ({draw(st.sampled_from(queries))}) d ON {on}{where} GROUP BY {by}"


@st.composite
def looked_up_groups(draw: st.DrawFn) -> str:
    """Groups of one table by columns of the rows it looks up, its keys among them; groups by the names of outputs."""
    table = draw(st.sampled_from([name for name, lookups in LOOKUPS.items() if lookups]))
    lookups = draw(st.lists(st.sampled_from(list(LOOKUPS[table])), min_size=1, unique=True))
    text, aliases = f"{table} r", [("r", table)]
    for number, lookup in enumerate(lookups):
        alias, target = f"a{number}", draw(st.sampled_from(LOOKUPS[table][lookup]))
        kind = draw(st.sampled_from(["JOIN", "JOIN", "JOIN", "LEFT JOIN"]))
        on = f"{alias}.{KEYS[target]} = r.{lookup}"
        if kind == "JOIN" and number == 0 and draw(st.booleans()):
            text = f"{target} {alias} JOIN {table} r ON {on}"
        else:
            text += f" {kind} {target} {alias} ON {on}"
        aliases.append((alias, target))
    columns = [f"{alias}.{name}" for alias, own in aliases for name in ("n", "k", "name", "madeon", KEYS[own])]
    keys = draw(st.lists(st.sampled_from(columns[5:] * 2 + columns[:5]), min_size=1, max_size=2, unique=True))
    values = ["count(*)", "sum(r.n)", "max(r.k)", "avg(r.n)", "count(r.k)", "sum(a0.n)", "count(a0.k)", "min(r.madeon)"]
    values += [f"count({alias}.{KEYS[own]})" for alias, own in aliases]
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))
    where = f" WHERE {draw(condition(tuple(aliases), 1))}" if draw(st.booleans()) else ""
    items = ", ".join(f"{each} AS x{number}" for number, each in enumerate([*keys, *chosen]))
    having = draw(
        st.sampled_from(["", " HAVING count(*) > 1", f" HAVING {chosen[0]} >= 1" * ("madeon" not in chosen[0])])
    )
    return draw(
        st.sampled_from(
            [
                f"SELECT {items} FROM {text}{where} GROUP BY {', '.join(keys)}{having}",
                f"SELECT {items} FROM {text}{where} GROUP BY {', '.join(f'x{n}' for n in range(len(keys)))}{having}",
                f"SELECT {items} FROM {text}{where} GROUP BY ALL{having}",
                f"SELECT DISTINCT {', '.join(keys)} FROM {text}{where}",
                f"SELECT d.x AS c, sum(d.m) AS s FROM (SELECT {keys[0]} AS x, r.n AS m "
                f"FROM {text}{where}) d GROUP BY d.x",
            ]
        )
    )


@st.composite
def scalar(draw: st.DrawFn) -> str:
    """Subqueries that give a value, and unions of joins."""
    table = draw(st.sampled_from(_PLAIN))
    table = table if table != "tag" else "firm"
    column, other, own = draw(st.sampled_from([tie for tie in TIES[table] if tie[1] not in LINKS]))
    inner, outer = draw(condition((("o", other),), 1, False)), draw(condition((("t", table),), 1))
    tie = f"o.{column} = t.{own}"
    value = draw(st.sampled_from(["count(*)", "max(o.madeon)", "sum(o.n)", "min(o.k)"]))
    return draw(
        st.sampled_from(
            [
                f"SELECT t.n AS c, (SELECT {value} FROM {other} o WHERE {tie} AND {inner}) AS d FROM {table} t "
                f"WHERE {outer}",
                f"SELECT t.n AS c FROM {table} t WHERE t.n = (SELECT min(o.n) FROM {other} o WHERE {tie} AND {inner})",
                f"SELECT o.n AS c FROM {other} o JOIN {table} t ON {tie} WHERE {outer} "
                f"UNION ALL SELECT t.k AS c FROM {table} t LEFT JOIN {other} o ON {tie} WHERE {inner}",
                f"SELECT t.n AS c FROM {table} t WHERE t.{own} IN (SELECT o.{column} FROM {other} o WHERE {inner}) "
                f"AND {outer}",
                f"SELECT count(*) AS c FROM {table} t, {other} o WHERE {tie} AND {inner} AND {outer}",
            ]
        )
    )


@st.composite
def dataset(draw: st.DrawFn) -> str:
    """A join under other names in a derived table, as BI tools wrap it."""
    text, tables, left_over = draw(_source(3))
    (one, _), (two, second) = tables[0], tables[-1]
    terms = left_over + ([draw(condition(tables, 1, draw(st.booleans())))] if draw(st.booleans()) else [])
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    columns = [f"{one}.n AS x", f"{one}.no AS id", f"{two}.{_columns(second)[0]} AS y", f"{one}.name AS n"]
    inner = f"SELECT {', '.join(columns)} FROM {text}{where}"
    outer = draw(st.sampled_from(["", " WHERE x > 1", " WHERE d.y IS NOT NULL", " WHERE n LIKE 'o%' OR x IS NULL"]))
    head, tail = f"({inner}) d{outer}", "ORDER BY id, CAST(y AS VARCHAR)"
    return draw(
        st.sampled_from(
            [
                f"SELECT x, y AS z FROM {head}",
                f"SELECT * FROM {head} {tail} LIMIT 4",
                f"SELECT x AS x, count(*) AS c FROM {head} GROUP BY x",
                f"SELECT count(*) AS c, count(y) AS n, sum(x) AS s FROM {head}",
                f"SELECT DISTINCT y FROM {head}",
                f"SELECT x, n AS q FROM ({inner.replace('.name AS n', '.k AS n')}) d {tail} LIMIT 3",
                f"SELECT y AS g, min(x) AS m FROM {head} GROUP BY y HAVING count(*) > 1",
                f"WITH d AS ({inner}) SELECT d.x, d.id FROM d{outer} ORDER BY d.id LIMIT 5",
                f"SELECT count(*) AS c FROM (SELECT x, y FROM {head} {tail} LIMIT 5) e",
            ]
        )
    )


statement = st.one_of(
    chosen(), joined(), joined(), ordered(), limited(), scalar(), dataset(), looked_up_groups(), looked_up_groups()
)
