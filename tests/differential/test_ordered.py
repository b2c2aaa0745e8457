"""Order and LIMIT three ways: pushed over small pages, computed here, and by plain DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, seed, settings

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.execute import planning
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.differential.ordered_statements import Ordered, ordered_statement, plainly, spoken
from tests.differential.organisation import METADATA, SEED, rows
from tests.differential.test_answers import EXAMPLES, NOON, _at_noon, _comparable, _plain, _post

pytestmark = pytest.mark.timeout(180 + EXAMPLES)
Rows = list[tuple[Any, ...]]


@dataclass
class Ways:
    """Three ways to the same answer."""

    pushed: dbapi.Connection
    local: dbapi.Connection
    plain: duckdb.DuckDBPyConnection

    def answers(self, wanted: Ordered) -> list[Any]:
        """Return the three answers as they compare."""
        found = [_run(self.pushed, spoken(wanted.sql)), _run(self.local, spoken(wanted.sql))]
        found.append(self.plain.execute(_at_noon(plainly(wanted.sql))).fetchall())
        return [_as_compared(wanted, [tuple(map(_comparable, row)) for row in each]) for each in found]


def _run(connection: dbapi.Connection, sql: str) -> Rows:
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def _as_compared(wanted: Ordered, found: Rows) -> Any:
    return {"list": found, "bag": sorted(found, key=repr), "count": len(found)}[wanted.compared]


@pytest.fixture(scope="module", params=[(4, 12), (5, 40), (6, 0)], ids=["few", "many", "none"])
def ways(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    chosen, size, *drawn = request.param
    document = tmp_path_factory.mktemp("organisation") / "metadata.xml"
    document.write_text(METADATA, encoding="utf-8")
    with Sandbox(rows=0, metadata=document) as org:
        for table, made in rows(chosen, size, *drawn).items() if size else ():
            _post(f"{org.url}/_sandbox/rows", {"table": table, "rows": made})
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        pushed, local = dbapi.connect(url, PageSize=7), dbapi.connect(url, Pushdown=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(planning, "clock", lambda: NOON)
            yield Ways(pushed, local, _plain(local))


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(wanted=ordered_statement)
def test_three_ways_one_order(ways: Ways, wanted: Ordered) -> None:
    pushed, local, plain = ways.answers(wanted)
    note(f"DYNAMICS_DIFFERENTIAL_SEED={SEED}")
    assert local == plain, spoken(wanted.sql)
    assert pushed == plain, spoken(wanted.sql)
