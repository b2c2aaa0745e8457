"""EXPLAIN of a statement whose parameters have no values yet: the requests it will be when they fit their columns."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

FILTERS = {
    "name = ?": "name eq {1}",
    "name = :wanted": "name eq {wanted}",
    "numberofemployees > ?": "numberofemployees gt {1}",
    "? < createdon": "createdon gt {1}",
    "accountid IN (?, ?)": "Microsoft.Dynamics.CRM.In(PropertyName='accountid',PropertyValues=[{1},{2}])",
    "createdon > now() AND statecode = ?": "createdon gt {now} and statecode eq {1}",
    "createdon > now() - INTERVAL (?) DAY": "createdon gt {now - $1 day}",
    "CAST(createdon AS DATE) = :day": "createdon ge {$day ceil day} and createdon lt {$day next day}",
    "last_x_days(createdon, ?)": "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue={1})",
    "under(accountid, :top)": "Microsoft.Dynamics.CRM.Under(PropertyName='accountid',PropertyValue={top})",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[dbapi.Connection]:
    with (
        Sandbox(rows=10) as org,
        dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token) as connection,
    ):
        yield connection


@pytest.mark.parametrize("condition", FILTERS)
def test_parameters_stand_in_the_filter(connection: dbapi.Connection, condition: str) -> None:
    sql = f"SELECT name FROM account WHERE {condition}"
    (step,) = connection.explain(sql)
    assert unquote(step[2]) == f"GET accounts?$select=name&$filter={FILTERS[condition]}"
    assert connection.cursor().execute(f"EXPLAIN {sql}").fetchall() == [step]


def test_a_pattern_that_is_not_known_stays_here(connection: dbapi.Connection) -> None:
    kinds = [kind for _, kind, _ in connection.explain("SELECT name FROM account WHERE name LIKE :pattern")]
    assert kinds == ["request", "residual", "note"]


def test_a_write_shows_its_parameters(connection: dbapi.Connection) -> None:
    steps = connection.explain("UPDATE account SET name = :name WHERE accountid = :id")
    assert steps[0][1:] == ("write", "PATCH accounts({id})")
