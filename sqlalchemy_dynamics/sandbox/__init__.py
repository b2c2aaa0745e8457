"""A local Dataverse organisation over HTTP: demo data, or the organisation of any `$metadata` document."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.limits import Limits
    from sqlalchemy_dynamics.sandbox.server import Sandbox
    from sqlalchemy_dynamics.sandbox.switches import Switches

__all__ = ["Limits", "Sandbox", "Switches"]

_HOMES = {"Limits": "limits", "Sandbox": "server", "Switches": "switches"}


def __getattr__(name: str) -> object:
    """Import on first use: the pytest plugin beside this file loads where the sandbox's libraries are missing."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
