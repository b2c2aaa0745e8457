"""The one error class of sign-in; the house maps its `kind` to the PEP 249 tree."""

from __future__ import annotations

from typing import Literal

__all__ = ["AuthError", "Kind", "SignInTimeout", "StoreDamaged", "StoreUnwritable", "StoreWrongKey"]

Kind = Literal["interface", "operational", "authentication", "programming"]


class AuthError(Exception):
    """A sign-in, settings or store failure. The message says what to change and never holds a secret.

    `kind`: ``interface`` a property is wrong and nothing was sent; ``operational`` the network, a file or a limit;
    ``authentication`` the login service refused; ``programming`` a stored procedure was called wrongly.
    `error`, `suberror`, `error_codes` (AADSTS numbers), `correlation_id`, `trace_id` and `claims` come from the
    login service; `needs_sign_in` says that only a new sign-in helps; `retry_after` is in seconds.
    """

    def __init__(
        self,
        message: str,
        kind: Kind = "operational",
        *,
        error: str = "",
        suberror: str = "",
        error_codes: tuple[int, ...] = (),
        correlation_id: str = "",
        trace_id: str = "",
        claims: str = "",
        needs_sign_in: bool = False,
        retry_after: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.error = error
        self.suberror = suberror
        self.error_codes = error_codes
        self.correlation_id = correlation_id
        self.trace_id = trace_id
        self.claims = claims
        self.needs_sign_in = needs_sign_in
        self.retry_after = retry_after
        self.sent = sent

    @property
    def oauth_error(self) -> str:
        """The OAuth error code, such as ``invalid_grant``; empty when the login service gave none."""
        return self.error

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(kind: type[AuthError], args: tuple[str], state: dict[str, object]) -> AuthError:
    error = kind(*args)
    error.__dict__.update(state)
    return error


class SignInTimeout(AuthError):
    """Nobody finished the sign-in in the browser in time; the port is free again."""


class StoreDamaged(AuthError):
    """The settings are truncated, foreign or altered. They were left as they are."""


class StoreWrongKey(AuthError):
    """No key at hand opens the settings, or they are of a newer version. They were left as they are."""


class StoreUnwritable(AuthError):
    """The settings can be read but not written here."""
