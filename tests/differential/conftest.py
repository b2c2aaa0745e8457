"""Organisations of few rows, many and none, and three ways to their answers; the clock stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.execute import planning
from tests.differential import joined_organisation
from tests.differential.organisation import COLUMNS, METADATA, SEED, rows
from tests.differential.ways import NOON, Witnesses, organisation, plain


@pytest.fixture(scope="module")
def clock() -> Iterator[None]:
    """Every statement is run at the same moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "clock", lambda: NOON)
        yield


@pytest.fixture(scope="module", params=[(1, 12), (2, 40), (3, 0)], ids=["few", "many", "none"])
def witnesses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: None
) -> Iterator[Witnesses]:
    """The tables of `organisation`; the parameters are those of its rows."""
    yield from _simple(request.param, tmp_path_factory)


@pytest.fixture(scope="module", params=[(4, 12), (5, 40), (6, 0)], ids=["few", "many", "none"])
def paged_witnesses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: None
) -> Iterator[Witnesses]:
    """The same tables, other rows, over pages of seven rows."""
    yield from _simple(request.param, tmp_path_factory, PageSize=7)


def _simple(param: tuple[int, ...], folders: pytest.TempPathFactory, **properties: int) -> Iterator[Witnesses]:
    number, size, *drawn = param
    made = rows(number, size, *drawn) if size else {}
    with (
        organisation(folders.mktemp("organisation"), METADATA, made) as url,
        dbapi.connect(url, **properties) as pushed,
        dbapi.connect(url, Pushdown=False) as local,
    ):
        yield Witnesses(pushed, local, plain(local, ("firm", "person"), COLUMNS))


@pytest.fixture(
    scope="module", params=[(7, SEED), (24, SEED), (24, SEED, 0), (0, SEED)], ids=["few", "many", "whole", "none"]
)
def joined_witnesses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witnesses]:
    """The tables of `joined_organisation`: so many rows, of that seed, so many lookups to rows that are gone."""
    size, drawn, *gone = request.param
    made = joined_organisation.rows(drawn, size, *(gone or (0.1,))) if size else {}
    with (
        organisation(tmp_path_factory.mktemp("organisation"), joined_organisation.METADATA, made) as url,
        dbapi.connect(url) as pushed,
        dbapi.connect(url, Pushdown=False) as local,
    ):
        yield Witnesses(pushed, local, plain(local, joined_organisation.TABLES, joined_organisation.COLUMNS))
