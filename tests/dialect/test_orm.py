"""ORM models, declared and reflected, over the sandbox."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

import sqlalchemy_dynamics
from sqlalchemy_dynamics.dialect import GUID

Base: Any = orm.declarative_base()


class Account(Base):
    __tablename__ = "account"
    accountid = sa.Column(GUID, primary_key=True)
    name = sa.Column(sa.String)
    revenue = sa.Column(sa.Numeric(19, 4))
    primarycontactid = sa.Column(GUID, sa.ForeignKey("contact.contactid"))
    primary_contact = orm.relationship("Contact", foreign_keys=[primarycontactid])
    opportunities = orm.relationship("Opportunity", back_populates="account")


class Contact(Base):
    __tablename__ = "contact"
    contactid = sa.Column(GUID, primary_key=True)
    fullname = sa.Column(sa.String)


class Opportunity(Base):
    __tablename__ = "opportunity"
    opportunityid = sa.Column(GUID, primary_key=True)
    name = sa.Column(sa.String)
    parentaccountid = sa.Column(GUID, sa.ForeignKey("account.accountid"))
    account = orm.relationship(Account, back_populates="opportunities")


@pytest.fixture
def session(engine: sa.engine.Engine) -> Any:
    with orm.Session(engine) as session:
        yield session


def test_lazy_loading_and_identity(session: Any) -> None:
    opportunity = session.scalars(sa.select(Opportunity).where(Opportunity.parentaccountid.isnot(None)).limit(1)).one()
    assert opportunity in opportunity.account.opportunities
    assert session.get(Account, opportunity.parentaccountid) is opportunity.account


OPTIONS = [orm.joinedload, orm.selectinload, orm.subqueryload]


@pytest.mark.parametrize("load", OPTIONS, ids=[option.__name__ for option in OPTIONS])
def test_eager_loading_agrees_with_lazy(session: Any, load: Any) -> None:
    statement = sa.select(Account).order_by(Account.name, Account.accountid).limit(8)
    lazy = {
        row.accountid: sorted(each.opportunityid for each in row.opportunities) for row in session.scalars(statement)
    }
    session.expire_all()
    eager = session.scalars(statement.options(load(Account.opportunities))).unique().all()
    assert {row.accountid: sorted(each.opportunityid for each in row.opportunities) for row in eager} == lazy
    assert len(lazy) == 8


def test_joins_any_and_counts(session: Any) -> None:
    joined = session.execute(
        sa.select(Account.name, sa.func.count(Opportunity.opportunityid))
        .join(Account.opportunities)
        .group_by(Account.accountid, Account.name)
    ).all()
    with_some = session.scalar(sa.select(sa.func.count()).select_from(Account).where(Account.opportunities.any()))
    assert len(joined) == with_some > 0
    assert session.query(Account).filter(Account.primary_contact.has(Contact.fullname.isnot(None))).count() > 0


def test_aliased_self_consistency(session: Any) -> None:
    other = orm.aliased(Contact)
    rows = session.execute(
        sa.select(Account, other).outerjoin(other, Account.primarycontactid == other.contactid)
    ).all()
    assert len(rows) == session.scalar(sa.select(sa.func.count()).select_from(Account))
    assert all((contact is None) == (account.primarycontactid is None) for account, contact in rows)


def test_automap_of_reflected_tables(engine: sa.engine.Engine) -> None:
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        table = sa.Table("account", metadata, autoload_with=engine, resolve_fks=False)
    Reflected: Any = type("Reflected", (orm.declarative_base(metadata=metadata),), {"__table__": table})
    with orm.Session(engine) as session:
        row = session.scalars(sa.select(Reflected).where(Reflected.name.isnot(None)).limit(1)).one()
        assert row.name and row.accountid and row.createdon.tzinfo is not None


def test_explaining_an_orm_statement(organization: Any, engine: sa.engine.Engine, session: Any) -> None:
    sa.inspect(engine).get_columns("opportunity")
    organization.forget()
    statement = sa.select(Opportunity).where(Opportunity.name == "x")
    steps = sqlalchemy_dynamics.explain(statement, engine)
    assert steps[0][2].startswith("GET opportunities?") and "parentaccountid" in steps[0][2]
    assert sqlalchemy_dynamics.explain(session.query(Opportunity).filter(Opportunity.name == "x"), engine) == steps
    assert organization.requests() == []
