"""Many objects in one unit of work are a few requests: declared and reflected models, keys given or not."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import orm

import sqlalchemy_dynamics
from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import sent

sa: Any = sqlalchemy
COUNT = 400
FEW = 10
LEVELS = ["AUTOCOMMIT", "CHANGESET"]


def declared(engine: Any, **key: Any) -> Any:
    base: Any = orm.declarative_base()
    columns = {
        "accountid": sa.Column(key.pop("type_", GUID), primary_key=True, **key),
        "name": sa.Column(sa.String),
        "description": sa.Column(sa.String),
    }
    return type("Declared", (base,), {"__tablename__": "account", **columns})


def versioned(engine: Any) -> Any:
    base: Any = orm.declarative_base()
    version = sa.Column(sa.BigInteger, sa.FetchedValue(), server_onupdate=sa.FetchedValue())
    columns = {
        "accountid": sa.Column(GUID, primary_key=True, default=sqlalchemy_dynamics.client_key),
        "name": sa.Column(sa.String),
        "description": sa.Column(sa.String),
        "versionnumber": version,
        "__mapper_args__": {"version_id_col": version, "version_id_generator": False},
    }
    return type("Versioned", (base,), {"__tablename__": "account", **columns})


def reflected(engine: Any) -> Any:
    base: Any = orm.declarative_base()
    return type("Reflected", (base,), {"__table__": sa.Table("account", base.metadata, autoload_with=engine)})


MODELS = {
    "keyed": lambda engine: declared(engine, default=sqlalchemy_dynamics.client_key),
    "bare": declared,
    "bare text": lambda engine: declared(engine, type_=sa.String),
    "versioned": versioned,
    "reflected": reflected,
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", MODELS)
def test_a_unit_of_work_of_many_rows(engine: Any, org: Sandbox, kind: str, level: str) -> None:
    model, name = MODELS[kind](engine), f"{kind} {level}"
    with orm.Session(engine.execution_options(isolation_level=level)) as session:
        sent(org)
        session.add_all([model(name=name, description=str(number)) for number in range(COUNT)])
        session.commit()
        assert len(sent(org)) <= FEW
        rows = session.query(model).filter_by(name=name).all()
        assert len(rows) == COUNT and {row.description for row in rows} == {str(n) for n in range(COUNT)}
        some = rows if kind != "versioned" or level == "CHANGESET" else rows[:FEW]
        sent(org)
        for row in some:
            row.description = "changed"
        session.flush()
        session.commit()
        assert len(sent(org)) <= FEW
        rows = session.query(model).filter_by(name=name, description="changed").all()
        assert len(rows) == len(some)
        sent(org)
        for row in rows:
            session.delete(row)
        session.commit()
        assert len(sent(org)) <= FEW
        assert session.query(model).filter_by(name=name, description="changed").count() == 0


def test_bulk_methods(engine: Any, org: Sandbox) -> None:
    model = declared(engine)
    with orm.Session(engine) as session:
        sent(org)
        session.bulk_insert_mappings(model, [{"name": "bulk", "description": str(n)} for n in range(COUNT)])
        session.commit()
        assert len(sent(org)) <= FEW
        keys = [row[0] for row in session.query(model.accountid).filter_by(name="bulk")]
        sent(org)
        session.bulk_update_mappings(model, [{"accountid": key, "description": "changed"} for key in keys])
        session.commit()
        assert len(sent(org)) <= FEW
        assert session.query(model).filter_by(name="bulk", description="changed").count() == COUNT


@pytest.mark.skipif(not hasattr(sa, "Uuid"), reason="since SQLAlchemy 2.0")
def test_bulk_statements(engine: Any, org: Sandbox) -> None:
    model = declared(engine, type_=sa.Uuid)
    with orm.Session(engine) as session:
        sent(org)
        session.execute(sa.insert(model), [{"name": "stated", "description": str(n)} for n in range(COUNT)])
        made = session.scalars(
            sa.insert(model).returning(model.accountid), [{"name": "returned"} for _ in range(COUNT)]
        ).all()
        assert len(set(made)) == COUNT and len(sent(org)) <= 2 * FEW
        session.execute(sa.update(model), [{"accountid": key, "description": "changed"} for key in made])
        session.commit()
        assert len(sent(org)) <= FEW
        assert session.query(model).filter_by(name="returned", description="changed").count() == COUNT


@pytest.mark.parametrize("method", [None, "multi"])
def test_frames(engine: Any, org: Sandbox, method: Any) -> None:
    pandas = pytest.importorskip("pandas")
    name = f"frame {method}"
    frame = pandas.DataFrame({"name": [name] * COUNT, "numberofemployees": range(COUNT)})
    sent(org)
    frame.to_sql("account", engine, if_exists="append", index=False, method=method)
    assert len(sent(org)) <= FEW
    with engine.connect() as connection:
        found = connection.execute(
            sa.text("SELECT count(*), sum(numberofemployees) FROM account WHERE name = :name"), {"name": name}
        ).one()
    assert tuple(found) == (COUNT, COUNT * (COUNT - 1) // 2)


def test_rows_left_out_are_not_silent(org: Sandbox) -> None:
    going_on = sa.create_engine(
        f"dynamics:///?OrganizationUrl={org.url}&OAuthAccessToken={org.access_token}&ContinueOnError=true"
    )
    table = sa.table("account", sa.column("name"), sa.column("revenue"))
    with going_on.begin() as connection, pytest.warns(sqlalchemy_dynamics.dbapi.Warning, match="1 rows were refused"):
        sets = [{"name": "w", "revenue": 1}, {"name": "w", "revenue": "much"}, {"name": "w", "revenue": 3}]
        assert connection.execute(table.insert(), sets).rowcount == 2
    going_on.dispose()
