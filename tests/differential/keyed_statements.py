"""Random joins of which one row is named by its key, with something left to do here for every row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from tests.differential.joined_organisation import KEYS, LINKS, LOOKUPS
from tests.differential.joined_statements import TIES

__all__ = ["keyed", "with_keys"]

_NOBODY = "00000000-0000-4000-8000-000000000000"
_NAMED = re.compile(r"@(\w+?)(\d)@")


@st.composite
def keyed(draw: st.DrawFn) -> str:
    """A join of two to four tables; ``@firm3@`` stands for the key of the fourth row of firm."""
    tables, tree = _tree(draw)
    terms = [_key(draw, draw(st.sampled_from(tables)))]
    terms += [_lookup(draw, each) for each in tables if LOOKUPS[each[1]] and draw(st.integers(0, 3)) == 0]
    where = draw(st.sampled_from([" AND ", " AND ", " OR "])).join(terms)
    shown = [_shown(alias, table) for alias, table in tables]
    head = draw(st.sampled_from([f"upper({shown[0]}) AS u", f"{shown[-1]} || 'x' AS u", "1 AS u"]))
    outputs = ", ".join(f"{each} AS c{number}" for number, each in enumerate(shown))
    if draw(st.integers(0, 3)) == 0:
        counted = f"count(DISTINCT {shown[-1]}) AS u"
        return f"SELECT {shown[0]} AS c0, {counted} FROM {tree} WHERE {where} GROUP BY {shown[0]}"
    order = ", ".join(f"c{number}" for number in range(len(shown)))
    return f"SELECT {outputs}, {head} FROM {tree} WHERE {where}{draw(st.sampled_from(['', f' ORDER BY {order}']))}"


def _tree(draw: st.DrawFn) -> tuple[list[tuple[str, str]], str]:
    tables = [("t1", draw(st.sampled_from(["firm", "person", "deal", "tag"])))]
    tree = _from(draw, *tables[0])
    for number in range(2, draw(st.integers(2, 4)) + 1):
        alias, table = draw(st.sampled_from(tables))
        column, other, own = draw(st.sampled_from(TIES[table]))
        tables.append((f"t{number}", other))
        kind = draw(st.sampled_from(["JOIN", "JOIN", "LEFT JOIN"]))
        tree += f" {kind} {_from(draw, f't{number}', other)} ON t{number}.{column} = {alias}.{own}"
    return tables, tree


def _from(draw: st.DrawFn, alias: str, table: str) -> str:
    if draw(st.integers(0, 3)):
        return f"{table} {alias}"
    return f"(SELECT * FROM {table} WHERE {KEYS[table]} IS NOT NULL) {alias}"


def _shown(alias: str, table: str) -> str:
    return f"CAST({alias}.{KEYS[table]} AS VARCHAR)" if table in LINKS else f"CAST({alias}.no AS VARCHAR)"


def _key(draw: st.DrawFn, named: tuple[str, str]) -> str:
    alias, table = named
    one, two = (f"'@{table}{draw(st.integers(0, 9))}@'" for _ in range(2))
    column = f"{alias}.{KEYS[table]}"
    return draw(st.sampled_from([f"{column} = {one}", f"{column} = {one}", f"{column} IN ({one}, {two})"]))


def _lookup(draw: st.DrawFn, named: tuple[str, str]) -> str:
    alias, table = named
    lookup = draw(st.sampled_from(list(LOOKUPS[table])))
    target = draw(st.sampled_from(LOOKUPS[table][lookup]))
    return f"{alias}.{lookup} = '@{target}{draw(st.integers(0, 9))}@'"


def with_keys(sql: str, keys: Mapping[str, Sequence[object]]) -> str:
    """The statement with keys that are there, as far as there are any."""

    def key(found: re.Match[str]) -> str:
        some = keys[found[1]]
        return str(some[int(found[2]) % len(some)]) if some else _NOBODY

    return _NAMED.sub(key, sql)
