"""The dialect by name, installed or not, and engines over the sandbox."""

from __future__ import annotations

from sqlalchemy.dialects import registry

registry.register("dynamics", "sqlalchemy_dynamics.dialect", "DynamicsDialect")
registry.register("dynamics.webapi", "sqlalchemy_dynamics.dialect", "DynamicsDialect")
