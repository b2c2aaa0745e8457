"""Order and LIMIT three ways: pushed over small pages, computed here, and by plain DuckDB."""

from __future__ import annotations

import pytest
from hypothesis import note

from tests.differential.ordered_statements import Ordered, answers, ordered_statement, spoken
from tests.differential.ways import EXAMPLES, SEED_SAID, Witnesses, over_random

pytestmark = pytest.mark.timeout(180 + EXAMPLES)


@over_random(wanted=ordered_statement)
def test_three_ways_one_order(paged_witnesses: Witnesses, wanted: Ordered) -> None:
    pushed, local, plain = answers(paged_witnesses, wanted)
    note(SEED_SAID)
    assert local == plain, spoken(wanted.sql)
    assert pushed == plain, spoken(wanted.sql)
