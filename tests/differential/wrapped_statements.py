"""Random joins and groups inside of other queries, and with queries inside of them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.differential.joined_statements import below_a_join, dataset, joined, looked_up_groups

__all__ = ["wrapped"]


@st.composite
def wrapped(draw: st.DrawFn) -> str:
    """A join or groups, read by another query, or joined with what does not belong to it."""
    sql = draw(st.one_of(looked_up_groups(), looked_up_groups(), below_a_join("firm", "s.k > 0"), dataset(), joined()))
    if " LIMIT " in sql or " ORDER BY " in sql or sql.startswith("WITH "):
        return sql
    shapes = [
        f"WITH w AS (SELECT k FROM tag) {sql}",
        f"WITH q AS ({sql}) SELECT count(*) AS n FROM q, q p",
        f"SELECT count(*) AS n FROM ({sql}) q",
        f"SELECT * FROM ({sql}) q",
        f"SELECT q.*, f.no FROM ({sql}) q CROSS JOIN firm f WHERE f.no < 2",
        f"SELECT t.no FROM firm t WHERE EXISTS ({sql})",
        f"{sql} UNION {sql}",
        f"{sql} EXCEPT ALL {sql}",
        *_with_more(sql),
    ]
    return draw(st.sampled_from(shapes))


def _with_more(sql: str) -> list[str]:
    head, _, rest = sql.partition(" FROM ")
    if "DISTINCT" in head:
        return []
    found = [f"{head}, (SELECT max(z.n) FROM tag z) AS zz FROM {rest}"]
    if " GROUP BY " in sql:
        found.append(f"{head}, rank() OVER (ORDER BY count(*)) AS rr FROM {rest}")
    if " GROUP BY " in sql and " HAVING " not in sql:
        found.append(f"{sql} HAVING count(*) > (SELECT count(*) FROM tag z WHERE z.k = 1) - 2")
    return found
