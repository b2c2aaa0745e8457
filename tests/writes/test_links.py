"""Many-to-many: links as rows of the intersect table, and the ORM's `secondary`."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import orm

import sqlalchemy_dynamics
from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, control, sent

sa: Any = sqlalchemy
Base: Any = orm.declarative_base()
links = sa.Table(
    "opportunitycompetitors",
    Base.metadata,
    sa.Column("opportunityid", GUID, sa.ForeignKey("opportunity.opportunityid"), primary_key=True),
    sa.Column("competitorid", GUID, sa.ForeignKey("competitor.competitorid"), primary_key=True),
)


class Opportunity(Base):
    __tablename__ = "opportunity"
    opportunityid = sa.Column(GUID, primary_key=True, default=sqlalchemy_dynamics.client_key)
    name = sa.Column(sa.String)
    competitors = orm.relationship("Competitor", secondary=links, backref="opportunities")


class Competitor(Base):
    __tablename__ = "competitor"
    competitorid = sa.Column(GUID, primary_key=True, default=sqlalchemy_dynamics.client_key)
    name = sa.Column(sa.String)


@pytest.fixture
def ends(sql: Sql, org: Sandbox) -> tuple[str, list[str]]:
    """An opportunity and three competitors."""
    one, others = str(uuid.uuid4()), [str(uuid.uuid4()) for _ in range(3)]
    sql("INSERT INTO opportunity (opportunityid, name) VALUES (?, 'links')", (one,))
    for other in others:
        sql("INSERT INTO competitor (competitorid, name) VALUES (?, 'links')", (other,))
    sql("SELECT competitorid FROM opportunitycompetitors LIMIT 1").fetchall()
    sent(org)
    return one, others


ADD = "INSERT INTO opportunitycompetitors (opportunityid, competitorid) VALUES (?, ?)"
LINKED = "SELECT competitorid FROM opportunitycompetitors WHERE opportunityid = ?"


def test_rows_are_links(sql: Sql, connect: Connect, org: Sandbox, ends: tuple[str, list[str]]) -> None:
    one, others = ends
    assert sql(ADD, (one, others[0])).rowcount == 1
    assert sent(org) == [f"POST opportunities({one})/opportunitycompetitors_association/$ref"]
    assert connect().cursor().executemany(ADD, [(one, other) for other in others[1:]]).rowcount == 2
    assert {row[0] for row in sql(LINKED, (one,)).fetchall()} == set(others)
    gone = sql("DELETE FROM opportunitycompetitors WHERE opportunityid = ? AND competitorid = ?", (one, others[0]))
    assert gone.rowcount == 1
    gone = sql("DELETE FROM opportunitycompetitors WHERE opportunityid = ? RETURNING competitorid", (one,))
    assert gone.rowcount == 2 and {row[0] for row in gone.fetchall()} == set(others[1:])
    assert sql(LINKED, (one,)).fetchall() == []


def test_links_that_cannot_be(sql: Sql, ends: tuple[str, list[str]]) -> None:
    one, others = ends
    sql(ADD, (one, others[0]))
    with pytest.raises(errors.IntegrityError, match="duplicate"):
        sql(ADD, (one, others[0]))
    with pytest.raises(errors.IntegrityError, match="Does Not Exist"):
        sql(ADD, (one, str(uuid.uuid4())))
    with pytest.raises(errors.ProgrammingError, match="give opportunityid and competitorid"):
        sql("INSERT INTO opportunitycompetitors (opportunityid) VALUES (?)", (one,))
    with pytest.raises(errors.NotSupportedError, match="are links"):
        sql("UPDATE opportunitycompetitors SET competitorid = ? WHERE opportunityid = ?", (others[1], one))


def test_links_wait_for_commit(connect: Connect, sql: Sql, ends: tuple[str, list[str]]) -> None:
    one, others = ends
    connection = connect()
    connection.isolation_level = "CHANGESET"
    connection.cursor().executemany(ADD, [(one, other) for other in others])
    with pytest.raises(errors.NotSupportedError, match="opportunitycompetitors has changes"):
        connection.cursor().execute(LINKED, (one,))
    connection.commit()
    assert {row[0] for row in sql(LINKED, (one,)).fetchall()} == set(others)


def test_secondary(engine: Any) -> None:
    with orm.Session(engine) as session:
        rivals = [Competitor(name=f"rival {number}") for number in range(3)]
        opportunity = Opportunity(name="contested", competitors=rivals[:2])
        session.add_all([opportunity, *rivals])
        session.commit()
        assert {each.name for each in opportunity.competitors} == {"rival 0", "rival 1"}
        opportunity.competitors.remove(rivals[0])
        opportunity.competitors.append(rivals[2])
        session.commit()
        assert {each.name for each in opportunity.competitors} == {"rival 1", "rival 2"}
        assert rivals[0].opportunities == []
        session.delete(opportunity)
        session.commit()
        assert rivals[1].opportunities == []


@pytest.mark.parametrize("many", [False, True])
def test_a_lost_answer_is_no_refusal(
    connect: Connect, sql: Sql, org: Sandbox, ends: tuple[str, list[str]], many: bool
) -> None:
    one, others = ends
    cursor = connect().cursor()
    sets = [(one, other) for other in (others if many else others[:1])]
    for statement, left in (
        (ADD, len(sets)),
        ("DELETE FROM opportunitycompetitors WHERE opportunityid = ? AND competitorid = ?", 0),
    ):
        for path in ("$ref", "$batch"):
            control(org, "POST", "faults", {"kind": "drop", "when": "#1", "arg": 0, "path": path})
        assert cursor.executemany(statement, sets).rowcount == len(sets)
        control(org, "DELETE", "faults")
        assert len(sql(LINKED, (one,)).fetchall()) == left


def unlinked(org: Sandbox, work: Any) -> list[str]:
    """What is sent of a piece of work, but what is read."""
    sent(org)
    work()
    return [each for each in sent(org) if not each.startswith("GET")]


@pytest.mark.parametrize("kind", ["pop", "both sides", "delete"])
def test_several_links_are_removed_in_a_change_set(engine: Any, org: Sandbox, kind: str) -> None:
    with orm.Session(engine.execution_options(isolation_level="CHANGESET")) as session:
        rivals = [Competitor(name=f"rival {number}") for number in range(3)]
        deals = [Opportunity(name="deal", competitors=list(rivals)) for _ in range(2)]
        session.add_all(deals)
        session.commit()
        assert [len(deal.competitors) for deal in deals] == [3, 3] and len(rivals[0].opportunities) == 2
        if kind == "delete":
            session.delete(deals[0])
        else:
            deals[0].competitors.pop()
            deals[0].competitors.pop()
        if kind == "both sides":
            rivals[0].opportunities.remove(deals[1])
        assert unlinked(org, session.commit) == ["POST $batch"]
        left = {"pop": 1, "both sides": 1, "delete": 0}[kind]
        found = session.execute(sa.select(links.c.competitorid).where(links.c.opportunityid == deals[1].opportunityid))
        assert len(found.all()) == (2 if kind == "both sides" else 3)
        if kind != "delete":
            assert len(deals[0].competitors) == left


@pytest.mark.parametrize("reflected", [False, True])
def test_association_objects_are_deleted_in_a_change_set(
    engine: Any, sql: Sql, ends: tuple[str, list[str]], reflected: bool
) -> None:
    one, others = ends
    columns = (
        () if reflected else [sa.Column(name, GUID, primary_key=True) for name in ("opportunityid", "competitorid")]
    )
    loaded = {"autoload_with": engine} if reflected else {}
    table = sa.Table("opportunitycompetitors", sa.MetaData(), *columns, **loaded)
    Link: Any = type("Link", (orm.declarative_base(metadata=table.metadata),), {"__table__": table})
    with orm.Session(engine.execution_options(isolation_level="CHANGESET")) as session:
        session.execute(table.insert(), [{"opportunityid": one, "competitorid": other} for other in others])
        session.commit()
        for link in session.query(Link).filter(Link.competitorid.in_(others[:2])).all():
            session.delete(link)
        session.commit()
    assert sql(LINKED, (one,)).fetchall() == [(others[2],)]


REMOVE = "DELETE FROM opportunitycompetitors WHERE {} AND {}"


def test_unlinking_reads_nothing_in_a_change_set(
    connect: Connect, sql: Sql, org: Sandbox, ends: tuple[str, list[str]]
) -> None:
    one, others = ends
    connection = connect()
    connection.isolation_level = "CHANGESET"
    cursor = connection.cursor()
    cursor.executemany(ADD, [(one, other) for other in others])
    connection.commit()
    sent(org)
    remove = REMOVE.format("opportunityid = ?", "? = competitorid")
    assert cursor.execute(remove, (one, others[0])).rowcount == 1
    assert cursor.execute(REMOVE.format(f"competitorid = '{others[1]}'", f"opportunityid = '{one}'")).rowcount == 1
    assert cursor.execute(remove, (one, None)).rowcount == 0
    assert cursor.executemany(remove, [(one, others[0]), (one, others[2])]).rowcount == 2
    assert [row[1] for row in cursor.execute(f"EXPLAIN {remove}", (one, others[0])).fetchall()] == ["write"]
    with pytest.raises(errors.NotSupportedError, match="opportunitycompetitors has changes"):
        cursor.execute("DELETE FROM opportunitycompetitors WHERE opportunityid = ?", (one,))
    assert sent(org) == []
    connection.commit()
    assert sent(org) == ["POST $batch"] and sql(LINKED, (one,)).fetchall() == []


def test_unlinking_in_a_change_set_takes_no_link_but_no_missing_row(
    connect: Connect, sql: Sql, ends: tuple[str, list[str]]
) -> None:
    one, others = ends
    connection = connect()
    connection.isolation_level = "CHANGESET"
    cursor, remove = connection.cursor(), REMOVE.format("opportunityid = ?", "competitorid = ?")
    cursor.execute(ADD, (one, others[0]))
    cursor.execute(remove, (one, others[0]))
    cursor.execute(remove, (one, others[1]))
    connection.commit()
    assert sql(LINKED, (one,)).fetchall() == []
    assert sql(remove, (one, others[1])).rowcount == 0
    cursor.execute(ADD, (one, others[0]))
    cursor.execute(remove, (one, str(uuid.uuid4())))
    with pytest.raises(errors.IntegrityError, match="row 2 of unlink"):
        connection.commit()
    assert sql(LINKED, (one,)).fetchall() == []
