"""The routes of the definition sets and the operations beside them, added to the tables of router and operations."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox import ddl, definitions
from sqlalchemy_dynamics.sandbox.ddl_change import settling
from sqlalchemy_dynamics.sandbox.ddl_keys import settle_indexes
from sqlalchemy_dynamics.sandbox.metadata_changes import METADATA_FUNCTIONS
from sqlalchemy_dynamics.sandbox.operations import ACTIONS, FUNCTIONS
from sqlalchemy_dynamics.sandbox.option_actions import OPTION_ACTIONS
from sqlalchemy_dynamics.sandbox.router import Route, register

__all__ = ["register_definitions"]

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "definitions"): definitions.read,
    ("POST", "definitions"): ddl.post,
    ("PUT", "definitions"): ddl.put,
    ("DELETE", "definitions"): ddl.delete,
    ("PATCH", "definitions"): ddl.patch,
}


def register_definitions() -> None:
    """Add the routes, actions and functions; may be called more than once."""
    for (method, kind), route in ROUTES.items():
        register(method, kind, route)
    ACTIONS.update({**ddl.DDL_ACTIONS, **OPTION_ACTIONS})
    FUNCTIONS.update(METADATA_FUNCTIONS)
    if settle_indexes not in settling:
        settling.append(settle_indexes)
