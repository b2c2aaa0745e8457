"""The examples run as their README says."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine

FOLDER = Path(__file__).resolve().parent.parent / "alembic_examples"


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schema_drift", FOLDER / "schema_drift.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_models_fit_the_sandbox() -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "schema_drift.py"), "dynamics://sandbox"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "no differences\n"), done.stderr


def test_differences_are_found() -> None:
    wanted = MetaData()
    Table("account", wanted, Column("name", Integer), Column("new_nothing", String))
    Table("new_nowhere", wanted, Column("name", String))
    found = list(_module().differences(create_engine("dynamics://sandbox"), wanted))
    assert len(found) == 3 and any("new_nowhere: no such table" in line for line in found)
