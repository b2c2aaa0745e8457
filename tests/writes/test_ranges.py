"""Numbers out of range and texts that are too long are refused before anything is sent, row and column named."""

from __future__ import annotations

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
