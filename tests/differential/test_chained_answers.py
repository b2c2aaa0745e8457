"""answer(pushdown) == answer(no pushdown) == plain DuckDB, for queries over queries."""

from __future__ import annotations

import pytest
from hypothesis import note

from tests.differential.chained_statements import chained
from tests.differential.ways import EXAMPLES, SEED_SAID, Witnesses, over_random

pytestmark = pytest.mark.timeout(180 + EXAMPLES)


@over_random(max(1, EXAMPLES // 3), sql=chained())
def test_three_ways_one_answer(joined_witnesses: Witnesses, sql: str) -> None:
    pushed, local, plain = joined_witnesses.answers(sql)
    note(SEED_SAID)
    assert local == plain, sql
    assert pushed == plain, sql
