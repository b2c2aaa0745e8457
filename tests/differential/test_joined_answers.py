"""answer(pushdown) == answer(no pushdown) == plain DuckDB, for joins and subqueries over tables that are tied together.

A third as many statements as `DYNAMICS_DIFFERENTIAL` says for each data set.
"""

from __future__ import annotations

import pytest
from hypothesis import note
from hypothesis import strategies as st

from tests.differential.joined_statements import statement
from tests.differential.ways import EXAMPLES, SEED_SAID, Witnesses, over_random
from tests.differential.wrapped_statements import wrapped

pytestmark = pytest.mark.timeout(180 + EXAMPLES)


@over_random(max(1, EXAMPLES // 3), sql=st.one_of(statement, statement, wrapped()))
def test_three_ways_one_answer(joined_witnesses: Witnesses, sql: str) -> None:
    pushed, local, plain = joined_witnesses.answers(sql)
    note(SEED_SAID)
    assert local == plain, sql
    assert pushed == plain, sql
