"""The plugin as an application's test suite would use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SUITE = """
import json
import urllib.error
import urllib.request

import pytest


def ask(sandbox, path):
    request = urllib.request.Request(f"{sandbox.url}/api/data/v9.2/{path}",
                                     headers={"Authorization": f"Bearer {sandbox.access_token}"})
    return json.load(urllib.request.urlopen(request))


@pytest.mark.dynamics_sandbox(rows=20)
@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_from_the_seeded_state(dynamics_sandbox, turn):
    table = dynamics_sandbox.service.organisation.tables["account"]
    first = ask(dynamics_sandbox, "accounts?$select=name")["value"]
    assert len(first) == 20 and len(dynamics_sandbox.requests) == 1
    dynamics_sandbox.service.store.delete(table, first[0]["accountid"])
    assert len(ask(dynamics_sandbox, "accounts?$select=name")["value"]) == 19


@pytest.mark.dynamics_sandbox(rows=20, faults=["503:#1"])
def test_faults(dynamics_sandbox):
    with pytest.raises(urllib.error.HTTPError):
        ask(dynamics_sandbox, "WhoAmI")
    assert ask(dynamics_sandbox, "WhoAmI")["UserId"]
"""


def test_the_plugin_in_another_suite(tmp_path: Path) -> None:
    (tmp_path / "test_application.py").write_text(SUITE)
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join([str(root), str(root / "auth")])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugin = "sqlalchemy_dynamics.sandbox.pytest_plugin"
    command = [sys.executable, "-m", "pytest", "-q", "-p", plugin, "--strict-markers", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
