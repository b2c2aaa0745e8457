"""The routes of the definition sets, added to the router's table."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox import definitions
from sqlalchemy_dynamics.sandbox.router import Route, register

__all__ = ["register_definitions"]

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "definitions"): definitions.read,
}


def register_definitions() -> None:
    """Add the routes and operations to the tables of router and operations."""
    for (method, kind), route in ROUTES.items():
        register(method, kind, route)
