"""What a session asks for its bearer token."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TokenSource", "fixed"]

TokenSource = Callable[["str | None", "str | None"], str]
"""``source(refused, claims)`` returns an access token: another than the one the service `refused`, when it did;
`claims` is the JSON text of a claims challenge."""


def fixed(token: str) -> TokenSource:
    """Always the same token."""
    return lambda refused, claims: token
