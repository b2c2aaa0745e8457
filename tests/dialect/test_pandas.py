"""pandas (and polars where it is installed) over the engine and over the bare driver."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import sqlalchemy as sa

from sqlalchemy_dynamics import dbapi

pandas = pytest.importorskip("pandas")

SQL = "SELECT accountid, name, revenue, createdon FROM account ORDER BY name, accountid"


def test_read_sql(organization: Any, engine: sa.engine.Engine) -> None:
    with engine.connect() as connection:
        frame = pandas.read_sql(sa.text(SQL), connection)
        text = pandas.read_sql(SQL, connection)
        parts = list(pandas.read_sql(SQL, connection, chunksize=25))
    assert list(frame.columns) == ["accountid", "name", "revenue", "createdon"] and len(frame) > 50
    assert text.equals(frame)
    assert pandas.concat(parts, ignore_index=True)["accountid"].tolist() == frame["accountid"].tolist()
    assert str(frame["createdon"].dtype).startswith("datetime64") and frame["createdon"].dt.tz is not None


def test_read_sql_table(engine: sa.engine.Engine) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        frame = pandas.read_sql_table("transactioncurrency", engine)
    assert "isocurrencycode" in frame.columns and len(frame) > 0


def test_the_bare_driver(organization: Any) -> None:
    with dbapi.connect(organization.url) as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        frame = pandas.read_sql(SQL, connection)
        arrow = connection.cursor().execute(SQL).fetch_arrow_table()
        reader = connection.cursor().execute(SQL).fetch_record_batch()
        assert reader.read_all().equals(arrow)
    assert arrow.column("accountid").to_pylist() == frame["accountid"].tolist()
    assert str(arrow.schema.field("revenue").type) == "decimal128(19, 4)"
    assert str(arrow.schema.field("createdon").type) == "timestamp[us, tz=UTC]"


def test_polars(organization: Any, engine: sa.engine.Engine) -> None:
    polars = pytest.importorskip("polars")
    with dbapi.connect(organization.url) as connection:
        bare = polars.read_database(SQL, connection)
    through = polars.read_database(SQL, engine)
    assert bare["accountid"].to_list() == through["accountid"].to_list() and len(bare) > 50
