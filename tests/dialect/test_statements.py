"""Core statements of every shape: pushed down, not pushed down, and with literal binds, all give the same rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

SQLALCHEMY_2 = not sa.__version__.startswith("1.")
UTC = dt.UTC


@dataclass(frozen=True)
class Data:
    """Two engines over one organisation, reflected tables, and values that occur in them."""

    pushing: sa.engine.Engine
    local: sa.engine.Engine
    account: sa.Table
    opportunity: sa.Table
    name: str
    key: str
    created: dt.datetime

    @property
    def a(self) -> Any:
        return self.account.c

    @property
    def o(self) -> Any:
        return self.opportunity.c


@pytest.fixture(scope="module")
def data(organization: Any) -> Iterator[Data]:
    engine = organization.engine()
    metadata = sa.MetaData()
    account, opportunity = (
        sa.Table(name, metadata, autoload_with=engine, resolve_fks=False) for name in ("account", "opportunity")
    )
    with engine.connect() as connection:
        columns = (account.c.name, account.c.accountid, account.c.createdon)
        row = connection.execute(select(*columns).where(account.c.name.isnot(None)).limit(1)).one()
    local = organization.engine(connect_args={"Pushdown": "false"})
    yield Data(engine, local, account, opportunity, *row)
    engine.dispose()
    local.dispose()


def _hierarchy(d: Data) -> Any:
    a = d.a
    top = (
        select(a.accountid, sa.literal(0).label("depth")).where(a.parentaccountid.is_(None)).cte("tree", recursive=True)
    )
    below = select(a.accountid, top.c.depth + 1).where(a.parentaccountid == top.c.accountid)
    return select(top.union_all(below))


def _first_opportunity(d: Data) -> Any:
    first = select(d.o.name.label("first")).where(d.o.parentaccountid == d.a.accountid)
    lateral = first.order_by(d.o.name, d.o.opportunityid).limit(1).lateral("l")
    return select(d.a.accountid, lateral.c.first).join(lateral, sa.true(), isouter=True)


def _cities(d: Data) -> Any:
    grouped = select(d.a.address1_city, func.count(d.a.accountid).label("n")).group_by(d.a.address1_city).cte("cities")
    return select(grouped.c.n).where(grouped.c.n > 1)


def _self_join(d: Data) -> Any:
    parent = d.account.alias("parent")
    return select(d.a.name, parent.c.name).join(parent, parent.c.accountid == d.a.parentaccountid)


def _where(condition: Callable[[Data], Any]) -> Callable[[Data], Any]:
    return lambda d: select(d.a.accountid).where(condition(d))


STATEMENTS: dict[str, Callable[[Data], Any]] = {
    "contains": _where(lambda d: d.a.name.contains("o")),
    "contains escaped": _where(lambda d: d.a.name.contains("50%_", autoescape=True)),
    "startswith": _where(lambda d: d.a.name.startswith("C")),
    "endswith": _where(lambda d: d.a.name.endswith("Co")),
    "not like": _where(lambda d: ~d.a.name.like("A%")),
    "ilike": _where(lambda d: d.a.name.ilike("%CO%")),
    "regexp": _where(lambda d: d.a.name.regexp_match("^[A-C]")),
    "in": _where(lambda d: d.a.name.in_([d.name, "x"])),
    "in nothing": _where(lambda d: d.a.name.in_([])),
    "not in nothing": _where(lambda d: ~d.a.name.in_([])),
    "not in": _where(lambda d: ~d.a.name.in_([d.name])),
    "tuple in": _where(lambda d: sa.tuple_(d.a.name, d.a.statecode).in_([(d.name, 0), (d.name, 1)])),
    "guid": _where(lambda d: d.a.accountid == d.key),
    "guids": _where(lambda d: d.a.accountid.in_([d.key, "00000000-0000-0000-0000-000000000001"])),
    "between times": _where(lambda d: d.a.createdon.between(d.created, d.created + dt.timedelta(days=200))),
    "interval": _where(
        lambda d: d.a.createdon > sa.cast(d.created, sa.DateTime(timezone=True)) - dt.timedelta(days=90)
    ),
    "naive and aware": _where(
        lambda d: sa.and_(d.a.createdon > dt.datetime(2020, 1, 1), d.a.createdon < dt.datetime(2030, 1, 1, tzinfo=UTC))
    ),
    "date": _where(lambda d: d.a.createdon >= dt.date(2022, 1, 1)),
    "decimal": _where(lambda d: d.a.revenue > Decimal("1000.5")),
    "float": _where(lambda d: d.a.revenue > 1000.5),
    "is true": _where(lambda d: d.a.donotemail.is_(True)),
    "bare boolean": _where(lambda d: d.a.donotemail),
    "not boolean": _where(lambda d: ~d.a.donotemail),
    "distinct from": _where(lambda d: d.a.name.is_distinct_from(d.name)),
    "not distinct from null": _where(lambda d: d.a.name.isnot_distinct_from(None)),
    "unequal": _where(lambda d: d.a.name != d.name),
    "text": _where(lambda d: sa.text("statecode = 0 AND name LIKE '%o%'")),
    "expanding": _where(lambda d: d.a.name.in_(sa.bindparam("names", [d.name], expanding=True))),
    "case": lambda d: select(sa.case((d.a.revenue > 1000, "big"), else_="small").label("k"), func.count()).group_by(
        "k"
    ),
    "year": lambda d: select(sa.extract("year", d.a.createdon).label("y"), func.count()).group_by("y"),
    "month": lambda d: select(func.date_trunc("month", d.a.createdon).label("m"), func.count()).group_by("m"),
    "casts": lambda d: select(
        sa.cast(d.a.revenue, sa.Integer), sa.cast(d.a.createdon, sa.Date), sa.cast(d.a.statecode, sa.String)
    ),
    "concatenation": lambda d: select(d.a.name + "-" + d.a.address1_city),
    "modulo and division": lambda d: select(d.a.statecode % 2, d.a.numberofemployees / 7),
    "strings": lambda d: select(func.lower(d.a.name), func.length(d.a.name), func.substr(d.a.name, 1, 3)),
    "replace": lambda d: select(d.a.name.regexp_replace("o", "0")),
    "aggregates": lambda d: select(
        func.count(), func.count(d.a.name), func.sum(d.a.revenue), func.min(d.a.createdon), func.avg(d.a.revenue)
    ),
    "count distinct": lambda d: select(func.count(sa.distinct(d.a.address1_city))),
    "filtered aggregate": lambda d: select(func.sum(d.a.revenue).filter(d.a.statecode == 1)),
    "having": lambda d: (
        select(d.a.address1_city, func.count().label("n")).group_by(d.a.address1_city).having(func.count() > 1)
    ),
    "window": lambda d: select(
        d.a.accountid, func.row_number().over(partition_by=d.a.address1_city, order_by=[d.a.name, d.a.accountid])
    ),
    "union": lambda d: sa.union(select(d.a.name), select(d.o.name)),
    "union all": lambda d: sa.union_all(select(d.a.accountid), select(d.o.opportunityid)),
    "intersect": lambda d: sa.intersect(select(d.a.ownerid), select(d.o.ownerid)),
    "except": lambda d: sa.except_(select(d.a.accountid), select(d.o.parentaccountid)),
    "cte": _cities,
    "recursive cte": _hierarchy,
    "scalar subquery": lambda d: select(
        d.a.name, select(func.count()).where(d.o.parentaccountid == d.a.accountid).scalar_subquery()
    ),
    "exists": _where(lambda d: sa.exists().where(d.o.parentaccountid == d.a.accountid)),
    "not exists": _where(lambda d: ~sa.exists().where(d.o.parentaccountid == d.a.accountid)),
    "in select": _where(lambda d: d.a.accountid.in_(select(d.o.parentaccountid).where(d.o.statecode == 0))),
    "not in select with null": _where(lambda d: ~d.a.accountid.in_(select(d.o.parentaccountid))),
    "join": lambda d: select(d.a.name, d.o.estimatedvalue).join(d.opportunity, d.o.parentaccountid == d.a.accountid),
    "left join": lambda d: select(d.a.name, d.o.name).join(
        d.opportunity, d.o.parentaccountid == d.a.accountid, isouter=True
    ),
    "full join": lambda d: select(d.a.name, d.o.name).join(
        d.opportunity, d.o.parentaccountid == d.a.accountid, full=True
    ),
    "self join": _self_join,
    "lateral": _first_opportunity,
    "limit and offset": lambda d: select(d.a.accountid).order_by(d.a.createdon, d.a.accountid).limit(5).offset(3),
    "offset": lambda d: select(d.a.accountid).order_by(d.a.createdon, d.a.accountid).offset(50),
    "fetch": lambda d: select(d.a.accountid).order_by(d.a.createdon, d.a.accountid).fetch(4),
    "distinct": lambda d: select(d.a.address1_city).distinct(),
    "nulls last": lambda d: select(d.a.accountid).order_by(d.a.revenue.desc().nullslast(), d.a.accountid).limit(9),
    "companions": lambda d: select(d.a.primarycontactid, d.a.primarycontactidname),
}
if SQLALCHEMY_2:
    STATEMENTS["icontains"] = _where(lambda d: d.a.name.icontains("CO"))
    STATEMENTS["floor division"] = lambda d: select(d.a.numberofemployees // 7)


def _rows(engine: sa.engine.Engine, statement: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return sorted((tuple(row) for row in connection.execute(statement)), key=str)


@pytest.mark.parametrize("shape", STATEMENTS)
def test_all_ways_agree(data: Data, shape: str) -> None:
    statement = STATEMENTS[shape](data)
    expected = _rows(data.local, statement)
    assert _rows(data.pushing, statement) == expected
    literal = str(statement.compile(dialect=data.pushing.dialect, compile_kwargs={"literal_binds": True}))
    assert _rows(data.pushing, sa.text(literal.replace(":", "\\:"))) == expected
