"""Where bearer tokens come from: given by hand, or by the sign-in of dynamics_auth."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy_dynamics.errors import AuthenticationError

__all__ = ["TokenSource", "fixed", "missing"]

TokenSource = Callable[[bool, str | None], str]
"""``source(force, claims)`` returns an access token; `force` asks for another than the last one, `claims` is the JSON
text of a claims challenge."""


def fixed(token: str) -> TokenSource:
    """A token that cannot be renewed."""
    return lambda force, claims: token


def missing(force: bool, claims: str | None) -> str:
    """Nobody said how to sign in."""
    raise AuthenticationError(
        "no sign-in is set: set InitiateOAuth=GETANDREFRESH to sign in through the browser, or OAuthAccessToken"
    )
