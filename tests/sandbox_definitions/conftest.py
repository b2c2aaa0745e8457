from __future__ import annotations

import pytest

from tests.sandbox_definitions.api import Api


@pytest.fixture(scope="session")
def still() -> Api:
    """An organisation that no test changes."""
    return Api()


@pytest.fixture
def org() -> Api:
    """A fresh organisation, to be changed."""
    return Api()
