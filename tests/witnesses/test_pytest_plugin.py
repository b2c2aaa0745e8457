"""The pytest plugin is loaded in every test run of whoever installs the package, so it must be light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = """
import pytest

pytestmark = pytest.mark.dynamics_sandbox(rows=7)

def test_one(dynamics_sandbox_module):
    store = dynamics_sandbox_module.service.store
    assert store.count("account") == 7
    store.delete(dynamics_sandbox_module.service.organisation.tables["account"], store.query(
        "SELECT accountid FROM account")[0][0])

def test_two(dynamics_sandbox_module, dynamics_sandbox):
    assert dynamics_sandbox_module.service.store.count("account") == 6
    assert dynamics_sandbox.service.store.count("account") == 7
"""


def test_the_plugin_loads_without_the_sandboxs_libraries() -> None:
    code = (
        "import sys, sqlalchemy_dynamics.sandbox.pytest_plugin; "
        "print([name for name in ('uvicorn', 'starlette', 'duckdb', 'sqlalchemy') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.strip() == "[]"


def test_a_sandbox_for_a_module(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:dynamics_sandbox",
            "-p",
            "sqlalchemy_dynamics.sandbox.pytest_plugin",
            ".",
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'auth'}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "2 passed" in run.stdout, run.stdout + run.stderr


def test_lazy_names() -> None:
    import sqlalchemy_dynamics.sandbox as package

    assert package.Sandbox is Sandbox
    with pytest.raises(AttributeError, match="nothing"):
        package.nothing  # noqa: B018 - reading it is what is tried
