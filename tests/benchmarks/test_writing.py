"""The benchmark of writes writes what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from tests.benchmarks.writing import Organisation, ours


@pytest.fixture
def org() -> Iterator[Organisation]:
    with Sandbox(rows=4) as sandbox:
        yield Organisation(sandbox.url, sandbox.access_token)


def test_every_row_is_written(org: Organisation) -> None:
    found = list(ours(org, 450))
    assert [(cost.name, cost.rows) for cost in found] == [("insert", 450), ("update", 450), ("delete", 450)]
    assert all(0 < cost.requests < 10 for cost in found)
