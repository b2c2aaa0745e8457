"""The catalogue of the demo organisation, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics.catalog import Catalog, live, open_catalog
from sqlalchemy_dynamics.edm import DATE, TIMESTAMP, TIMESTAMPTZ, SqlType, decimal
from sqlalchemy_dynamics.metadata.model import Key, Kind, Table
from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.session import open_session
from sqlalchemy_dynamics.settings import from_url


@pytest.fixture(scope="module")
def organisation() -> Iterator[Sandbox]:
    with Sandbox(rows=3) as running:
        yield running


@pytest.fixture
def catalog(organisation: Sandbox) -> Catalog:
    live._SHARED.clear()
    url = f"dynamics:///?OrganizationUrl={organisation.url};OAuthAccessToken={organisation.access_token}"
    return open_catalog(open_session(from_url(url, environ={})))


@pytest.fixture
def sample(catalog: Catalog) -> Table:
    table = catalog.table("new_samples")
    assert table is not None
    return table


def test_every_table_is_enriched(catalog: Catalog) -> None:
    tables = catalog.tables(catalog.names())
    assert len(tables) > 40
    assert [name for name, table in tables.items() if not table.enriched] == []


def test_shapes_of_tables(catalog: Catalog) -> None:
    tables = catalog.tables(["accountleads", "task", "new_sample", "account"])
    assert [(t.intersect, t.kind, t.custom) for t in tables.values()] == [
        (True, "Standard", False),
        (False, "Activity", False),
        (False, "Standard", True),
        (False, "Standard", False),
    ]
    assert tables["account"].primary_name == "name" and tables["account"].label == "Account"


def test_the_tables_of_one_statement_cost_one_batch(organisation: Sandbox, catalog: Catalog) -> None:
    before = len(organisation.requests)
    catalog.tables(["account", "contact"])
    asked = [str(request["url"]).rpartition("/")[2] for request in organisation.requests[before:]]
    assert asked == ["$metadata", "$batch"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("new_moment", TIMESTAMPTZ),
        ("new_wallclock", TIMESTAMP),
        ("new_day", DATE),
        ("new_userday", TIMESTAMPTZ),
        ("new_exact", decimal(22, 10)),
        ("new_ratio", decimal(16, 4)),
    ],
)
def test_exact_types(sample: Table, name: str, expected: SqlType) -> None:
    assert sample.columns[name].type == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("new_sampleid", Kind.KEY),
        ("new_color", Kind.CHOICE),
        ("new_size", Kind.CHOICE),
        ("new_colors", Kind.MULTICHOICE),
        ("new_amount", Kind.MONEY),
        ("new_accountid", Kind.LOOKUP),
        ("new_picture", Kind.IMAGE),
        ("new_document", Kind.FILE),
        ("new_token", Kind.VALUE),
    ],
)
def test_kinds(sample: Table, name: str, kind: Kind) -> None:
    assert sample.columns[name].kind is kind


def test_choices_and_companions(sample: Table) -> None:
    assert sample.columns["new_size"].options == {1: "Small", 2: "Medium", 3: "Large"}
    assert list(sample.columns["new_color"].options.values()) == ["Red", "Green", "Blue"]
    assert {"new_colorname", "new_colorsname", "new_itemidtype", "new_accountidname"} <= set(sample.columns)
    assert "new_flagname" not in sample.columns and "new_accountidtype" not in sample.columns


def test_lookups_bind_by_navigations_in_their_case(sample: Table) -> None:
    assert sample.columns["new_accountid"].navigations == {"account": "new_AccountId"}
    assert sample.columns["new_customerid"].navigations == {
        "account": "new_CustomerId_account",
        "contact": "new_CustomerId_contact",
    }


def test_keys_numbers_and_parts(sample: Table) -> None:
    assert sample.keys == (Key("new_codekey", ("new_code",)),)
    assert sample.columns["new_number"].auto_number
    assert sample.columns["new_document_id"].read_only and sample.columns["new_picture_url"].read_only
    assert sample.columns["new_document"].max_kb == 32768
