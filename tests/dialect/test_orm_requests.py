"""What the ORM's own statements ask of the service: loaders, counts, existence, refreshes.

`orm_requests.txt` holds the requests; `python -m tests.dialect.test_orm_requests` writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy import orm

from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.sandbox import Sandbox

Base: Any = orm.declarative_base()
REQUESTS = Path(__file__).parent / "orm_requests.txt"


class Account(Base):
    __tablename__ = "account"
    accountid = sa.Column(GUID, primary_key=True)
    name = sa.Column(sa.String)
    revenue = sa.Column(sa.Numeric(19, 4))
    people = orm.relationship("Contact", back_populates="account")


class Contact(Base):
    __tablename__ = "contact"
    contactid = sa.Column(GUID, primary_key=True)
    fullname = sa.Column(sa.String)
    parentcustomerid = sa.Column(GUID, sa.ForeignKey("account.accountid"))
    account = orm.relationship(Account, back_populates="people")


def _accounts(session: orm.Session, *options: Any) -> list[Any]:
    return list(
        session.execute(sa.select(Account).order_by(Account.name).limit(2).options(*options)).unique().scalars()
    )


def _refreshed(session: orm.Session) -> None:
    first = session.execute(sa.select(Account).limit(1)).scalar_one()
    session.refresh(first)
    assert session.get(Account, first.accountid) is first


OPERATIONS: dict[str, Callable[[orm.Session], Any]] = {
    "query one": lambda s: s.execute(sa.select(Account).where(Account.name == "Contoso")).scalars().first(),
    "joinedload and limit": lambda s: _accounts(s, orm.joinedload(Account.people)),
    "selectinload": lambda s: _accounts(s, orm.selectinload(Account.people)),
    "subqueryload": lambda s: _accounts(s, orm.subqueryload(Account.people)),
    "lazy load of a collection": lambda s: [len(each.people) for each in _accounts(s)],
    "any() and count()": lambda s: s.query(Account).filter(Account.people.any(Contact.fullname.like("A%"))).count(),
    "has()": lambda s: s.query(Contact).filter(Contact.account.has(Account.name == "Contoso")).all(),
    "join, ilike, in": lambda s: (
        s.query(Contact)
        .join(Contact.account)
        .filter(
            sa.literal_column("account.revenue") > 1,
            Contact.fullname.ilike("%c%"),
            Contact.fullname.in_(["C10", "C11"]),
        )
        .all()
    ),
    "refresh and get by key": _refreshed,
    "count of everything": lambda s: s.execute(sa.select(sa.func.count()).select_from(Account)).scalar(),
    "a window": lambda s: s.execute(
        sa.select(Account.name, sa.func.sum(Account.revenue).over(order_by=Account.name)).limit(3)
    ).all(),
    "a constant": lambda s: s.execute(sa.select(sa.literal(1))).scalar(),
}


def _asked(org: Sandbox) -> Iterator[str]:
    engine = sa.create_engine(
        "dynamics://", connect_args={"OrganizationUrl": org.url, "OAuthAccessToken": org.access_token}
    )
    with orm.Session(engine) as session:
        for operation in OPERATIONS.values():
            operation(session)
    for name, operation in OPERATIONS.items():
        with orm.Session(engine) as session:
            org.log.clear()
            operation(session)
        urls = (unquote(str(entry["url"]).removeprefix("/api/data/v9.2/")) for entry in org.requests)
        yield "\n".join([name, *sorted(f"  {_without_ids(url)}" for url in urls)])  # some are sent side by side


def _without_ids(url: str) -> str:
    return re.sub(r'("?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"?,?)+', "{ids}", url)


def _written() -> str:
    with Sandbox(rows=40, seed=3) as org:
        return "\n\n".join(_asked(org)) + "\n"


def test_the_orm_asks_for_this() -> None:
    assert _written() == REQUESTS.read_text(encoding="utf-8")


if __name__ == "__main__":
    REQUESTS.write_text(_written(), encoding="utf-8")
