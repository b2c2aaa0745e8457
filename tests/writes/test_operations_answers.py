"""What an operation may answer, as rows: shapes that the sandbox's own operations do not have."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.execute.answers import Answers
from sqlalchemy_dynamics.metadata import csdl
from sqlalchemy_dynamics.metadata.operations import Operations, Parameter
from sqlalchemy_dynamics.sandbox.csdl_writer import write_csdl
from sqlalchemy_dynamics.sandbox.demo import demo_organisation

MODEL = csdl.parse(write_csdl(demo_organisation()))
KNOWN = Operations(
    {},
    {
        "Pair": {
            "One": Parameter("One", "Edm.Decimal"),
            "Two": Parameter("Two", "Edm.Int64", collection=True),
            "Left": Parameter("Left", "Level"),
        }
    },
)
KEY = "7eb682f1-ca75-e511-80d4-00155d2a68d1"


def rows(returns: Parameter | None, *replies: Any) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    """Columns with their types, and the rows."""
    bodies = [reply if isinstance(reply, bytes) else json.dumps(reply).encode() for reply in replies]
    found = Answers(KNOWN, MODEL, returns).result(bodies)
    columns = [(column.name, column.type.sql) for column in found.columns]
    return columns, [row for block in found.rows() for row in block]


def test_a_complex_value_has_all_its_members() -> None:
    columns, found = rows(
        Parameter("", "Pair"), b'{"@odata.context":"x","One":1.10000000001,"Two":[1,2.5],"More":true}'
    )
    assert columns == [("One", "DECIMAL(38,10)"), ("Two", "VARCHAR"), ("Left", "VARCHAR"), ("More", "BOOLEAN")]
    assert found == [(Decimal("1.10000000001"), "[1,2.5]", None, True)]


def test_several_pages_are_one_result() -> None:
    pages = [
        {"value": [{"accountid": KEY, "_parentaccountid_value": None}]},
        {"value": [{"accountid": KEY, "name": "x"}]},
    ]
    columns, found = rows(Parameter("", "account", collection=True), *pages)
    assert columns == [("accountid", "UUID"), ("parentaccountid", "UUID"), ("name", "VARCHAR")]
    assert found == [(KEY, None, None), (KEY, None, "x")]


@pytest.mark.parametrize(
    ("returns", "reply", "columns", "found"),
    [
        (Parameter("", "Edm.Guid", True), {"value": [KEY.upper()]}, [("value", "UUID")], [(KEY,)]),
        (Parameter("", "Edm.Guid", True), {"value": []}, [("value", "UUID")], []),
        (Parameter("", "Edm.Int32"), {"value": -5}, [("value", "INTEGER")], [(-5,)]),
        (Parameter("", "Edm.Binary"), {"value": "AAE="}, [("value", "BLOB")], [(b"\0\1",)]),
        (Parameter("", "crmbaseentity", True), {"value": []}, [("table", "VARCHAR")], []),
        (Parameter("", "crmbaseentity"), {"@odata.type": "#x.task", "subject": 1}, None, [("task", "1")]),
        (None, {"@odata.context": "x"}, [], []),
        (None, b"", [], []),
    ],
)
def test_other_shapes(
    returns: Parameter | None, reply: Any, columns: list[tuple[str, str]] | None, found: list[tuple[Any, ...]]
) -> None:
    seen, values = rows(returns, reply)
    assert columns is None or seen == columns
    assert values == found


def test_a_collection_of_nothing_has_the_columns_of_its_table() -> None:
    columns, found = rows(Parameter("", "new_sample", collection=True), {"value": []})
    names = [name for name, _ in columns]
    assert {"new_sampleid", "new_accountid", "new_exact"} <= set(names) and found == []
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize(("reply", "text"), [(b"<html>", "not JSON"), ({"value": "x"}, "does not fit")])
def test_replies_that_make_no_sense(reply: Any, text: str) -> None:
    with pytest.raises(errors.OperationalError, match=text):
        rows(Parameter("", "Edm.Int32"), reply)
