"""Elastic tables: an upsert replaces the row, nothing holds several rows together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Api
from .test_batch import change_set, http, packed, send

KIND = "Microsoft.Dynamics.CRM.new_sample"


@pytest.fixture(scope="module")
def elastic() -> Iterator[Api]:
    with Sandbox(rows=4) as sandbox:
        sandbox.service.organisation.tables["new_sample"].table_type = "Elastic"
        yield Api(sandbox)


def test_an_upsert_replaces_the_row(elastic: Api) -> None:
    row_id = elastic.create("new_samples", {"new_name": "a", "new_count": 5})
    assert elastic("PATCH", f"new_samples({row_id})", {"new_name": "b"}).status_code == 204
    row = elastic.row("new_samples", row_id, "new_name,new_count,statecode")
    assert (row["new_name"], row["new_count"], row["statecode"]) == ("b", None, 0)


def test_a_change_set_is_not_undone(elastic: Api) -> None:
    parts = (http("POST", "new_samples", {"new_name": "stays"}, "1"), http("POST", "new_samples", {"nosuch": 1}, "2"))
    assert send(elastic, packed(change_set(*parts))).status_code == 400
    assert elastic("GET", "new_samples/$count?$filter=new_name eq 'stays'").text.lstrip("\ufeff") == "1"


def test_many_rows_are_deleted(elastic: Api) -> None:
    ids = [elastic.create("new_samples", {"new_name": "d"}) for _ in range(2)]
    body = {"Targets": [{"@odata.type": KIND, "new_sampleid": row_id} for row_id in ids]}
    assert elastic("POST", "new_samples/Microsoft.Dynamics.CRM.DeleteMultiple", body).status_code == 204
    assert [elastic("GET", f"new_samples({row_id})").status_code for row_id in ids] == [404, 404]
