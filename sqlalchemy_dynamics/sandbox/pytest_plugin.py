"""The pytest plugin `dynamics_sandbox`: a running organisation for the tests of one's own application.

    def test_report(dynamics_sandbox):
        rows = my_report(dynamics_sandbox.url, token=dynamics_sandbox.access_token)

    @pytest.mark.dynamics_sandbox(rows=50, faults=["503:%3"])
    def test_report_survives_outages(dynamics_sandbox): ...

Sandboxes with equal arguments are shared by the tests of a run; each test starts from the seeded state.
`dynamics_sandbox_module` is a sandbox of its own for the tests of one module, which see each other's changes; a marker
in the module's `pytestmark` gives its arguments. The plugin is loaded by every pytest run where the package is
installed, so the sandbox itself is imported when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.server import Sandbox

__all__ = ["dynamics_sandbox", "dynamics_sandbox_module", "pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that gives a test's sandbox its arguments."""
    config.addinivalue_line(
        "markers", "dynamics_sandbox(**arguments): arguments of sqlalchemy_dynamics.sandbox.Sandbox for this test"
    )


@pytest.fixture(scope="session")
def _dynamics_sandboxes() -> Iterator[dict[str, Sandbox]]:
    running: dict[str, Sandbox] = {}
    yield running
    for sandbox in running.values():
        sandbox.close()


@pytest.fixture
def dynamics_sandbox(request: pytest.FixtureRequest, _dynamics_sandboxes: dict[str, Sandbox]) -> Iterator[Sandbox]:
    """A running `Sandbox` in its seeded state; the marker of the same name gives its arguments."""
    from sqlalchemy_dynamics.sandbox.faults import parse_fault
    from sqlalchemy_dynamics.sandbox.server import Sandbox

    marker = request.node.get_closest_marker("dynamics_sandbox")
    arguments = dict(marker.kwargs) if marker else {}
    faults = [parse_fault(text) for text in arguments.pop("faults", ())]
    key = repr(sorted(arguments.items()))
    if key not in _dynamics_sandboxes:
        _dynamics_sandboxes[key] = Sandbox(**arguments).start()
    sandbox = _dynamics_sandboxes[key]
    for fault in faults:
        sandbox.faults.add(fault)
    yield sandbox
    sandbox.faults.clear()
    sandbox.log.clear()
    sandbox.reset()


@pytest.fixture(scope="module")
def dynamics_sandbox_module(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A running `Sandbox` for the tests of one module, seeded once."""
    from sqlalchemy_dynamics.sandbox.server import Sandbox

    marker = request.node.get_closest_marker("dynamics_sandbox")
    with Sandbox(**(marker.kwargs if marker else {})) as sandbox:
        yield sandbox
