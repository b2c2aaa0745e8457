"""What a session asks for its bearer token."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TokenSource", "fixed"]

TokenSource = Callable[[bool, "str | None"], str]
"""``source(force, claims)`` returns an access token; `force` asks for another than the last one, `claims` is the JSON
text of a claims challenge."""


def fixed(token: str) -> TokenSource:
    """Always the same token."""
    return lambda force, claims: token
