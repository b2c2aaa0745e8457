"""The routes of everything that writes, added to the router's table."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox import filecolumns, operations, writes
from sqlalchemy_dynamics.sandbox.actions import WRITING_ACTIONS
from sqlalchemy_dynamics.sandbox.batch import batch
from sqlalchemy_dynamics.sandbox.multiple import MULTIPLE
from sqlalchemy_dynamics.sandbox.office_actions import OFFICE_ACTIONS
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.router import Route, register
from sqlalchemy_dynamics.sandbox.sales_actions import SALES_ACTIONS
from sqlalchemy_dynamics.sandbox.sharing import SHARING
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service

__all__ = ["register_writes"]


def _delete_column(service: Service, request: Request, resource: Resource) -> Reply:
    is_file = resource.column is not None and resource.column.kind in ("File", "Image")
    return (filecolumns.delete_file if is_file else writes.clear_property)(service, request, resource)


def _in_one_transaction(route: Route) -> Route:
    def write(service: Service, request: Request, resource: Resource) -> Reply:
        if resource.table is not None:
            service.store.touch(resource.table.name)
        with service.store.transaction():
            return route(service, request, resource)

    return write


WRITES: dict[tuple[str, str], Route] = {
    ("POST", "set"): writes.create,
    ("POST", "collection"): writes.create,
    ("PUT", "collection"): writes.replace_parties,
    ("PATCH", "row"): writes.change,
    ("DELETE", "row"): writes.delete,
    ("PUT", "column"): writes.set_property,
    ("DELETE", "column"): _delete_column,
    ("PATCH", "column"): filecolumns.upload,
    ("PUT", "ref"): writes.set_reference,
    ("POST", "ref"): writes.add_reference,
    ("DELETE", "ref"): writes.remove_reference,
}


def register_writes() -> None:
    """Add the routes to the router, the actions to the tables of operations."""
    register("POST", "batch", batch)
    register("GET", "value", filecolumns.download)
    for (method, kind), route in WRITES.items():
        register(method, kind, _in_one_transaction(route))
    operations.ACTIONS.update(WRITING_ACTIONS)
    operations.BOUND.update(MULTIPLE)
    operations.SERVED.update({**SALES_ACTIONS, **SHARING, **OFFICE_ACTIONS})
