"""Values of ON CONFLICT's keys: lookups with their table, labels of choices, decimals and moments as rows keep them."""

from __future__ import annotations

import datetime as dt
import json
import urllib.request
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent

KEYS: list[tuple[str, ...]] = [("new_name", "new_accountid"), ("new_name", "new_customerid")]
KEYS += [("new_color", "new_day"), ("new_exact",), ("new_moment",)]
COLUMNS = ", ".join(dict.fromkeys(column for key in KEYS for column in key))
NEW_MOMENT = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    """Samples with more alternate keys, without rows."""
    with Sandbox(rows=12, seed=7) as sandbox:
        for row in _spoken(sandbox, "GET", "new_samples?$select=new_sampleid")["value"]:
            _spoken(sandbox, "DELETE", f"new_samples({row['new_sampleid']})")
        for number, columns in enumerate(KEYS):
            label = {"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": []}
            body = {"KeyAttributes": columns, "SchemaName": f"new_K{number}", "DisplayName": label}
            body["@odata.type"] = "Microsoft.Dynamics.CRM.EntityKeyMetadata"
            _spoken(sandbox, "POST", "EntityDefinitions(LogicalName='new_sample')/Keys", body)
        yield sandbox


def _spoken(org: Sandbox, method: str, path: str, body: Any = None) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {org.access_token}"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{org.url}/api/data/v9.2/{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def _statements(*columns: str) -> list[str]:
    """An upsert of the service's own, and one that reads first."""
    names = ", ".join(columns)
    insert = f"INSERT INTO new_sample ({names}, new_notes) VALUES ({'?, ' * len(columns)}?) ON CONFLICT ({names})"
    computed = f"{insert} DO UPDATE SET new_notes = new_sample.new_notes || excluded.new_notes"
    return [f"{insert} DO UPDATE SET new_notes = excluded.new_notes", computed]


def _meets(sql: Sql, columns: tuple[str, ...], values: list[tuple[Any, ...]]) -> None:
    """All values mean one and the same row."""
    whole, computed = _statements(*columns)
    for each in values:
        assert sql(whole, (*each, "a")).rowcount == 1
    for each in values:
        assert sql(computed, (*each, "b")).rowcount == 1
    names = ", ".join(columns)
    nothing = f"INSERT INTO new_sample ({names}, new_notes) VALUES ({'?, ' * len(columns)}?) ON CONFLICT DO NOTHING"
    for each in values:
        assert sql(nothing, (*each, "c")).rowcount == 0
    where = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    assert sql(f"SELECT new_notes FROM new_sample WHERE {where}").fetchall() == [("a" + "b" * len(values),)]


@pytest.mark.parametrize("column", ["new_accountid", "new_customerid"])
def test_lookups_take_their_table(sql: Sql, column: str) -> None:
    account = str(uuid.uuid4())
    sql("INSERT INTO account (accountid, name) VALUES (?, 'key')", (account,))
    found: list[tuple[Any, ...]] = [("n", ("account", account)), ("N ", account.upper()), ("n", ("account", account))]
    _meets(sql, ("new_name", column), found)
    sql("DELETE FROM new_sample WHERE new_name = 'n'")


def test_choices_take_their_label_and_days_any_form(sql: Sql) -> None:
    values = [("Green", dt.date(2024, 1, 5)), (727000001, "2024-01-05"), ("green", dt.datetime(2024, 1, 5))]
    _meets(sql, ("new_color", "new_day"), values)


def test_decimals_are_met_as_rounded(sql: Sql) -> None:
    values = (Decimal("1.5"), 1.5, "1.50", Decimal("1.50000000001"), Decimal("1.49999999996"))
    _meets(sql, ("new_exact",), [(value,) for value in values])


def test_moments_are_met_without_fractions(sql: Sql) -> None:
    values = (NEW_MOMENT, "2024-01-01 13:00:00+01:00", NEW_MOMENT + dt.timedelta(microseconds=999_999))
    _meets(sql, ("new_moment",), [(value,) for value in values])


def test_rounded_keys_are_one_key_in_a_statement(sql: Sql) -> None:
    values = (Decimal("7.00000000001"), Decimal("7"))
    statement = "INSERT INTO new_sample (new_exact) VALUES (?), (?) ON CONFLICT (new_exact) DO NOTHING"
    assert sql(statement, values).rowcount == 1
    assert sql("SELECT new_exact FROM new_sample WHERE new_exact > 6").fetchall() == [(7,)]


@pytest.mark.parametrize("form", [0, 1])
def test_what_is_no_value_is_told_with_column_and_row(sql: Sql, connect: Connect, org: Sandbox, form: int) -> None:
    statement = _statements("new_color", "new_day")[form]
    sql(f"SELECT {COLUMNS} FROM new_sample").fetchall()
    cursor = connect().cursor()
    with pytest.raises(errors.DataError, match=r"^new_sample\.new_color has no choice 'Beige'"):
        sql(statement, ("Beige", "2024-01-01", "x"))
    with pytest.raises(errors.DataError, match=r"^row 2: new_sample\.new_day: 'never' is not"):
        cursor.executemany(statement, [("Red", "2024-01-02", "x"), ("Red", "never", "x")])
    assert sent(org) == []


def test_going_on_without_rows_whose_key_is_none(connect: Connect, sql: Sql) -> None:
    cursor = connect(ContinueOnError=True).cursor()
    sets = [("Blue", "2024-02-01", "x"), ("Beige", "2024-02-01", "x"), (727000002, "2024-02-01", "y")]
    assert cursor.executemany(_statements("new_color", "new_day")[1], sets).rowcount == 2
    assert [row for row, _ in cursor.failures] == [2]
    assert sql("SELECT new_notes FROM new_sample WHERE new_day = '2024-02-01'").fetchall() == [("xy",)]
