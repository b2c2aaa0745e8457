"""The ORM's unit of work over the sandbox: declared and reflected models, versions, many rows in few requests."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import orm

import sqlalchemy_dynamics
from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import sent

sa: Any = sqlalchemy  # its types differ between the two versions the tests run with
SQLALCHEMY_2 = not sa.__version__.startswith("1.")
Base: Any = orm.declarative_base()


class Account(Base):
    __tablename__ = "account"
    accountid = sa.Column(GUID, primary_key=True, default=sqlalchemy_dynamics.client_key)
    name = sa.Column(sa.String)
    revenue = sa.Column(sa.Numeric(19, 4))
    versionnumber = sa.Column(sa.BigInteger, sa.FetchedValue(), server_onupdate=sa.FetchedValue())
    contacts = orm.relationship("Contact", back_populates="account")
    __mapper_args__ = {"version_id_col": versionnumber, "version_id_generator": False}


class Contact(Base):
    __tablename__ = "contact"
    contactid = sa.Column(GUID, primary_key=True, default=sqlalchemy_dynamics.client_key)
    lastname = sa.Column(sa.String)
    parentcustomerid = sa.Column(GUID, sa.ForeignKey("account.accountid"))
    account = orm.relationship(Account, back_populates="contacts")


def test_a_unit_of_work_inserts_parents_and_children(session: Any, org: Sandbox) -> None:
    accounts = [
        Account(name=f"U{number}", revenue=number, contacts=[Contact(lastname=f"c{n}") for n in range(2)])
        for number in range(3)
    ]
    session.add_all(accounts)
    session.flush()
    made = sent(org)
    session.commit()
    assert [contact.parentcustomerid for contact in accounts[1].contacts] == [accounts[1].accountid] * 2
    assert accounts[0].versionnumber < accounts[2].versionnumber
    if SQLALCHEMY_2:
        assert len(made) <= 4


def test_a_thousand_rows_are_a_few_requests(session: Any, org: Sandbox) -> None:
    session.add_all([Account(name="thousand", revenue=number) for number in range(1000)])
    session.commit()
    if SQLALCHEMY_2:
        assert len(sent(org)) <= 4
    assert session.query(Account).filter_by(name="thousand").count() == 1000


def test_only_what_changed_is_sent_and_stale_rows_are_noticed(engine: Any, session: Any, org: Sandbox) -> None:
    account = Account(name="stale", revenue=1)
    session.add(account)
    session.commit()
    key, before = account.accountid, account.versionnumber
    account.revenue = 2
    session.commit()
    assert account.versionnumber > before
    with orm.Session(engine) as other:
        theirs: Any = other.get(Account, key)
        theirs.name = "theirs"
        other.commit()
    account.name = "mine"
    with pytest.raises(orm.exc.StaleDataError):
        session.commit()
    session.rollback()
    session.expire_all()
    assert (account.name, account.revenue) == ("theirs", 2)


def test_relationships_move_and_rows_go(session: Any) -> None:
    one, two = Account(name="one"), Account(name="two")
    contact = Contact(lastname="moved", account=one)
    session.add_all([one, two, contact])
    session.commit()
    contact.account = two
    session.commit()
    assert [each.lastname for each in two.contacts] == ["moved"] and one.contacts == []
    contact.account = None
    session.commit()
    assert contact.parentcustomerid is None
    session.delete(contact)
    session.delete(one)
    session.commit()
    assert session.get(Account, one.accountid) is None


def test_reflected_models_write_what_may_be_written(engine: Any, session: Any) -> None:
    table = sa.Table("account", sa.MetaData(), autoload_with=engine)
    registry_: Any = orm.declarative_base(metadata=table.metadata)
    model = type(
        "Reflected",
        (registry_,),
        {
            "__table__": table,
            "__mapper_args__": {"version_id_col": table.c.versionnumber, "version_id_generator": False},
        },
    )
    row, gone = model(name="reflected", industrycode=3), model(name="gone")
    session.add_all([row, gone])
    session.commit()
    assert (row.statecode, row.industrycodename) == (0, "Broadcasting Printing and Publishing")
    row.description = "changed"
    session.delete(gone)
    session.commit()
    assert session.get(model, row.accountid).description == "changed"
    assert session.query(model).filter_by(name="gone").count() == 0


def test_set_based_statements(session: Any) -> None:
    session.add_all([Account(name="setbased", revenue=number) for number in range(3)])
    session.commit()
    raise_all = sa.update(Account).where(Account.name == "setbased").values(revenue=Account.revenue + 1)
    assert session.execute(raise_all, execution_options={"synchronize_session": "fetch"}).rowcount == 3
    session.commit()
    assert session.execute(sa.delete(Account).where(Account.name == "setbased", Account.revenue > 1)).rowcount == 2
    session.commit()
    assert session.scalars(sa.select(Account.revenue).where(Account.name == "setbased")).all() == [1]


def test_core_counts_rows_of_executemany(engine: Any) -> None:
    table = sa.Table("account", sa.MetaData(), autoload_with=engine, resolve_fks=False)
    with engine.begin() as connection:
        assert connection.execute(table.insert(), [{"name": f"em{n}"} for n in range(7)]).rowcount == 7
        keys = [row[0] for row in connection.execute(sa.select(table.c.accountid).where(table.c.name.like("em%")))]
        change = table.update().where(table.c.accountid == sa.bindparam("key")).values(name=sa.bindparam("new"))
        sets = [{"key": key, "new": "emx"} for key in [*keys, sqlalchemy_dynamics.client_key(None)]]
        assert connection.execute(change, sets).rowcount == 7
        gone = table.delete().where(table.c.accountid == sa.bindparam("key"))
        assert connection.execute(gone, [{"key": key} for key in keys[:4]]).rowcount == 4
        assert connection.execute(sa.select(sa.func.count()).where(table.c.name == "emx")).scalar() == 3


def test_a_frame_is_appended(engine: Any) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"name": ["frame"] * 3, "revenue": [1.5, 2.5, None], "numberofemployees": [1, 2, 3]})
    frame.to_sql("account", engine, if_exists="append", index=False)
    found = pandas.read_sql("SELECT revenue, numberofemployees FROM account WHERE name = 'frame' ORDER BY 2", engine)
    assert found["numberofemployees"].tolist() == [1, 2, 3] and found["revenue"].isna().tolist() == [False, False, True]
