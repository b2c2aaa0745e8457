"""SQLAlchemy constructs in, SQL out: the same text on every supported SQLAlchemy, taken by the driver's parser."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from sqlalchemy_dynamics.dialect import GUID, DynamicsDialect
from sqlalchemy_dynamics.planner.parse import parse

DIALECT = DynamicsDialect()
SQLALCHEMY_2 = not sa.__version__.startswith("1.")

account = sa.table(
    "account",
    sa.column("name", sa.String),
    sa.column("revenue", sa.Numeric(19, 4)),
    sa.column("createdon", sa.DateTime(timezone=True)),
    sa.column("n", sa.Integer),
)
name, n, createdon = account.c.name, account.c.n, account.c.createdon


def sql(statement: Any, **options: bool) -> str:
    text = str(statement.compile(dialect=DIALECT, compile_kwargs=options))
    return " ".join(text.split())


SELECTS = [
    (lambda: sa.select(n).limit(5).offset(2), "SELECT account.n FROM account LIMIT ? OFFSET ?"),
    (lambda: sa.select(n).offset(2), "SELECT account.n FROM account OFFSET ?"),
    (lambda: sa.select(n).fetch(2), "SELECT account.n FROM account FETCH FIRST ? ROWS ONLY"),
    (lambda: sa.select(n).with_for_update(), "SELECT account.n FROM account"),
    (lambda: sa.select(n).where(name.ilike("%x%")), "SELECT account.n FROM account WHERE account.name ILIKE ?"),
    (
        lambda: sa.select(n).where(~name.ilike("a/%", escape="/")),
        "SELECT account.n FROM account WHERE account.name NOT ILIKE ? ESCAPE '/'",
    ),
    (
        lambda: sa.select(n).where(name.contains("a%b", autoescape=True)),
        "SELECT account.n FROM account WHERE (account.name LIKE '%' || ? || '%' ESCAPE '/')",
    ),
    (
        lambda: sa.select(n).where(name.regexp_match("a", "i")),
        "SELECT account.n FROM account WHERE REGEXP_MATCHES(account.name, ?, 'i')",
    ),
    (
        lambda: sa.select(n).where(~name.regexp_match("a")),
        "SELECT account.n FROM account WHERE NOT REGEXP_MATCHES(account.name, ?)",
    ),
    (
        lambda: sa.select(name.regexp_replace("a", "b").label("x")),
        "SELECT REGEXP_REPLACE(account.name, ?, ?, 'g') AS x FROM account",
    ),
    (
        lambda: sa.select(name.regexp_replace("a", "b", flags="i").label("x")),
        "SELECT REGEXP_REPLACE(account.name, ?, ?, 'i') AS x FROM account",
    ),
    (
        lambda: sa.select(n).where(
            name.is_distinct_from("x"),
            name.isnot_distinct_from(None),  # type: ignore[arg-type]  # its stub returns the wider type
        ),
        "SELECT account.n FROM account "
        "WHERE account.name IS DISTINCT FROM ? AND account.name IS NOT DISTINCT FROM NULL",
    ),
    (lambda: sa.select((n / 2).label("x")), "SELECT account.n / ? AS x FROM account"),
    (lambda: sa.select((n % 2).label("x")), "SELECT account.n % ? AS x FROM account"),
    (
        lambda: sa.select(n).where(createdon > sa.func.now() - dt.timedelta(days=7)),
        "SELECT account.n FROM account WHERE account.createdon > now() - ?",
    ),
    (
        lambda: sa.select(n).where(n == sa.true(), name.is_(True)),
        "SELECT account.n FROM account WHERE account.n = true AND account.name IS true",
    ),
    (
        lambda: sa.select(sa.func.count(), sa.func.sum(n).filter(n > 1).label("s")).select_from(account),
        "SELECT count(*) AS count_1, sum(account.n) FILTER (WHERE account.n > ?) AS s FROM account",
    ),
    (
        lambda: sa.select(sa.column("Order"), sa.column("user"), sa.column("1a"), sa.column("a b")).select_from(
            account
        ),
        'SELECT "Order", "user", "1a", "a b" FROM account',
    ),
    (
        lambda: sa.union_all(sa.select(n), sa.select(n)).limit(3),
        "SELECT account.n FROM account UNION ALL SELECT account.n FROM account LIMIT ?",
    ),
]

CASTS = [
    (sa.Float, "DOUBLE"),
    (sa.Numeric(10, 2), "NUMERIC(10, 2)"),
    (sa.Unicode(20), "VARCHAR(20)"),
    (sa.LargeBinary, "BLOB"),
    (sa.DateTime, "TIMESTAMP"),
    (sa.DateTime(timezone=True), "TIMESTAMP WITH TIME ZONE"),
    (sa.TIMESTAMP(timezone=True), "TIMESTAMP WITH TIME ZONE"),
    (sa.Interval, "INTERVAL"),
    (sa.BigInteger, "BIGINT"),
    (GUID, "UUID"),
]


class Colour(enum.Enum):
    RED = 1


class Shouting(sa.TypeDecorator[str] if SQLALCHEMY_2 else sa.TypeDecorator):  # type: ignore[misc]  # 1.4 has no generic one
    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.upper()


ID = uuid.UUID("0fcad2ad-52f1-4a70-a73f-e1fecbe7c5ba")
LITERALS = [
    (sa.String(), "o'x%y:z\\", "'o''x%y:z\\'"),
    (sa.Boolean(), True, "TRUE"),
    (sa.Integer(), -1, "-1"),
    (sa.Float(), 1.5, "1.5"),
    (sa.Float(), float("inf"), "CAST('inf' AS DOUBLE)"),
    (sa.Numeric(), Decimal("1.10"), "1.10"),
    (sa.Numeric(), Decimal("1E+3"), "1000"),
    (sa.DateTime(), dt.datetime(2020, 1, 2, 3, 4, 5, 6), "TIMESTAMP '2020-01-02 03:04:05.000006'"),
    (
        sa.DateTime(timezone=True),
        dt.datetime(2020, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        "TIMESTAMPTZ '2020-01-02 00:00:00+02:00'",
    ),
    (sa.Date(), dt.date(2020, 1, 2), "DATE '2020-01-02'"),
    (sa.Time(), dt.time(1, 2), "TIME '01:02:00'"),
    (sa.Interval(), dt.timedelta(days=1, microseconds=3), "TO_MICROSECONDS(86400000003)"),
    (sa.LargeBinary(), b"\x00a", "FROM_HEX('0061')"),
    (sa.Enum(Colour), Colour.RED, "'RED'"),
    (Shouting(), "a", "'A'"),
    (GUID(as_uuid=True), ID, f"'{ID}'"),
    (GUID(), str(ID).upper(), f"'{ID}'"),
]


@pytest.mark.parametrize(("make", "expected"), SELECTS, ids=[expected for _, expected in SELECTS])
def test_select(make: Callable[[], Any], expected: str) -> None:
    assert sql(make()) == expected
    assert parse(expected).kind == "select"


@pytest.mark.parametrize(("kind", "expected"), CASTS)
def test_cast(kind: Any, expected: str) -> None:
    text = sql(sa.select(sa.cast(n, kind).label("x")))
    assert text == f"SELECT CAST(account.n AS {expected}) AS x FROM account"
    assert parse(text).kind == "select"


@pytest.mark.parametrize(("kind", "value", "expected"), LITERALS)
def test_literal_binds(kind: Any, value: Any, expected: str) -> None:
    assert sql(sa.select(sa.literal(value, kind).label("x")), literal_binds=True) == f"SELECT {expected} AS x"
    assert sql(sa.select(sa.literal(None, kind).label("x")), literal_binds=True) == "SELECT NULL AS x"
    assert parse(f"SELECT {expected} AS x").kind == "select"


def test_literal_in_lists() -> None:
    statement = sa.select(n).where(name.in_(["a", "b'c"]), sa.tuple_(name, n).in_([("a", 1)]))
    assert sql(statement, literal_binds=True) == (
        "SELECT account.n FROM account WHERE account.name IN ('a', 'b''c') AND (account.name, account.n) IN (('a', 1))"
    )
    assert "1 != 1" in sql(sa.select(n).where(name.in_([])), literal_binds=True)


def test_a_value_that_has_no_literal_is_a_compile_error() -> None:
    with pytest.raises(sa.exc.CompileError):
        sql(sa.select(sa.literal(object(), sa.types.NullType())), literal_binds=True)


@pytest.mark.skipif(not SQLALCHEMY_2, reason="new in SQLAlchemy 2")
def test_what_only_sqlalchemy_2_has() -> None:
    assert sql(sa.select(n).where(name.icontains("x"))) == (
        "SELECT account.n FROM account WHERE (account.name ILIKE '%' || ? || '%')"
    )
    assert sql(sa.select((n // 2).label("x"))) == "SELECT FLOOR(account.n / ?) AS x FROM account"
    assert sql(sa.select(sa.func.aggregate_strings(name, ", ").label("x"))) == (
        "SELECT STRING_AGG(account.name, ?) AS x FROM account"
    )
    assert sql(sa.select(sa.cast(name, sa.Uuid), sa.cast(n, sa.Double))).count("CAST") == 2
    assert sql(sa.select(sa.literal(ID).label("x")), literal_binds=True) == f"SELECT '{ID}' AS x"


def test_writes_compile() -> None:
    key = sa.Column("accountid", GUID, primary_key=True, nullable=True)
    table = sa.Table("account", sa.MetaData(), key, sa.Column("name", sa.String))
    assert sql(table.insert()) == "INSERT INTO account (accountid, name) VALUES (?, ?)"
    assert sql(table.insert().values([{"name": "a"}, {"name": "b"}])) == "INSERT INTO account (name) VALUES (?), (?)"
    assert sql(table.update().values(name="b").where(table.c.name == "a")) == (
        "UPDATE account SET name=? WHERE account.name = ?"
    )
    assert sql(table.delete()) == "DELETE FROM account"
