"""`$apply` (section 4.9)."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.options import Options
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service


def apply(service: Service, request: Request, resource: Resource, options: Options) -> Reply:
    """Answer an aggregation."""
    raise NotImplementedError
