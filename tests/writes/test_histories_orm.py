"""Random units of work of the ORM end as on SQLite: relationships, `secondary`, versions, ROLLBACK, with faults too."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import sqlalchemy
from sqlalchemy import orm

from sqlalchemy_dynamics.dialect import GUID

from .histories.faults import TRANSIENT
from .histories.play import LENGTH, SEED, UNHURRIED, Guarded, guarded, report
from .histories.tables import empty, key_of

pytestmark = UNHURRIED

sa: Any = sqlalchemy
HISTORIES, TURNS = max(1, round(LENGTH)), 12
KINDS = sorted(TRANSIENT)


class Models(NamedTuple):
    """The same classes for one of the two sides; versions are the service's, or counted by SQLAlchemy."""

    base: Any
    account: Any
    contact: Any
    opportunity: Any
    competitor: Any


def models(served: bool) -> Models:
    base: Any = orm.declarative_base()
    text = GUID if served else sa.String
    links = sa.Table(
        "opportunitycompetitors",
        base.metadata,
        sa.Column("opportunityid", text, sa.ForeignKey("opportunity.opportunityid"), primary_key=True),
        sa.Column("competitorid", text, sa.ForeignKey("competitor.competitorid"), primary_key=True),
    )
    made = sa.FetchedValue() if served else None
    version = (
        sa.Column(sa.BigInteger, made, server_onupdate=made) if served else sa.Column(sa.BigInteger, nullable=False)
    )
    generator = {"version_id_generator": False} if served else {}

    class Account(base):
        __tablename__ = "account"
        accountid = sa.Column(text, primary_key=True)
        name = sa.Column(sa.String)
        numberofemployees = sa.Column(sa.Integer)
        versionnumber = version
        contacts = orm.relationship("Contact", back_populates="account")
        __mapper_args__ = {"version_id_col": versionnumber, **generator}

    class Contact(base):
        __tablename__ = "contact"
        contactid = sa.Column(text, primary_key=True)
        lastname = sa.Column(sa.String)
        parentcustomerid = sa.Column(text, sa.ForeignKey("account.accountid"))
        account = orm.relationship(Account, back_populates="contacts")

    class Opportunity(base):
        __tablename__ = "opportunity"
        opportunityid = sa.Column(text, primary_key=True)
        name = sa.Column(sa.String)
        competitors = orm.relationship("Competitor", secondary=links, back_populates="opportunities")

    class Competitor(base):
        __tablename__ = "competitor"
        competitorid = sa.Column(text, primary_key=True)
        name = sa.Column(sa.String)
        opportunities = orm.relationship(Opportunity, secondary=links, back_populates="competitors")

    return Models(base, Account, Contact, Opportunity, Competitor)


@pytest.fixture(scope="module")
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


@pytest.fixture(scope="module")
def served(org: Guarded) -> Iterator[Any]:
    engine = sa.create_engine(f"dynamics:///?{urlencode(org.sign_in)}")
    yield engine
    engine.dispose()


Move = tuple[str, int, int]
_MOVES = ("add account", "add contact", "add opportunity", "rename", "move", "leave", "link", "unlink", "drop", "flush")


def moves(chance: random.Random) -> list[Move]:
    """What one transaction does, by kinds and numbers."""
    return [(chance.choice(_MOVES), chance.randrange(4), chance.randrange(4)) for _ in range(chance.randint(2, 7))]


class Side:
    """One session, and what a move does in it."""

    def __init__(self, engine: Any, of: Models) -> None:
        self.models, self.session = of, orm.Session(engine)

    def get(self, name: str, number: int) -> Any:
        return self.session.get(getattr(self.models, name), key_of(name, number))

    def add(self, table: str, number: int, **values: Any) -> None:
        if self.get(table, number) is None:
            key = {f"{table}id": key_of(table, number)}
            self.session.add(getattr(self.models, table)(**key, **values))

    def play(self, move: Move) -> None:
        kind, one, two = move
        account, contact = self.get("account", one), self.get("contact", two)
        opportunity, competitor = self.get("opportunity", one), self.get("competitor", two)
        if kind.startswith("add"):
            self._add(kind, one, two, account)
        elif kind == "rename" and account is not None:
            account.name, account.numberofemployees = f"r{two}", (account.numberofemployees or 0) + 1
        elif kind in ("move", "leave") and contact is not None:
            contact.account = account if kind == "move" else None
        elif kind == "link" and opportunity is not None and competitor is not None:
            if competitor not in opportunity.competitors:
                opportunity.competitors.append(competitor)
        elif kind == "unlink" and opportunity is not None and competitor in opportunity.competitors:
            opportunity.competitors.remove(competitor)
        elif kind == "drop":
            for gone in (contact if one % 2 else None, opportunity if two % 2 else account):
                if gone is not None:
                    self.session.delete(gone)
            self.session.flush()
        elif kind == "flush":
            self.session.flush()

    def _add(self, kind: str, one: int, two: int, account: Any) -> None:
        if kind == "add account":
            self.add("account", one, name=f"a{two}", numberofemployees=two)
        elif kind == "add contact":
            self.add("contact", two, lastname=f"c{one}", account=account)
        else:
            self.add("opportunity", one, name=f"o{two}")
            self.add("competitor", two, name=f"k{one}")
        self.session.flush()


QUERIES = (
    "SELECT accountid, name, numberofemployees FROM account",
    "SELECT contactid, lastname, parentcustomerid FROM contact",
    "SELECT opportunityid, name FROM opportunity",
    "SELECT competitorid, name FROM competitor",
    "SELECT opportunityid, competitorid FROM opportunitycompetitors",
)


def compare(org: Guarded, local: Any, what: Any) -> None:
    with local.connect() as connection:
        for sql in QUERIES:
            ours = sorted(org.org.service.store.query(sql), key=repr)
            theirs = sorted(map(tuple, connection.execute(sa.text(sql)).all()), key=repr)
            assert ours == theirs, (sql, what)


def emptied(org: Guarded) -> Any:
    org.gate.arm()
    empty(org.org)
    return sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool, connect_args={"check_same_thread": False})


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "faults"])
def test_units_of_work_end_as_on_sqlite(
    org: Guarded, served: Any, faults: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each transaction is one flush or several, committed under AUTOCOMMIT; passing faults are not seen."""
    tally = Counter[str]()
    for number in range(HISTORIES):
        chance = random.Random(f"{SEED} {number}")
        local = emptied(org)
        here = models(False)
        here.base.metadata.create_all(local)
        sides = (Side(served, models(True)), Side(local, here))
        for _ in range(TURNS):
            transaction = moves(chance)
            org.gate.arm({chance.randint(1, 6): chance.choice(KINDS)} if faults else {})
            for side in sides:
                for move in transaction:
                    side.play(move)
                side.session.commit()
            tally.update({"transactions": 1, "moves": len(transaction), "faults": len(org.gate.fired)})
            org.gate.arm()
            compare(org, local, (number, transaction))
        for side in sides:
            side.session.close()
        local.dispose()
    report(f"ORM{' with faults' if faults else ''}", tally, capsys)
    assert tally["transactions"] == HISTORIES * TURNS


def test_units_of_work_in_change_sets(org: Guarded, served: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """COMMIT sends all, ROLLBACK nothing; rows are looked up before the first flush only."""
    tally = Counter[str]()
    of, buffering = models(True), served.execution_options(isolation_level="CHANGESET")
    for number in range(HISTORIES):
        chance = random.Random(f"{SEED} {number} set")
        local = emptied(org)
        here = models(False)
        here.base.metadata.create_all(local)
        for turn in range(TURNS):
            rolls_back = chance.random() < 0.3
            org.gate.arm({1: chance.choice(KINDS)} if chance.random() < 0.5 else {})
            for engine, each in ((buffering, of), (local, here)):
                with orm.Session(engine) as session:
                    for n in range(10 * turn, 10 * turn + 3):
                        contact = each.contact(contactid=key_of("contact", n), lastname="u")
                        session.add(each.account(accountid=key_of("account", n), name="unit", contacts=[contact]))
                    session.flush()
                    session.rollback() if rolls_back else session.commit()
            tally.update({"transactions": 1, "rolled back": rolls_back, "faults": len(org.gate.fired)})
            org.gate.arm()
            compare(org, local, (number, turn, rolls_back))
        local.dispose()
    report("ORM in change sets", tally, capsys)
    assert tally["rolled back"] > 0


def test_stale_rows_are_noticed_as_on_sqlite(org: Guarded, served: Any) -> None:
    local = emptied(org)
    for engine, of in ((served, models(True)), (local, models(False))):
        if engine is local:
            of.base.metadata.create_all(local)
        one, two = Side(engine, of), Side(engine, of)
        one.add("account", 1, name="first")
        one.session.commit()
        two.get("account", 1).name = "theirs"
        mine = one.get("account", 1)
        assert mine.name == "first"
        if engine is not local:
            two.session.commit()
            mine.name = "mine"
            with pytest.raises(orm.exc.StaleDataError):
                one.session.commit()
        else:
            one.session.commit()
            two.session.commit()
        one.session.close()
        two.session.close()
    compare(org, local, "stale")


def test_frames_are_appended_once(org: Guarded, served: Any) -> None:
    """pandas.to_sql with a fault at each of its requests."""
    pandas = pytest.importorskip("pandas")
    for kind in KINDS:
        for number in range(1, 4):
            emptied(org).dispose()
            frame = pandas.DataFrame({"name": [f"f{n}" for n in range(20)], "numberofemployees": range(20)})
            org.gate.arm({number: kind})
            frame.to_sql("account", served, if_exists="append", index=False)
            org.gate.arm()
            found = org.org.service.store.query("SELECT name, numberofemployees FROM account ORDER BY 2")
            assert found == [(f"f{n}", n) for n in range(20)], (kind, number)
