"""The floors hold, and the check can fail."""

from __future__ import annotations

import pytest

from tests import house


def test_every_module_stands_on_its_floor() -> None:
    assert house.all_complaints() == []


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("sqlalchemy_dynamics.odata.pages", "import sqlalchemy_dynamics.session", "floor 5"),
        ("sqlalchemy_dynamics.planner.parse", "import time", "pure"),
        ("sqlalchemy_dynamics.dbapi.cursor", "import duckdb", "lives in"),
        ("sqlalchemy_dynamics.sandbox.grammar", "from sqlalchemy_dynamics.odata import filters", "stands alone"),
        ("sqlalchemy_dynamics.cellar", "", "no floor"),
        ("sqlalchemy_dynamics.odata.json", "", "standard library"),
        ("sqlalchemy_dynamics.edm", "def f():\n" + "    x = 1\n" * 60, "at most 50"),
        ("sqlalchemy_dynamics.edm", "x = 1\n" * 401, "at most 400"),
    ],
)
def test_a_breach_is_found(name: str, source: str, complaint: str) -> None:
    assert any(complaint in found for found in house.complaints(name, source))
