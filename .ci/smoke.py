"""The installed wheel answers a query, and is not the checkout."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy

import dynamics_auth
import sqlalchemy_dynamics

for package in (sqlalchemy_dynamics, dynamics_auth):
    folder = Path(str(package.__file__)).parent
    assert "site-packages" in folder.parts, folder
    assert (folder / "py.typed").exists(), folder

engine = sqlalchemy.create_engine("dynamics://sandbox")
with engine.connect() as connection:
    count = connection.execute(sqlalchemy.text("SELECT count(*) FROM account")).scalar()
assert count and count > 0, count
print(f"the wheel works: {count} accounts")
