"""Random chains of queries as dbt writes them: each selects from the one before it, named by WITH or derived."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from tests.differential.joined_organisation import KEYS

__all__ = ["chained"]

_TABLES = ("firm", "person", "deal", "tag")
_COLUMNS = ("n", "k", "name", "no")
_CONDITIONS = ("n > 0", "no <= 9", "n IS NULL OR no > 2", "NOT (n = 1)", "n + no > 3", "n IN (1, 2)")
_ENDS = (
    "SELECT count(*) AS c FROM {last}",
    "SELECT {one}, count(*) AS c FROM {last} GROUP BY {one}",
    "SELECT {one} AS x, count(*) AS count FROM {last} GROUP BY {one} ORDER BY count DESC, x",
    "SELECT {one}, sum(no) AS s, count(DISTINCT {two}) AS d FROM {last} GROUP BY 1 HAVING count(*) > 1",
    "SELECT {one}, count(*) * 1.0 / sum(count(*)) OVER () AS p FROM {last} GROUP BY {one}",
    "SELECT {one}, rank() OVER (ORDER BY count(*)) AS r FROM {last} GROUP BY 1",
    "SELECT {one}, SUM(1) AS s, max(sum(no)) OVER (PARTITION BY {one}) AS m FROM {last} GROUP BY {one}",
    "SELECT sum(1) AS s FROM {last} WHERE {condition}",
    "SELECT * FROM {last}",
    "SELECT {one} AS x, no FROM {last} ORDER BY no DESC LIMIT 3",
    "SELECT DISTINCT {one} FROM {last}",
    "SELECT max(no) AS m, min({two}) AS l FROM {last} WHERE {condition}",
    "SELECT l.{one}, p.no AS other FROM {last} l JOIN person p ON p.no = l.no WHERE p.k > 0",
    "SELECT {one} FROM {last} UNION ALL SELECT 'x' AS one WHERE 1 = 0",
)


@st.composite
def chained(draw: st.DrawFn) -> str:
    """One to three queries after one another over a table, and one over the last of them."""
    table = draw(st.sampled_from(_TABLES))
    names, steps, source = list(_COLUMNS), list[tuple[str, str]](), table
    for alias in ("a", "b", table if table != "person" else "c")[: draw(st.integers(1, 3))]:
        query, names = _step(draw, source, names, "" if steps else KEYS[table])
        steps.append((alias, query))
        source = alias
    last = draw(st.sampled_from(_ENDS)).format(
        last="{last}", one=draw(st.sampled_from(names)), two=draw(st.sampled_from(names)), condition=_condition(draw)
    )
    if draw(st.booleans()):
        return _nested(steps, last)
    return f"WITH {', '.join(f'{alias} AS ({query})' for alias, query in steps)} {last.format(last=source)}"


def _step(draw: st.DrawFn, source: str, names: list[str], key: str) -> tuple[str, list[str]]:
    where = f" WHERE {_condition(draw)}" if draw(st.booleans()) else ""
    if draw(st.integers(0, 2)) == 0:
        return f"SELECT * FROM {source}{where}", names
    chosen = [*dict.fromkeys(["n", "no", *draw(st.lists(st.sampled_from(names), max_size=3))])]
    shown = [*chosen, *([key] if key and draw(st.booleans()) else [])]
    outputs = ", ".join(shown) + (", n AS m" if "m" not in names and draw(st.booleans()) else "")
    return f"SELECT {outputs} FROM {source}{where}", [*chosen, *(["m"] if outputs.endswith("AS m") else [])]


def _condition(draw: st.DrawFn) -> str:
    return draw(
        st.sampled_from(["n > 0", "no <= 9", "n IS NULL OR no > 2", "NOT (n = 1)", "n + no > 3", "n IN (1, 2)"])
    )


def _nested(steps: list[tuple[str, str]], last: str) -> str:
    """The same as derived tables."""
    source = steps[0][1]
    for (alias, _), (_, query) in pairwise(steps):
        source = query.replace(f"FROM {alias}", f"FROM ({source}) {alias}")
    alias = f" {steps[-1][0]}" if " l JOIN" not in last else ""
    return last.replace("{last}", f"({source}){alias}")
