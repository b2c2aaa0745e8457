"""The `Microsoft.Dynamics.CRM.*` query functions (section 4.4)."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.failures import bad_request
from sqlalchemy_dynamics.sandbox.grammar import Custom, Literal
from sqlalchemy_dynamics.sandbox.predicates import Scope, Sql


def compile_function(node: Custom, scope: Scope) -> Sql:
    """Return the condition."""
    raise bad_request(f"unsupported {node.name} {Literal}")
