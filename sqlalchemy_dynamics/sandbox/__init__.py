"""A local Dataverse organisation over HTTP: demo data, or the organisation of any `$metadata` document."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.limits import Limits
from sqlalchemy_dynamics.sandbox.server import Sandbox
from sqlalchemy_dynamics.sandbox.switches import Switches

__all__ = ["Limits", "Sandbox", "Switches"]
