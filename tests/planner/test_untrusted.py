"""Virtual and elastic tables: what their providers do not keep is done again, or not asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.execute.requests import asks_of
from sqlalchemy_dynamics.metadata.model import Table
from sqlalchemy_dynamics.planner.parse import parse
from sqlalchemy_dynamics.planner.plan import EVERY_ROW, Plan, Residual, Rows
from sqlalchemy_dynamics.planner.reading import plan_select
from tests.planner import organisation
from tests.planner.organisation import ACCOUNT, CONTACT


def _plan(sql: str, kind: str) -> Plan:
    tables: dict[str, Table] = {
        "account": replace(ACCOUNT, kind=kind),
        "contact": replace(CONTACT, kind=kind),
    }
    tree = parse(sql).tree
    assert tree is not None
    return plan_select(tree, tables.get, {}, {})


def test_a_virtual_table_is_filtered_again() -> None:
    work = _plan("SELECT name FROM account WHERE n = 5 ORDER BY n LIMIT 3", "Virtual").work
    assert isinstance(work, Residual)
    assert work.sql == 'SELECT name FROM scan_1 AS "account" WHERE n = 5 ORDER BY n LIMIT 3'
    assert not work.scans[0].order and work.scans[0].limit.count is None


def test_a_virtual_table_is_not_grouped_by_its_provider() -> None:
    work = _plan("SELECT count(*) FROM account", "Virtual").work
    assert isinstance(work, Residual) and work.scans[0].groups is None


def test_the_audit_table_is_filtered_again_and_asked_whose_changes_they_are() -> None:
    columns = [organisation.text("changedata"), organisation.lookup("objectid"), organisation.text("objecttypecode")]
    audit = organisation.table("audit", "audits", replace(ACCOUNT.columns["accountid"], name="auditid"), *columns)
    tree = parse("SELECT changedata FROM audit WHERE objecttypecode = 'account' LIMIT 3").tree
    assert tree is not None
    plan = plan_select(tree, {"audit": audit}.get, {}, {})
    assert isinstance(plan.work, Residual) and "LIMIT 3" in plan.work.sql and "WHERE TRUE" not in plan.work.sql
    assert asks_of(plan.work.scans[0], {})[0].query.select == ("changedata", "objecttypecode", "_objectid_value")


def test_an_elastic_table_is_not_sorted_by_two_columns() -> None:
    assert isinstance(_plan("SELECT name FROM account ORDER BY n LIMIT 3", "Elastic").work, Residual)
    assert isinstance(_plan("SELECT name FROM account WHERE n = 5 LIMIT 3", "Elastic").work, Rows)


def test_an_elastic_table_is_not_expanded() -> None:
    sql = "SELECT c.fullname, a.name FROM contact c JOIN account a ON a.accountid = c.parentcustomerid"
    assert all(scan.through is None for scan in _plan(sql, "Elastic").scans)
    assert any(scan.through is not None for scan in _plan(sql, "Standard").scans)


def test_an_elastic_child_is_no_lambda() -> None:
    sql = "SELECT name FROM account a WHERE EXISTS (SELECT 1 FROM contact c WHERE c.parentcustomerid = a.accountid)"
    assert isinstance(_plan(sql, "Elastic").work, Residual)
    assert isinstance(_plan(sql, "Standard").work, Rows)


@pytest.mark.parametrize("kind", ["Elastic", "Virtual"])
@pytest.mark.parametrize(
    "condition",
    [
        "EXISTS (SELECT 1 FROM contact c WHERE c.parentcustomerid = a.accountid)",
        "a.accountid NOT IN (SELECT c.parentcustomerid FROM contact c WHERE c.parentcustomerid IS NOT NULL)",
        "(SELECT count(*) FROM contact c WHERE c.parentcustomerid = a.accountid) > 0",
    ],
)
def test_an_elastic_or_virtual_table_is_not_filtered_by_other_tables(kind: str, condition: str) -> None:
    sql = f"SELECT a.name FROM account a WHERE {condition}"
    assert isinstance(_plan(sql, "Standard").work, Rows)
    tables: dict[str, Table] = {"account": replace(ACCOUNT, kind=kind), "contact": CONTACT}
    tree = parse(sql).tree
    assert tree is not None
    work = plan_select(tree, tables.get, {}, {}).work
    assert isinstance(work, Residual)
    assert [scan.filter for scan in work.scans if scan.table.name == "account"] == [EVERY_ROW]


@pytest.mark.parametrize("sql", ["SELECT count(*) FROM account", "SELECT name FROM contact c JOIN account ON true"])
def test_a_table_without_an_entity_set_is_not_read(sql: str) -> None:
    tables: dict[str, Table] = {"account": replace(ACCOUNT, entity_set=""), "contact": CONTACT}
    tree = parse(sql).tree
    assert tree is not None
    with pytest.raises(ProgrammingError, match="account has no rows of its own"):
        plan_select(tree, tables.get, {}, {})
