"""The SQLAlchemy dialect ``dynamics://`` for SQLAlchemy 1.4, 2.0 and 2.1."""

from __future__ import annotations

from sqlalchemy_dynamics.dialect.base import DynamicsDialect
from sqlalchemy_dynamics.dialect.inserting import Insert, client_key, insert
from sqlalchemy_dynamics.dialect.sqltypes import GUID

__all__ = ["GUID", "DynamicsDialect", "Insert", "client_key", "insert"]

dialect = DynamicsDialect
