"""Microsoft Dynamics 365 / Dataverse for SQLAlchemy: SQL in, OData Web API requests out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy_dynamics.dialect.inserting import client_key, insert
    from sqlalchemy_dynamics.explaining import explain
    from sqlalchemy_dynamics.sandbox import Sandbox

__all__ = ["Sandbox", "__version__", "client_key", "explain", "insert"]

__version__ = "0.1.0"

_LAZY = {
    "client_key": "sqlalchemy_dynamics.dialect.inserting",
    "insert": "sqlalchemy_dynamics.dialect.inserting",
    "explain": "sqlalchemy_dynamics.explaining",
    "Sandbox": "sqlalchemy_dynamics.sandbox",
}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
