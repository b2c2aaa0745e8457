"""answer(pushdown) == answer(no pushdown) == plain DuckDB, for joins around a row that is named by its key."""

from __future__ import annotations

import pytest
from hypothesis import note

from tests.differential.joined_organisation import KEYS
from tests.differential.keyed_statements import keyed, with_keys
from tests.differential.ways import EXAMPLES, SEED_SAID, Witnesses, over_random

pytestmark = pytest.mark.timeout(180 + EXAMPLES)


@pytest.fixture(scope="module")
def keys(joined_witnesses: Witnesses) -> dict[str, list[object]]:
    """By table, the keys that its rows have."""
    cursor = joined_witnesses.local.cursor()
    found = {name: cursor.execute(f"SELECT {key} FROM {name} ORDER BY {key}").fetchall() for name, key in KEYS.items()}
    return {name: [key for (key,) in rows] for name, rows in found.items()}


@over_random(max(1, EXAMPLES // 6), sql=keyed())
def test_three_ways_one_answer(joined_witnesses: Witnesses, keys: dict[str, list[object]], sql: str) -> None:
    named = with_keys(sql, keys)
    pushed, local, plain = joined_witnesses.answers(named)
    note(SEED_SAID)
    assert local == plain, named
    assert pushed == plain, named
