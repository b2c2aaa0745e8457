"""The same seed makes the same rows in every process, whatever the order of its sets."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import hashlib
from sqlalchemy_dynamics.sandbox import Sandbox
rows = []
with Sandbox(rows=20, seed=9) as org:
    for table in ("task", "new_sample", "queueitem"):
        org.service.store.touch(table)
        rows += sorted(org.service.store.query(f"SELECT * FROM {table}"), key=repr)
print(hashlib.sha256(repr(rows).encode()).hexdigest())
"""


def test_the_same_seed_makes_the_same_rows() -> None:
    made = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": chosen, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for chosen in ("1", "2", "3")
    }
    assert len(made) == 1
