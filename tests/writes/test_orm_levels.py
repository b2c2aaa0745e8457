"""The ORM's unit of work in both isolation levels: parents with children, cascades, versions, many-to-many."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import orm

from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import sent

sa: Any = sqlalchemy
Base: Any = orm.declarative_base()
links = sa.Table(
    "opportunitycompetitors",
    Base.metadata,
    sa.Column("opportunityid", GUID, sa.ForeignKey("opportunity.opportunityid")),
    sa.Column("competitorid", GUID, sa.ForeignKey("competitor.competitorid")),
)


class Account(Base):
    __tablename__ = "account"
    accountid = sa.Column(GUID, primary_key=True)
    name = sa.Column(sa.String)
    parentaccountid = sa.Column(GUID, sa.ForeignKey("account.accountid"))
    versionnumber = sa.Column(sa.BigInteger, sa.FetchedValue(), server_onupdate=sa.FetchedValue())
    contacts = orm.relationship("Contact", back_populates="account", cascade="all, delete-orphan")
    parent = orm.relationship("Account", remote_side=[accountid])
    __mapper_args__ = {"version_id_col": versionnumber, "version_id_generator": False}


class Contact(Base):
    __tablename__ = "contact"
    contactid = sa.Column(GUID, primary_key=True)
    lastname = sa.Column(sa.String)
    parentcustomerid = sa.Column(GUID, sa.ForeignKey("account.accountid"))
    account = orm.relationship(Account, back_populates="contacts")


class Opportunity(Base):
    __tablename__ = "opportunity"
    opportunityid = sa.Column(GUID, primary_key=True)
    name = sa.Column(sa.String)
    competitors = orm.relationship("Competitor", secondary=links)


class Competitor(Base):
    __tablename__ = "competitor"
    competitorid = sa.Column(GUID, primary_key=True)
    name = sa.Column(sa.String)


@pytest.fixture(params=["AUTOCOMMIT", "CHANGESET"])
def level(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def session(engine: Any, level: str) -> Iterator[Any]:
    with orm.Session(engine.execution_options(isolation_level=level)) as session, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield session


@pytest.fixture
def reflected(engine: Any) -> dict[str, Any]:
    base: Any = orm.declarative_base()
    for name in ("account", "contact"):
        sa.Table(name, base.metadata, autoload_with=engine)
    account, contact = (base.metadata.tables[name] for name in ("account", "contact"))
    person = type("Person", (base,), {"__table__": contact})
    joined = contact.c.parentcustomerid == account.c.accountid
    people = orm.relationship(person, primaryjoin=joined, foreign_keys=[contact.c.parentcustomerid])
    return {"person": person, "company": type("Company", (base,), {"__table__": account, "people": people})}


def commits(org: Sandbox, level: str) -> None:
    """Under CHANGESET one batch was sent, whatever the session held."""
    found = [each for each in sent(org) if not each.startswith("GET")]
    assert found == ["POST $batch"] if level == "CHANGESET" else found


def test_parents_and_children_in_one_flush(session: Any, org: Sandbox, level: str) -> None:
    top = Account(name=f"top {level}")
    accounts = [
        Account(name=f"p {level}", parent=top, contacts=[Contact(lastname=f"c {level}") for _ in range(3)])
        for _ in range(4)
    ]
    sent(org)
    session.add_all(accounts)
    session.commit()
    commits(org, level)
    assert {each.parent.name for each in accounts} == {top.name}
    assert [len(each.contacts) for each in accounts] == [3] * 4
    assert all(each.versionnumber > 0 for each in accounts)
    session.delete(accounts[0])
    session.delete(accounts[1])
    accounts[2].contacts.pop()
    session.commit()
    assert session.query(Contact).filter_by(lastname=f"c {level}").count() == 5
    assert session.query(Account).filter_by(name=f"p {level}").count() == 2


def test_reflected_parents_and_children(session: Any, org: Sandbox, level: str, reflected: dict[str, Any]) -> None:
    company, person = reflected["company"], reflected["person"]
    rows = [company(name=f"r {level}", people=[person(lastname=f"r {level}") for _ in range(2)]) for _ in range(3)]
    sent(org)
    session.add_all(rows)
    session.commit()
    commits(org, level)
    assert [len(each.people) for each in rows] == [2, 2, 2]
    assert rows[0].statecode == 0 and rows[0].people[0].fullname == f"r {level}"
    rows[0].description = "changed"
    session.delete(rows[1].people[0])
    session.commit()
    assert rows[0].description == "changed" and len(rows[1].people) == 1


def test_links_come_and_go(session: Any, org: Sandbox, level: str) -> None:
    rivals = [Competitor(name=f"l {level} {number}") for number in range(3)]
    opportunity = Opportunity(name=f"l {level}", competitors=rivals[:2])
    sent(org)
    session.add_all([opportunity, *rivals])
    session.commit()
    commits(org, level)
    assert {each.name for each in opportunity.competitors} == {each.name for each in rivals[:2]}
    opportunity.competitors = rivals[1:]
    session.commit()
    assert {each.name for each in opportunity.competitors} == {each.name for each in rivals[1:]}


def test_a_stale_row_is_noticed(session: Any, engine: Any, level: str) -> None:
    account = Account(name=f"stale {level}")
    session.add(account)
    session.commit()
    key = account.accountid
    with orm.Session(engine) as other:
        theirs: Any = other.get(Account, key)
        theirs.name = "theirs"
        other.commit()
    account.name = "mine"
    error = orm.exc.StaleDataError if level == "AUTOCOMMIT" else sa.exc.IntegrityError
    with pytest.raises(error):
        session.commit()
    session.rollback()
    assert account.name == "theirs"


def test_a_rollback(session: Any, level: str) -> None:
    session.add(Account(name=f"rolled back {level}"))
    session.flush()
    session.rollback()
    kept = session.query(Account).filter_by(name=f"rolled back {level}").count()
    assert kept == (1 if level == "AUTOCOMMIT" else 0)
