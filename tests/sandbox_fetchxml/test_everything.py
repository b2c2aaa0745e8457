"""No query, however odd, ends in an error of the sandbox itself: every operator on every type, links of every kind."""

from __future__ import annotations

import random
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.fetch_conditions import OPERATORS
from sqlalchemy_dynamics.sandbox.router import answer
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.wire import Request
from tests.sandbox_fetchxml.conftest import ALL

NOBODY = "00000000-0000-0000-0000-000000000001"
VALUES = ("1", "abc", "2024-01-01", "1.5", "-3", "9" * 20, NOBODY, "[a", "a'b", "1,2", "")
LINKS = ("inner", "outer", "exists", "in", "matchfirstrowusingcrossapply")
FILTER_LINKS = ("any", "not any", "all", "not all")


@pytest.fixture(scope="module")
def organisation() -> Sandbox:
    return Sandbox(rows=20, seed=3)


def status(sandbox: Sandbox, table: Table, xml: str) -> int:
    query = f"fetchXml={quote(xml, safe='')}"
    headers = {"prefer": ALL}
    return answer(sandbox.service, Request("GET", table.set_name or "", query, headers, root="http://h/")).status


def kinds(sandbox: Sandbox) -> list[tuple[Table, Column]]:
    found: dict[str, tuple[Table, Column]] = {}
    for table in sandbox.service.organisation.tables.values():
        for column in table.columns.values() if table.set_name else ():
            found.setdefault(column.kind, (table, column))
    return list(found.values())


def test_every_operator_on_every_type(organisation: Sandbox) -> None:
    chance, seen = random.Random(1), []
    for table, column in kinds(organisation):
        for operator in OPERATORS:
            picked = chance.sample(VALUES, chance.choice((1, 2)))
            values = "".join(f"<value>{escape(value)}</value>" for value in picked)
            condition = f"<condition attribute='{column.name}' operator='{operator}'>{values}</condition>"
            xml = f"<fetch top='1'><entity name='{table.name}'><attribute name='{table.primary_id}'/>"
            seen.append((status(organisation, table, f"{xml}<filter>{condition}</filter></entity></fetch>"), condition))
    assert [item for item in seen if item[0] not in (200, 400)] == []
    assert sum(code == 200 for code, _ in seen) > 300


def link(sandbox: Sandbox, chance: random.Random, table: str, depth: int, types: tuple[str, ...]) -> str:
    """A random link along a relationship, with links below and inside its filter."""
    relationships = sandbox.service.organisation.one_to_many.values()
    related = [one for one in relationships if table in (one.referenced, one.referencing)]
    if not related:
        return ""
    one = chance.choice(related)
    if one.referenced == table:
        other, near, far = one.referencing, one.attribute, one.referenced_attribute
    else:
        other, near, far = one.referenced, one.referenced_attribute, one.attribute
    columns = chance.choices(list(sandbox.service.organisation.tables[other].columns), k=3)
    inner = "".join(f"<attribute name='{name}'/>" for name in columns) + f"<order attribute='{columns[0]}'/>"
    condition = f"<condition attribute='{columns[1]}' operator='{chance.choice(('null', 'not-null'))}'/>"
    if depth:
        condition += link(sandbox, chance, other, depth - 1, FILTER_LINKS)
        inner += link(sandbox, chance, other, depth - 1, LINKS)
    inner += f"<filter type='{chance.choice(('and', 'or'))}'>{condition}</filter>"
    kind = chance.choice(types)
    return f"<link-entity name='{other}' from='{near}' to='{far}' link-type='{kind}'>{inner}</link-entity>"


def test_random_links(organisation: Sandbox) -> None:
    chance, seen = random.Random(2), []
    tables = [t for t in organisation.service.organisation.tables.values() if t.set_name and not t.intersect]
    for number in range(150):
        table = chance.choice(tables)
        inner = "".join(f"<attribute name='{name}'/>" for name in chance.choices(list(table.columns), k=2))
        inner += link(organisation, chance, table.name, 2, LINKS)
        inner += f"<filter>{link(organisation, chance, table.name, 1, FILTER_LINKS)}</filter>"
        distinct = "distinct='true'" if number % 3 == 0 else ""
        xml = f"<fetch count='5' {distinct}><entity name='{table.name}'>{inner}</entity></fetch>"
        seen.append((status(organisation, table, xml), xml))
    assert [item for item in seen if item[0] not in (200, 400)] == []
    assert sum(code == 200 for code, _ in seen) > 75


def test_every_table_whole(organisation: Sandbox) -> None:
    for table in organisation.service.organisation.tables.values():
        if table.set_name:
            xml = f"<fetch top='3'><entity name='{table.name}'/></fetch>"
            assert status(organisation, table, xml) == 200, table.name
