"""OAuth sign-in for Dataverse: flows on MSAL, an encrypted token store, the stored procedures. Needs no SQLAlchemy.

The names below are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynamics_auth.authorities import Challenge, parse_challenge
    from dynamics_auth.connection import ConnectionAuth
    from dynamics_auth.failures import AuthError
    from dynamics_auth.ports import HttpPort, Ports, Reply, TransportError
    from dynamics_auth.procedures import PROCEDURES, ProcedureResult
    from dynamics_auth.properties import PROPERTIES, Property
    from dynamics_auth.provider import TokenProvider
    from dynamics_auth.settings import AuthSettings
    from dynamics_auth.tokens import AccessToken, Token

__all__ = [
    "PROCEDURES",
    "PROPERTIES",
    "AccessToken",
    "AuthError",
    "AuthSettings",
    "Challenge",
    "ConnectionAuth",
    "HttpPort",
    "Ports",
    "ProcedureResult",
    "Property",
    "Reply",
    "Token",
    "TokenProvider",
    "TransportError",
    "parse_challenge",
]

_HOMES = {
    "authorities": ("Challenge", "parse_challenge"),
    "connection": ("ConnectionAuth",),
    "failures": ("AuthError",),
    "ports": ("HttpPort", "Ports", "Reply", "TransportError"),
    "procedures": ("PROCEDURES", "ProcedureResult"),
    "properties": ("PROPERTIES", "Property"),
    "provider": ("TokenProvider",),
    "settings": ("AuthSettings",),
    "tokens": ("AccessToken", "Token"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dynamics_auth' has no attribute {name!r}")
    return getattr(importlib.import_module(f"dynamics_auth.{_HOME_OF[name]}"), name)
