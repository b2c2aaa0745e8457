"""Whatever values go to an action or a function, bound or written into the statement, come back as they were."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

RIGHTS = ("ReadAccess", "WriteAccess", "AppendAccess", "AppendToAccess", "CreateAccess", "DeleteAccess", "ShareAccess")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Text": TEXTS,
    "Number": st.integers(-(2**31), 2**31 - 1),
    "Big": st.integers(-(2**63), 2**63 - 1),
    "Exact": st.decimals(-(10**20), 10**20, places=10),
    "Amount": st.decimals(-(10**14), 10**14, places=4),
    "Ratio": st.floats(allow_nan=False, allow_infinity=False, width=64),
    "Flag": st.booleans(),
    "Moment": st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)),
    "Id": st.uuids().map(str),
    "Texts": st.lists(TEXTS, max_size=4),
    "Rights": st.sets(st.sampled_from(RIGHTS), min_size=1).map(
        lambda found: ", ".join(each for each in RIGHTS if each in found)
    ),
}
SOME = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def cursor() -> Iterator[dbapi.Cursor]:
    with Sandbox(rows=1) as org:
        connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token)
        yield connection.cursor()
        connection.close()


def answered(cursor: dbapi.Cursor, names: Any) -> dict[str, Any]:
    found = dict(zip([column[0] for column in cursor.description or ()], cursor.fetchall()[0], strict=True))
    found["Texts"] = None if found["Texts"] is None else json.loads(found["Texts"])
    return {name: found[name] for name in names}


@SOME
@given(values=st.fixed_dictionaries({}, optional=VALUES))
def test_bound_values_come_back(cursor: dbapi.Cursor, values: dict[str, Any]) -> None:
    cursor.callproc("new_Echo", values)
    assert answered(cursor, values) == values


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = json.dumps(value) if isinstance(value, list) else str(value)
    return "'" + text.replace("'", "''") + "'"


@SOME
@given(values=st.fixed_dictionaries({}, optional=VALUES))
def test_written_values_come_back(cursor: dbapi.Cursor, values: dict[str, Any]) -> None:
    cursor.execute("EXEC new_Echo " + ", ".join(f"@{name} = {written(value)}" for name, value in values.items()))
    assert answered(cursor, values) == values


@SOME
@given(text=TEXTS, times=st.integers(0, 3))
def test_functions_take_any_text(cursor: dbapi.Cursor, text: str, times: int) -> None:
    cursor.execute("EXEC new_Repeat ?, ?", (text, times))
    assert cursor.fetchall() == [(text * times,)]


@SOME
@given(key=st.uuids(), text=st.sampled_from(["account:{}", "account( {} )", "{{{}}}", "/accounts({})"]))
def test_rows_are_refused_by_the_service_alone(cursor: dbapi.Cursor, key: uuid.UUID, text: str) -> None:
    with pytest.raises(dbapi.DatabaseError, match=f"account With Id = {key} Does Not Exist"):
        cursor.callproc("new_Echo", {"Account": text.format(key)})
