"""Parameters of every kind mean the same at the service as here: values between a column's, outside of them, NULL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import note
from hypothesis import strategies as st

from tests.differential.ways import EXAMPLES, SEED_SAID, Witnesses, over_random

_NUMBERS = st.sampled_from(
    [None, 0, 2, -3, 7, 2.0, 2.5, -0.5, 1e12, Decimal("2"), Decimal("1.5"), Decimal("-4.75"), Decimal("99999999999")]
)
_DATES = st.sampled_from(
    [
        None,
        date(2024, 2, 3),
        date(1700, 1, 1),
        datetime(2024, 2, 3, 12, tzinfo=UTC),
        datetime(2024, 1, 5, 13, 0, 0, 500),
        datetime(2024, 1, 31),
    ]
)
_SPANS = st.sampled_from([timedelta(7), timedelta(hours=-30), timedelta(days=20, microseconds=1)])
_WHOLE = st.sampled_from([None, -2, 0, 1, 2, 3, 12, 31, 2023, 2024, 2025])
_CONDITIONS = st.sampled_from(
    [
        ("t.{number} {op} ?", (_NUMBERS,)),
        ("t.{number} IN (?, ?, 3)", (_NUMBERS, _NUMBERS)),
        ("t.{number} NOT IN (?, ?)", (_NUMBERS, _NUMBERS)),
        ("t.{number} BETWEEN ? AND ?", (_NUMBERS, _NUMBERS)),
        ("t.{number} IS DISTINCT FROM ?", (_NUMBERS,)),
        ("t.{number} IS NOT DISTINCT FROM ?", (_NUMBERS,)),
        ("t.{date} {op} ?", (_DATES,)),
        ("t.{date} NOT BETWEEN ? AND ?", (_DATES, _DATES)),
        ("t.{date} {op} CURRENT_TIMESTAMP - ?", (_SPANS,)),
        ("t.{date} {op} now() - INTERVAL (?) DAY", (_WHOLE,)),
        ("date_trunc('month', t.{date}) {op} ?", (_DATES,)),
        ("CAST(t.{date} AS DATE) {op} ?", (_DATES,)),
        ("year(t.{date}) {op} ?", (_WHOLE,)),
        ("extract(year FROM t.{date}) = ? AND extract(month FROM t.{date}) {op} ?", (_WHOLE, _WHOLE)),
        ("NOT (year(t.{date}) = ? AND month(t.{date}) = ?)", (_WHOLE, _WHOLE)),
        ("year(t.{date}) = ? AND month(t.{date}) = ? AND day(t.{date}) {op} ?", (_WHOLE, _WHOLE, _WHOLE)),
        ("datediff('day', t.{date}, now()) {op} ?", (_WHOLE,)),
    ]
)


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, tuple[Any, ...]]:
    """Return a statement and its parameters."""
    condition, kinds = draw(_CONDITIONS)
    where = condition.format(
        number=draw(st.sampled_from(["n", "k", "price", "ratio"])),
        date=draw(st.sampled_from(["madeon", "day"])),
        op=draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="])),
    )
    return f"SELECT t.firmid FROM firm t WHERE {where}", tuple(draw(kind) for kind in kinds)


@over_random(max(1, EXAMPLES // 3), case=asked())
def test_parameters_mean_the_same(witnesses: Witnesses, case: tuple[str, tuple[Any, ...]]) -> None:
    sql, values = case
    note(SEED_SAID)
    answers = []
    for connection in (witnesses.pushed, witnesses.local):
        with connection.cursor() as cursor:
            answers.append(sorted(cursor.execute(sql, values).fetchall()))
    assert answers[0] == answers[1], case
