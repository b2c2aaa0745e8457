"""Microsoft Dynamics 365 / Dataverse for SQLAlchemy: SQL in, OData Web API requests out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy_dynamics.explaining import explain
    from sqlalchemy_dynamics.sandbox import Sandbox

__all__ = ["Sandbox", "__version__", "explain"]

__version__ = "0.1.0"

_LAZY = {"explain": "sqlalchemy_dynamics.explaining", "Sandbox": "sqlalchemy_dynamics.sandbox"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
