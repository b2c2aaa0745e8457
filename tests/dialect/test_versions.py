"""Versions the service gives: new rows of models with `version_id_col`, at both levels, on every SQLAlchemy alike."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy
from sqlalchemy import orm

from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Organization

sa: Any = sqlalchemy
COUNT, FEW = 20, 3
LEVELS = ["AUTOCOMMIT", "CHANGESET"]
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "never": {"eager_defaults": False},
    "eager": {"eager_defaults": True},
}


def model(**options: Any) -> Any:
    base: Any = orm.declarative_base()
    version = sa.Column("versionnumber", sa.BigInteger, sa.FetchedValue(), server_onupdate=sa.FetchedValue())
    columns = {
        "accountid": sa.Column(GUID, primary_key=True),
        "name": sa.Column(sa.String),
        "version": version,
        "__mapper_args__": {"version_id_col": version, "version_id_generator": False, **options},
    }
    return type("Account", (base,), {"__tablename__": "account", **columns})


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with Sandbox(rows=6, seed=3) as running:
        yield Organization(running.url.rstrip("/"), running.access_token)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def session(engine: Any, level: str, **options: Any) -> Any:
    return orm.Session(engine.execution_options(isolation_level=level), **options)


def stored(engine: Any, keys: list[str]) -> list[Any]:
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT accountid, versionnumber FROM account")).all()
    versions = {str(key): version for key, version in found}
    return [versions[key] for key in keys]


@pytest.mark.parametrize("given", [False, True], ids=["made", "given"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("level", LEVELS)
def test_new_rows(engine: Any, organization: Organization, level: str, options: str, given: bool) -> None:
    account = model(**OPTIONS[options])
    with session(engine, level, expire_on_commit=False) as here:
        keys = [{"accountid": str(uuid4())} if given else {} for _ in range(COUNT)]
        rows = [account(name=f"n{number}", **key) for number, key in enumerate(keys)]
        here.add_all(rows)
        organization.forget()
        here.flush()
        flushed, known = organization.requests(), [row.version for row in rows]
        here.commit()
        sent = organization.requests()
        if level == "CHANGESET":
            assert (flushed, known) == ([], [0] * COUNT)
            assert [each for each in sent if not each.startswith("GET")] == ["POST $batch"]
        else:
            assert len(sent) <= FEW and known == stored(engine, [row.accountid for row in rows])
        assert [row.version for row in rows] == stored(engine, [row.accountid for row in rows])


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("level", LEVELS)
def test_one_row(engine: Any, organization: Organization, level: str, options: str) -> None:
    account = model(**OPTIONS[options])
    with session(engine, level) as here:
        here.add(account(accountid=str(uuid4()), name="one"))
        organization.forget()
        here.commit()
        assert [each.partition("?")[0] for each in organization.requests()] == ["POST accounts"]


@pytest.mark.parametrize("expire", [False, True])
@pytest.mark.parametrize("given", [False, True], ids=["made", "given"])
@pytest.mark.parametrize("level", LEVELS)
def test_the_next_change_is_of_the_version_that_is_known(engine: Any, level: str, given: bool, expire: bool) -> None:
    account = model()
    with session(engine, level, expire_on_commit=expire) as here:
        rows = [account(name="first", **({"accountid": str(uuid4())} if given else {})) for _ in range(2)]
        here.add_all(rows)
        here.commit()
        for row in rows:
            row.name = "second"
        here.commit()
        assert all(row.version and row.name == "second" for row in rows)
        with orm.Session(engine) as other:
            theirs: Any = other.get(account, rows[0].accountid)
            theirs.name = "theirs"
            other.commit()
        rows[0].name = "mine"
        with pytest.raises(orm.exc.StaleDataError if level == "AUTOCOMMIT" else sa.exc.IntegrityError):
            here.commit()


@pytest.mark.parametrize("level", LEVELS)
def test_several_flushes_of_one_transaction(engine: Any, level: str) -> None:
    account = model()
    with session(engine, level) as here:
        kept, gone = (account(accountid=str(uuid4()), name="first") for _ in range(2))
        here.add_all([kept, gone])
        here.flush()
        kept.name = "second"
        here.flush()
        here.delete(gone)
        here.flush()
        here.add(account(name="another"))
        here.commit()
        assert kept.name == "second" and kept.version > 0
        assert here.query(account).filter_by(accountid=gone.accountid).count() == 0


def test_what_a_rollback_undoes_is_forgotten(engine: Any) -> None:
    account = model()
    with session(engine, "CHANGESET") as here:
        here.add(account(name="undone"))
        here.flush()
        here.rollback()
        kept = account(name="kept")
        here.add_all([account(name="dropped"), kept])
        here.flush()
        gc.collect()
        here.commit()
        assert kept.version > 0 and here.query(account).filter_by(name="undone").count() == 0


def test_core_and_bulk_methods_ask_for_no_versions(engine: Any, organization: Organization) -> None:
    account = model()
    with session(engine, "AUTOCOMMIT") as here:
        here.add(account(accountid=str(uuid4()), name="row"))
        here.flush()
        organization.forget()
        here.bulk_insert_mappings(account, [{"accountid": str(uuid4()), "name": "bulk"} for _ in range(COUNT)])
        here.execute(account.__table__.insert(), [{"accountid": str(uuid4()), "name": "core"} for _ in range(COUNT)])
        here.commit()
        assert all("GET" not in each and "versionnumber" not in each for each in organization.requests())


def on_sqlite(account: Any, **values: Any) -> tuple[list[str], str]:
    """What SQLite is asked for when a row is added, and how that ends."""
    engine = sa.create_engine("sqlite://")
    statements: list[str] = []
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE account (accountid PRIMARY KEY, name, versionnumber DEFAULT 7)")
        sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        with orm.Session(connection) as here:
            row = account(name="local", **values)
            here.add(row)
            try:
                here.flush()
            except Exception as error:  # how it ends is compared
                return statements, type(error).__name__
            return statements, f"{row.accountid} {row.version}"


def test_nothing_of_the_model_is_changed(engine: Any) -> None:
    used, fresh = model(), model()
    for level in LEVELS:
        with session(engine, level) as here:
            here.add_all([used(name="many") for _ in range(3)])
            here.commit()
    assert all(column.default is None for column in used.__table__.columns)
    key = str(uuid4())
    assert on_sqlite(used, accountid=key) == on_sqlite(fresh, accountid=key)
    assert on_sqlite(used, accountid=key)[1] == f"{key} 7"
    assert on_sqlite(used) == on_sqlite(fresh)
    assert on_sqlite(used)[1] in ("FlushError", "IntegrityError")
