"""answer(pushdown) == answer(no pushdown) == plain DuckDB over the same rows, for random statements and rows."""

from __future__ import annotations

import pytest
from hypothesis import note

from tests.differential.statements import statement
from tests.differential.ways import EXAMPLES, SEED_SAID, Witnesses, over_random

pytestmark = pytest.mark.timeout(180 + EXAMPLES)


@over_random(sql=statement)
def test_three_ways_one_answer(witnesses: Witnesses, sql: str) -> None:
    pushed, local, plain = witnesses.answers(sql)
    note(SEED_SAID)
    assert local == plain, sql
    assert pushed == plain, sql
