"""The routes of everything that writes, added to the router's table."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.batch import batch
from sqlalchemy_dynamics.sandbox.router import Route, register

__all__ = ["register_writes"]

WRITES: dict[tuple[str, str], Route] = {
    ("POST", "batch"): batch,
}


def register_writes() -> None:
    """Add the routes to the router."""
    for (method, kind), route in WRITES.items():
        register(method, kind, route)
