"""The genuine documents of real organisations, where they stand beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.metadata import csdl
from sqlalchemy_dynamics.metadata.model import Kind, Model
from tests.shared import METADATA_FILES

pytestmark = pytest.mark.skipif(not METADATA_FILES, reason="the folder ../shared/metadata is not here")


@pytest.fixture(scope="module", params=METADATA_FILES, ids=lambda path: path.stem)
def model(request: pytest.FixtureRequest) -> Model:
    path: Path = request.param
    return csdl.parse(path.read_bytes())


def test_every_table_can_be_made(model: Model) -> None:
    tables = list(model.tables.values())
    assert len(tables) > 200
    for table in tables:
        key = table.columns[table.primary_key]
        assert key.kind is Kind.KEY and not key.nullable
        assert table.entity_set or table.name == "principal"
        for navigation in table.navigations.values():
            assert navigation.target in model.tables


def test_known_keys(model: Model) -> None:
    keys = {"account": "accountid", "task": "activityid", "systemuser": "systemuserid", "team": "teamid"}
    assert {name: model.tables[name].primary_key for name in keys} == keys


def test_known_lookups(model: Model) -> None:
    assert model.tables["opportunity"].columns["customerid"].navigations == {
        "account": "customerid_account",
        "contact": "customerid_contact",
    }
    regarding = model.tables["task"].columns["regardingobjectid"].navigations
    assert regarding["account"] == "regardingobjectid_account_task"
    assert regarding["contact"] == "regardingobjectid_contact_task"
    assert model.tables["account"].columns["ownerid"].navigations.keys() >= {"systemuser", "team"}


def test_known_money_and_images(model: Model) -> None:
    columns = model.tables["opportunity"].columns
    assert columns["estimatedvalue"].kind is Kind.MONEY and columns["estimatedvalue_base"].read_only
    assert columns["exchangerate"].kind is Kind.VALUE
    assert model.tables["account"].columns["entityimage"].kind is Kind.IMAGE


def test_known_intersect_tables(model: Model) -> None:
    found = {name for name, table in model.tables.items() if table.intersect}
    assert found >= {"accountleads", "systemuserroles", "teammembership", "competitorproduct"}
    assert not found & {"account", "annotation", "principal", "timestampdatemapping"}


def test_server_made_columns_are_read_only_everywhere(model: Model) -> None:
    for table in model.tables.values():
        for name in ("createdon", "modifiedon", "versionnumber", "createdby"):
            assert name not in table.columns or table.columns[name].read_only
    assert model.tables["account"].columns["name"].updatable


def test_nearly_every_lookup_knows_where_it_binds(model: Model) -> None:
    lookups = [c for table in model.tables.values() for c in table.columns.values() if c.kind is Kind.LOOKUP]
    assert sum(bool(lookup.navigations) for lookup in lookups) > 0.9 * len(lookups)


def test_a_truncated_document_is_refused_wherever_it_ends() -> None:
    body = METADATA_FILES[0].read_bytes()
    for length in range(1, len(body), len(body) // 6):
        with pytest.raises(OperationalError):
            csdl.parse(body[:length])
