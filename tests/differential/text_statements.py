"""Random SELECTs that group, join, sort and compare computed texts.

A statement is written once. ``⟦x⟧`` stands where texts are compared or come out, ``⟪x⟫`` where LIKE reads one: the
driver is sent x, the witness, which has no rule of its own, the key of x, ``k(x)`` or ``l(x)``.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.differential.organisation import TEXTS

__all__ = ["TextStatement", "text_statement"]

_SET_OPERATIONS = ["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"]
_JOINS = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]
_PATTERNS = ["a%", "a_", "% ", "%ss%", "a %", "_", "__", "stra_e%", "stra__e", "%É%", "E_"]


@dataclass(frozen=True)
class TextStatement:
    """`template` with the marks; `others` are what only one of the two is sent instead, driver's first."""

    template: str
    others: tuple[tuple[str, str], ...] = ()

    def spoken(self) -> str:
        """The statement for the driver."""
        return self._without("", "", 0)

    def plainly(self) -> str:
        """The statement for the witness."""
        return self._without("k(", "l(", 1)

    def _without(self, key: str, like: str, which: int) -> str:
        sql = self.template
        for number, pair in enumerate(self.others):
            sql = sql.replace(f"<{number}>", pair[which])
        end = ")" if key else ""
        sql = sql.replace("nullif(", "null_if_same(") if key else sql
        return sql.replace("⟦", key).replace("⟧", end).replace("⟪", like).replace("⟫", end)

    def __str__(self) -> str:
        return self.spoken()


_literal = st.sampled_from(TEXTS).map(lambda text: "'" + text.replace("'", "''") + "'")


@st.composite
def text(draw: st.DrawFn, alias: str, depth: int = 1) -> str:
    """A text over the columns name and city of an alias, plain or computed."""
    column = f"{alias}.{draw(st.sampled_from(['name', 'city']))}"
    if not draw(st.integers(0, 3)):
        return column
    inner = draw(text(alias, depth - 1)) if depth else column
    other, constant, number = draw(text(alias, 0)) if depth else column, draw(_literal), draw(st.integers(0, 3))
    shapes = [
        f"upper({inner})",
        f"lower({inner})",
        f"({inner} || ' ')",
        f"({inner} || {constant})",
        f"concat({inner}, ' ', {other})",
        f"trim({inner})",
        f"left({inner}, {number})",
        f"substr({inner}, 2)",
        f"replace({inner}, 'ß', 's ')",
        f"coalesce({inner}, {constant})",
        f"nullif({inner}, {constant})",
        f"CASE WHEN {alias}.k > {number} THEN {inner} ELSE {other} END",
        f"CASE WHEN ⟪{inner}⟫ LIKE {draw(_pattern)} THEN {inner} ELSE {constant} END",
        f"CAST({inner} AS VARCHAR)",
        f"CASE ⟦{inner}⟧ WHEN ⟦{constant}⟧ THEN {other} ELSE {inner} END",
        f"CAST({alias}.n AS VARCHAR)",
        f"rpad({inner}, 4, ' ')",
    ]
    return draw(st.sampled_from(shapes))


_pattern = st.sampled_from(_PATTERNS).map(lambda pattern: f"⟪'{pattern}'⟫")


@st.composite
def source(draw: st.DrawFn) -> tuple[str, str]:
    """A WITH clause or nothing, and what is read as t: a table, a derived table or a common table expression."""
    where = f" WHERE {draw(condition('f', 0))}" if draw(st.booleans()) else ""
    shapes = ["f.name, f.city, f.n, f.k", f"{draw(text('f'))} AS name, {draw(text('f'))} AS city, f.n AS n, f.k AS k"]
    query = f"SELECT {draw(st.sampled_from(shapes))} FROM firm f{where}"
    kind = draw(st.integers(0, 3))
    return ("", "firm t") if kind < 2 else ("", f"({query}) t") if kind == 2 else (f"WITH t AS ({query}) ", "t")


@st.composite
def condition(draw: st.DrawFn, alias: str, depth: int = 1) -> str:
    """A condition on texts."""
    one, other = draw(text(alias)), draw(text(alias))
    first, second = draw(_literal), draw(_literal)
    negation = draw(st.sampled_from(["", "NOT "]))
    op = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]))
    shapes = [
        f"⟦{one}⟧ {op} ⟦{first}⟧",
        f"⟦{one}⟧ {op} ⟦{other}⟧",
        f"⟦{one}⟧ {negation}IN (⟦{first}⟧, ⟦{second}⟧)",
        f"⟦{one}⟧ {negation}BETWEEN ⟦{first}⟧ AND ⟦{second}⟧",
        f"⟦{one}⟧ IS {negation}DISTINCT FROM ⟦{other}⟧",
        f"⟪{one}⟫ {negation}LIKE {draw(_pattern)}",
        f"(⟦{one}⟧, {alias}.k) = (⟦{first}⟧, 1)",
        f"(⟦{one}⟧, {alias}.k) IN ((⟦{first}⟧, 1), (⟦{second}⟧, 0))",
        f"length({one}) > {draw(st.integers(0, 3))}",
    ]
    if depth:
        inner = f"FROM person p WHERE p.k {draw(st.sampled_from(['<', '>']))} 2"
        wanted = draw(text("p"))
        shapes += [
            f"⟦{one}⟧ {negation}IN (SELECT ⟦{wanted}⟧ {inner})",
            f"⟦{one}⟧ = ANY (SELECT ⟦{wanted}⟧ {inner})",
            f"⟦{one}⟧ {op} ALL (SELECT ⟦{wanted}⟧ {inner})",
            f"{negation}EXISTS (SELECT 1 {inner} AND ⟦{wanted}⟧ = ⟦{one}⟧)",
            f"⟦{one}⟧ {op} (SELECT max(⟦{wanted}⟧) {inner})",
        ]
    return draw(st.sampled_from(shapes))


@st.composite
def grouped(draw: st.DrawFn) -> str:
    """Groups, distinct rows and counts of texts."""
    start, read = draw(source())
    one, other = draw(text("t")), draw(text("t"))
    where = f" WHERE {draw(condition('t'))}" if draw(st.booleans()) else ""
    having = f" HAVING max(⟦{other}⟧) > ⟦{draw(_literal)}⟧" if draw(st.booleans()) else ""
    tail = f"FROM {read}{where}"
    group = draw(st.sampled_from([f"⟦{one}⟧", "1", "ALL", "c"])) if " || " in one or "(" in one else f"⟦{one}⟧"
    sets = draw(st.sampled_from([f"ROLLUP (⟦{one}⟧, t.k)", f"GROUPING SETS ((⟦{one}⟧), (t.k), ())", f"⟦{one}⟧, t.k"]))
    shapes = [
        f"SELECT ⟦{one}⟧ AS c, count(*) AS d, min(t.n) AS e {tail} GROUP BY {group}{having}",
        f"SELECT ⟦{one}⟧ AS c, t.k AS d, count(*) AS e, max(⟦{other}⟧) AS f {tail} GROUP BY {sets}",
        f"SELECT t.k AS c, count(DISTINCT ⟦{one}⟧) AS d, count(DISTINCT ⟦{other}⟧) FILTER (WHERE t.n > 1) AS e {tail} "
        f"GROUP BY t.k",
        f"SELECT min(⟦{one}⟧) AS c, max(⟦{other}⟧) AS d, count({one}) AS e {tail}",
        f"SELECT DISTINCT ⟦{one}⟧ AS c, t.k AS d {tail}",
        f"SELECT DISTINCT ⟦{one}⟧ AS c {tail} ORDER BY c DESC",
        f"SELECT DISTINCT ON (⟦{one}⟧) t.n AS c {tail} ORDER BY ⟦{one}⟧, t.n",
        f"SELECT count(*) AS c FROM (SELECT DISTINCT ⟦{one}⟧ AS c, ⟦{other}⟧ AS d {tail}) x",
        f"SELECT count(*) AS c FROM (SELECT ⟦{one}⟧ AS u {tail}) x WHERE ⟦x.u⟧ = ⟦{draw(_literal)}⟧",
    ]
    return start + draw(st.sampled_from(shapes))


@st.composite
def combined(draw: st.DrawFn) -> TextStatement:
    """Set operations and joins."""
    start, read = draw(source())
    one, other, joined = draw(text("t")), draw(text("p")), draw(st.sampled_from(_JOINS))
    also = f" AND t.k {draw(st.sampled_from(['=', '<']))} p.k" if draw(st.booleans()) else ""
    operation = draw(st.sampled_from(_SET_OPERATIONS))
    where = f" WHERE {draw(condition('t', 0))}" if draw(st.booleans()) else ""
    on = f"ON ⟦{one}⟧ = ⟦{other}⟧"
    using, natural = (("USING (name)", "ON k(t.name) = k(p.name)"), ("NATURAL", ""))
    either = ("name", "coalesce(t.name, p.name)")
    person = "(SELECT f.name, f.n AS m FROM person f) p"
    only = ("(SELECT f.name, f.k AS k, f.city FROM firm f) t", "(SELECT f.name, f.k AS k, f.city FROM firm f) t")
    shapes = [
        TextStatement(
            f"{start}SELECT ⟦{one}⟧ AS c, t.k AS d FROM {read}{where} {operation} SELECT ⟦{other}⟧, p.k FROM person p"
        ),
        TextStatement(
            f"{start}SELECT count(*) AS c FROM (SELECT ⟦{one}⟧ AS u FROM {read}{where} {operation} "
            f"SELECT ⟦{other}⟧ FROM person p) x"
        ),
        TextStatement(
            f"{start}SELECT t.n AS c, p.n AS d, ⟦{other}⟧ AS e FROM {read} {joined} person p {on}{also}{where}"
        ),
        TextStatement(
            f"{start}SELECT t.n AS c FROM {read} {draw(st.sampled_from(['SEMI', 'ANTI']))} JOIN person p {on}"
        ),
        TextStatement(
            f"{start}SELECT ⟦<1>⟧ AS c, t.k AS d, p.n AS e FROM {read} {joined} person p <0>{where}", (using, either)
        ),
        TextStatement(
            f"SELECT ⟦<1>⟧ AS c, t.k AS d, p.m AS e FROM <2> <0> JOIN {person}<3>",
            (natural, either, only, ("", " ON k(t.name) = k(p.name)")),
        ),
    ]
    return draw(st.sampled_from(shapes))


@st.composite
def sorted_texts(draw: st.DrawFn) -> str:
    """Windows, order and conditions. (What is sorted first by the service comes in an order of its own.)"""
    start, read = draw(source())
    one, other, constant = draw(text("t")), draw(text("t")), draw(_literal)
    order = draw(st.sampled_from(["", " DESC", " NULLS LAST", " DESC NULLS FIRST"]))
    where = f" WHERE {draw(condition('t'))}" if draw(st.booleans()) else ""
    ranked = draw(st.sampled_from(["rank()", "dense_rank()", "cume_dist()", "count(*)", "sum(t.n)"]))
    extreme = draw(st.sampled_from(["max", "min", "first_value", "last_value"]))
    shapes = [
        f"SELECT t.n AS c, {ranked} OVER (ORDER BY ⟦{one}⟧{order}) AS d FROM {read}{where}",
        f"SELECT t.n AS c, count(*) OVER (PARTITION BY ⟦{one}⟧) AS d FROM {read}{where}",
        f"SELECT t.n AS c, {ranked} OVER (PARTITION BY ⟦{one}⟧, t.k ORDER BY ⟦{other}⟧{order}) AS d FROM {read}{where}",
        f"SELECT {extreme}(⟦{one}⟧) OVER (PARTITION BY ⟦{other}⟧ ORDER BY ⟦{one}⟧{order} ROWS BETWEEN "
        f"UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS c FROM {read}{where}",
        f"SELECT ⟦left({one}, 4)⟧ AS c FROM {read}{where} ORDER BY ⟦left({one}, 4)⟧{order} LIMIT 5 OFFSET 1",
        f"SELECT count(*) AS c FROM (SELECT 1 AS x FROM {read}{where} QUALIFY row_number() OVER (PARTITION BY ⟦{one}⟧ "
        f"ORDER BY t.n) = 1) y",
        f"SELECT CASE ⟦{one}⟧ WHEN ⟦{constant}⟧ THEN 1 WHEN ⟦'ss'⟧ THEN 2 WHEN ⟦{other}⟧ THEN 3 ELSE 0 END AS c, "
        f"⟦nullif({other}, {constant})⟧ AS d FROM {read}{where}",
        f"SELECT t.n AS c, ⟦{other}⟧ AS d FROM {read}{where}",
        f"SELECT ⟦{one}⟧ = ⟦{other}⟧ AS c, ⟪{one}⟫ LIKE {draw(_pattern)} AS d FROM {read}{where}",
    ]
    return start + draw(st.sampled_from(shapes))


text_statement = st.one_of(grouped().map(TextStatement), combined(), sorted_texts().map(TextStatement))
