"""Print where an organisation differs from the models below: missing tables, missing columns, other types."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Numeric, String, Table, create_engine, inspect
from sqlalchemy.engine import Engine

models = MetaData()
Table(
    "account",
    models,
    Column("accountid", String(36), primary_key=True),
    Column("name", String(160), nullable=False),
    Column("revenue", Numeric(19, 4)),
    Column("numberofemployees", Integer),
    Column("donotemail", Boolean),
    Column("createdon", DateTime(timezone=True)),
)


def differences(engine: Engine, wanted: MetaData) -> Iterator[str]:
    """Yield a line for each table or column that the organisation lacks or has with another kind of type."""
    inspector = inspect(engine)
    for table in wanted.sorted_tables:
        if not inspector.has_table(table.name):
            yield f"{table.name}: no such table"
            continue
        found = {column["name"]: column["type"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in found:
                yield f"{table.name}.{column.name}: no such column"
            elif not issubclass(found[column.name].python_type, column.type.python_type):
                yield f"{table.name}.{column.name}: {found[column.name]!r} instead of {column.type!r}"


if __name__ == "__main__":
    lines = list(differences(create_engine(sys.argv[1] if len(sys.argv) > 1 else "dynamics://sandbox"), models))
    print("\n".join(lines) or "no differences")
    sys.exit(1 if lines else 0)
