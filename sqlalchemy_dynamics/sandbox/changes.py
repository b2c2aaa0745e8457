"""Change tracking with delta links (section 8.1)."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.options import Options
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service


def collection(service: Service, request: Request, resource: Resource, options: Options) -> Reply:
    """Answer a tracked read or a delta link."""
    raise NotImplementedError


def count(service: Service, request: Request, resource: Resource, options: Options) -> Reply:
    """Answer the number of changes."""
    raise NotImplementedError
