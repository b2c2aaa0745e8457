"""Numbers out of range and texts that are too long are refused before anything is sent, row and column named."""

from __future__ import annotations

import decimal
import uuid
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent

TOO_MUCH: list[tuple[str, Any]] = [
    ("numberofemployees", 2**31),
    ("numberofemployees", -(2**31) - 1),
    ("timezoneruleversionnumber", -2),
    ("revenue", 10**15),
    ("revenue", Decimal("-1e15")),
    ("address1_latitude", 1e12),
    ("name", "x" * 161),
]


@pytest.mark.parametrize(("column", "value"), TOO_MUCH, ids=[f"{name} {str(value)[:12]}" for name, value in TOO_MUCH])
def test_refused_with_row_and_column(sql: Sql, connect: Connect, org: Sandbox, column: str, value: Any) -> None:
    with pytest.raises(errors.DataError, match=rf"account\.{column}(:| takes)"):
        sql(f"INSERT INTO account ({column}) VALUES (?)", (value,))
    good = 1 if not isinstance(value, str) else "good"
    key = str(uuid.uuid4())
    cursor = connect().cursor()
    for statement, sets in (
        (f"INSERT INTO account ({column}) VALUES (?)", [(good,), (good,), (value,)]),
        (f"UPDATE account SET {column} = ? WHERE accountid = ?", [(good, key), (good, key), (value, key)]),
        (
            f"INSERT INTO account (accountid, {column}) VALUES (?, ?) "
            f"ON CONFLICT (accountid) DO UPDATE SET {column} = excluded.{column}",
            [(key, good), (str(uuid.uuid4()), good), (str(uuid.uuid4()), value)],
        ),
    ):
        with pytest.raises(errors.DataError, match=rf"row 3: account\.{column}(:| takes)"):
            cursor.executemany(statement, sets)
    assert sent(org) == []


def test_the_ends_are_in(sql: Sql) -> None:
    row = sql(
        "INSERT INTO account (numberofemployees, timezoneruleversionnumber, name) VALUES (?, -1, ?) "
        "RETURNING numberofemployees, timezoneruleversionnumber",
        (2**31 - 1, "x" * 160),
    )
    assert row.fetchone() == (2**31 - 1, -1)


@pytest.mark.parametrize("value", [10**30, Decimal(10) ** 28, "-1" + "0" * 30, 10**37, 10**40, 10**5000], ids=range(6))
@pytest.mark.parametrize("column", ["new_exact", "new_ratio", "new_amount"])
def test_what_has_more_digits_than_decimals_hold_is_refused(sql: Sql, column: str, value: Any) -> None:
    with pytest.raises(errors.DataError, match=rf"new_sample\.{column}(:| takes numbers from)"):
        sql(f"INSERT INTO new_sample ({column}) VALUES (?)", (value,))


def test_rows_beside_one_of_too_many_digits_are_written(connect: Connect) -> None:
    cursor = connect(ContinueOnError=True).cursor()
    cursor.executemany("INSERT INTO new_sample (new_exact) VALUES (?)", [(1,), (10**30,), (3,)])
    assert cursor.rowcount == 2
    ((row, error),) = cursor.failures
    assert row == 2
    assert isinstance(error, errors.DataError)
    assert "row 2: new_sample.new_exact takes numbers from" in str(error)


def test_the_applications_decimal_context_does_not_matter(sql: Sql) -> None:
    values = (Decimal("12345678.9012345678"), Decimal("1234567.1234"))
    with decimal.localcontext() as context:
        context.prec = 6
        returned = sql(
            "INSERT INTO new_sample (new_exact, new_amount) VALUES (?, ?) RETURNING new_exact, new_amount", values
        )
        row = returned.fetchone()
    assert row == values
