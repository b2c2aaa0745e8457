"""Engines over the sandbox: what they send and when, values, streaming, errors."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

import sqlalchemy_dynamics
from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.dialect import GUID, DynamicsDialect


def test_connecting_sends_nothing(organization: Any) -> None:
    organization.forget()
    engine = organization.engine()
    with engine.connect() as connection:
        assert connection.dialect.name == "dynamics"
        connection.rollback() if hasattr(connection, "rollback") else None
    with engine.begin():
        pass
    engine.dispose()
    assert organization.requests() == []


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "CHANGESET"])
def test_an_isolation_level_of_the_engine_holds_for_each_connection(organization: Any, level: str) -> None:
    engine = organization.engine(isolation_level=level)
    for _ in range(2):
        with engine.connect() as connection:
            assert connection.get_isolation_level() == connection.connection.isolation_level == level
    with pytest.raises((sa.exc.ArgumentError, sa.exc.InterfaceError), match="AUTOCOMMIT"):
        organization.engine(isolation_level="SERIALIZABLE").connect()


def test_a_thousand_engines_read_the_metadata_once(organization: Any) -> None:
    with organization.engine().connect() as connection:
        connection.connection.catalog.refresh()
    organization.forget()
    for _ in range(50):
        engine = organization.engine(poolclass=NullPool)
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT name FROM account LIMIT 1")).scalar()
    requests = organization.requests()
    assert requests.count("GET $metadata") == 1 and len(requests) <= 52


def test_ping_asks_who_we_are(organization: Any) -> None:
    engine = organization.engine()
    organization.forget()
    raw = engine.raw_connection()
    assert engine.dialect.do_ping(raw) is True
    assert organization.requests() == ["GET WhoAmI"]
    wrong = sa.create_engine(organization.url.replace(organization.token, "wrong"))
    with pytest.raises(dbapi.OperationalError):
        wrong.dialect.do_ping(wrong.raw_connection())


def test_pre_ping_survives_a_closed_connection(organization: Any) -> None:
    engine = organization.engine(pool_pre_ping=True)
    with engine.connect() as connection:
        connection.connection.dbapi_connection.close()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_the_dialect_needs_no_arguments() -> None:
    assert sa.engine.make_url("dynamics://sandbox").get_dialect()().name == "dynamics"
    assert DynamicsDialect.import_dbapi() is DynamicsDialect.dbapi() is dbapi


def test_every_part_of_a_url_reaches_the_driver_as_it_is() -> None:
    odd = "p%41w+:@/;&=\"'#?"
    url = sa.engine.URL.create(
        "dynamics",
        "id",
        odd,
        "contoso.crm.dynamics.com",
        query={"Tenant": "x", "CacheLocation": '"/tmp/a +ö;c"'},
    )
    arguments, keywords = DynamicsDialect().create_connect_args(url)
    settings = dbapi.connect(*arguments, **keywords).settings
    assert str(settings["OAuthClientSecret"]) == odd and settings.text("OAuthClientId") == "id"
    assert settings.text("Tenant") == "x" and settings.text("CacheLocation") == "/tmp/a +ö;c"


def test_commercial_form_of_the_url(organization: Any) -> None:
    engine = sa.create_engine(
        f"dynamics:///?OrganizationUrl={organization.address};OAuthAccessToken={organization.token};Timeout=20"
    )
    assert engine.connect().execute(sa.text("SELECT count(*) FROM account")).scalar_one() > 0


def test_connect_args_win_and_wrong_ones_are_named(organization: Any) -> None:
    engine = organization.engine(connect_args={"Timeout": "soon"})
    with pytest.raises(sa.exc.InterfaceError, match="Timeout"):
        engine.connect()


def test_values(engine: sa.engine.Engine) -> None:
    account = sa.Table("account", sa.MetaData(), autoload_with=engine, resolve_fks=False)
    columns = [account.c[name] for name in ("accountid", "revenue", "createdon", "statecode", "donotemail")]
    statement = sa.select(*columns).where(account.c.revenue.isnot(None)).limit(1)
    with engine.connect() as connection:
        key, revenue, createdon, state, flag = connection.execute(statement).one()
    assert key == str(uuid.UUID(key)) and isinstance(revenue, Decimal)
    assert createdon.utcoffset() == dt.timedelta(0) and isinstance(state, int) and isinstance(flag, bool)


def test_guids_as_uuid_objects(engine: sa.engine.Engine) -> None:
    account = sa.table("account", sa.column("accountid", GUID(as_uuid=True)), sa.column("name", sa.String))
    with engine.connect() as connection:
        key, name = connection.execute(sa.select(account).limit(1)).one()
        again = connection.execute(sa.select(account.c.name).where(account.c.accountid == key)).scalar()
    assert isinstance(key, uuid.UUID) and again == name


def test_parameters_of_every_kind(engine: sa.engine.Engine) -> None:
    with engine.connect() as connection:
        count = "SELECT count(*) FROM account WHERE"
        by_name = connection.execute(
            sa.text(f"{count} statecode = :state AND name LIKE :name"), {"state": 0, "name": "%"}
        )
        by_place = connection.exec_driver_sql(f"{count} statecode = ? AND name LIKE ?", (0, "%"))
        driver_names = connection.exec_driver_sql(f"{count} statecode = :s AND name LIKE :n", {"s": 0, "n": "%"})
        assert by_name.scalar_one() == by_place.scalar_one() == driver_names.scalar_one() > 0


def test_streaming_stops_paging_early(organization: Any, engine: sa.engine.Engine) -> None:
    paged = organization.engine(connect_args={"PageSize": 10})
    with paged.connect().execution_options(stream_results=True, max_row_buffer=5) as connection:
        result = connection.execute(sa.text("SELECT accountid FROM account"))
        assert result.fetchone() is not None
        result.close()
    assert len([line for line in organization.requests() if line.startswith("GET accounts")]) < 5


def test_yield_per(organization: Any) -> None:
    engine = organization.engine(connect_args={"PageSize": 10})
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True)
        sizes = [len(part) for part in streaming.execute(sa.text("SELECT accountid FROM account")).partitions(7)]
    assert set(sizes[:-1]) == {7} and sum(sizes) > 50


def test_errors_are_sqlalchemys(engine: sa.engine.Engine) -> None:
    with engine.connect() as connection:
        with pytest.raises(sa.exc.ProgrammingError, match="nosuch"):
            connection.execute(sa.text("SELECT nosuch FROM account"))
        with pytest.raises(sa.exc.ProgrammingError):
            connection.execute(sa.text("SELECT FROM WHERE"))
        with pytest.raises(sa.exc.NotSupportedError):
            connection.execute(sa.text("UPDATE account SET accountid = 'x' WHERE name = 'x'"))
        with pytest.raises(dbapi.NotSupportedError, match="savepoints"):
            engine.dialect.do_savepoint(connection, "one")


def test_errors_of_reflection_are_sqlalchemys(organization: Any) -> None:
    wrong = sa.create_engine(organization.url.replace(organization.token, "wrong"))
    with pytest.raises(sa.exc.OperationalError):
        sa.inspect(wrong).get_table_names()


def test_compiled_statements_are_cached(engine: sa.engine.Engine) -> None:
    assert engine.dialect.supports_statement_cache
    account = sa.table("account", sa.column("name"), sa.column("statecode"))
    with engine.connect() as connection:
        for state in (0, 1):
            connection.execute(sa.select(account).where(account.c.statecode == state)).all()
        assert connection.engine._compiled_cache


def test_explain_sends_nothing(organization: Any, engine: sa.engine.Engine) -> None:
    account = sa.table("account", sa.column("name", sa.String), sa.column("statecode", sa.Integer))
    statement = sa.select(account.c.name).where(account.c.statecode == 1, account.c.name.in_(["a", "b"])).limit(3)
    organization.forget()
    steps = sqlalchemy_dynamics.explain(statement, engine)
    assert steps[0][:2] == (1, "request") and steps[0][2].startswith("GET accounts?")
    assert "statecode%20eq%201" in steps[0][2] or "statecode eq 1" in steps[0][2]
    text = sqlalchemy_dynamics.explain("SELECT name FROM account WHERE statecode = ?", engine, [1])
    named = sqlalchemy_dynamics.explain(sa.text("SELECT name FROM account WHERE statecode = :s"), engine, {"s": 1})
    assert text == named
    with engine.connect() as connection:
        rows = connection.execute(sa.text("EXPLAIN SELECT name FROM account WHERE statecode = 1")).all()
    assert [tuple(row)[2] for row in rows] == [detail for _, _, detail in text]
    assert organization.requests() == []
