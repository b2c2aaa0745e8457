"""The 69 query functions as SQL functions, each asked of the sandbox, with pushdown and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import DatabaseError, DataError, ProgrammingError
from sqlalchemy_dynamics.planner.crm_functions import FUNCTIONS, Function
from sqlalchemy_dynamics.sandbox import Sandbox

_COLUMNS = {
    "date": "createdon",
    "time": "createdon",
    "key": "accountid",
    "id": "ownerid",
    "number": "numberofemployees",
    "value": "numberofemployees",
    "text": "name",
}
_ARGUMENTS = {"count": "2", "day": "'2024-02-01'", "id": "'{id}'", "value": "300", "values": "300, 500", "text": "'a'"}
ONCE = list({function.wire: function for function in FUNCTIONS.values()}.values())


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=30, seed=2) as org:
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url), dbapi.connect(url, Pushdown=False)


def _rows(connection: dbapi.Connection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return sorted(cursor.execute(sql, values).fetchall(), key=repr)


def test_there_are_69() -> None:
    assert len(ONCE) == 69
    assert all(FUNCTIONS[name].sql == name or name.startswith(("eq_", "ne_")) for name in FUNCTIONS)


@pytest.mark.parametrize("function", [each for each in ONCE if each.about != "choices"], ids=lambda each: each.sql)
def test_asked_of_the_service(both: tuple[dbapi.Connection, dbapi.Connection], function: Function) -> None:
    pushed, local = both
    key = _rows(pushed, "SELECT accountid FROM account")[0][0]
    arguments = [_ARGUMENTS[name].format(id=key) for name in function.arguments]
    call = f"{function.sql}({', '.join([_COLUMNS[function.about], *arguments])})"
    sql = f"SELECT accountid FROM account WHERE {call} AND name IS NOT NULL"
    if function.wire == "Contains":
        with pytest.raises(DatabaseError, match="full-text"):
            _rows(pushed, sql)
        return
    assert _rows(pushed, sql) == _rows(local, sql)
    assert len(pushed.explain(sql)) == 1


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("last_x_days(createdon, -1)", ()),
        ("last_x_days(createdon, 0)", ()),
        ("older_than_x_minutes(createdon, ?)", (-5,)),
        ("in_fiscal_period_and_year(createdon, 1, ?)", (0,)),
    ],
)
def test_counts_are_positive(both: tuple[dbapi.Connection, dbapi.Connection], sql: str, values: tuple[int]) -> None:
    for connection in both:
        with pytest.raises(DataError, match=f"counts from 1, not {min((*values, -1 if '-1' in sql else 0))}"):
            _rows(connection, f"SELECT accountid FROM account WHERE {sql}", *values)


def test_values_may_be_negative(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    plain = _rows(both[1], "SELECT accountid FROM account WHERE numberofemployees IN (-5, 0)")
    for call in ("in_values(numberofemployees, -5, 0)", "in_range(numberofemployees, -5, 0)"):
        assert _rows(both[0], f"SELECT accountid FROM account WHERE {call}") == plain


def test_a_twin_is_the_negation(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    pushed = both[0]
    every = _rows(pushed, "SELECT accountid FROM account WHERE ownerid IS NOT NULL")
    mine = _rows(pushed, "SELECT accountid FROM account WHERE eq_userid(ownerid)")
    others = _rows(pushed, "SELECT accountid FROM account WHERE NOT equal_user_id(ownerid)")
    assert sorted(mine + others) == every


def test_choices_by_value_and_label(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    pushed, local = both
    tables = filter(None, map(pushed.catalog.table, pushed.catalog.names()))
    table, key = next((each.name, each.primary_key) for each in tables if "new_colors" in each.columns)
    by_value = _rows(pushed, f"SELECT {key} FROM {table} WHERE contain_values(new_colors, 1, 3)")
    by_label = _rows(local, f"SELECT {key} FROM {table} WHERE contain_values(new_colors, 'amber', 'Cyan')")
    others = _rows(pushed, f"SELECT {key} FROM {table} WHERE NOT contain_values(new_colors, 1, 3)")
    every = _rows(pushed, f"SELECT {key} FROM {table} WHERE new_colors IS NOT NULL")
    assert by_value == by_label
    assert sorted(by_value + others) == every
    assert by_value
    assert others


def test_counts_may_be_parameters(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    sql = "SELECT accountid FROM account WHERE last_x_years(createdon, ?)"
    assert len(_rows(both[0], sql, 100)) == 30
    assert _rows(both[0], sql, None) == []
    with pytest.raises(ProgrammingError, match="cannot use"):
        _rows(both[0], sql, "many")


_RECENT = "last_x_days(a.createdon, 1000)"
OPTIONAL = [
    f"SELECT c.fullname, a.name FROM contact c LEFT JOIN account a ON a.accountid = c.parentcustomerid AND {_RECENT}",
    "SELECT c.fullname, a.name FROM contact c LEFT JOIN account a ON a.accountid = c.parentcustomerid "
    "AND (under(a.accountid, '{id}') OR NOT eq_userid(a.ownerid)) AND a.statecode = 0",
    "SELECT c.fullname, a.name FROM contact c LEFT JOIN (SELECT * FROM account WHERE last_x_days(createdon, 1000)) a "
    "ON a.accountid = c.parentcustomerid",
    "SELECT c.fullname FROM contact c LEFT JOIN account a ON a.accountid = c.parentcustomerid "
    f"AND {_RECENT} WHERE a.accountid IS NULL",
    "SELECT c.fullname FROM contact c WHERE NOT EXISTS "
    f"(SELECT 1 FROM account a WHERE a.accountid = c.parentcustomerid AND {_RECENT})",
]


@pytest.mark.parametrize("sql", OPTIONAL)
def test_of_rows_that_lookups_may_lead_to(both: tuple[dbapi.Connection, dbapi.Connection], sql: str) -> None:
    pushed, local = both
    asked = sql.format(id=_rows(pushed, "SELECT accountid FROM account")[0][0])
    found = _rows(pushed, asked)
    assert found == _rows(local, asked)
    assert 0 < len(found) <= len(_rows(local, "SELECT contactid FROM contact"))
