"""What an operator does with a settings store: look at it, copy it for another machine, change its key."""

from __future__ import annotations

import datetime

from dynamics_auth.failures import AuthError
from dynamics_auth.provider import TokenProvider
from dynamics_auth.settings import AuthSettings
from dynamics_auth.slots import Key
from dynamics_auth.stores import open_store
from dynamics_auth.tokens import Token

__all__ = ["SHOWN", "export_settings", "rotate_key", "show_settings"]

SHOWN = (
    "OrganizationUrl",
    "AuthorityUrl",
    "Tenant",
    "OAuthClientId",
    "User",
    "CallbackURL",
    "Expires",
    "OAuthClientSecret",
    "OAuthAccessToken",
    "OAuthRefreshToken",
)
"""The columns of `show_settings`."""


def show_settings(provider: TokenProvider) -> list[dict[str, str]]:
    """One row per sign-in in the store, newest first. Secrets are Tokens: masked by repr, real by str.

    Raises AuthError when the store cannot be opened. Sends nothing.
    """
    rows = []
    for record in reversed(provider.users.vault.read().records):
        end = record.tokens.expires_at
        until = "" if end is None else datetime.datetime.fromtimestamp(end, datetime.UTC).isoformat(timespec="seconds")
        values = (
            record.organization,
            record.authority,
            record.tenant,
            record.client_id,
            record.user,
            record.callback,
            until,
            record.client_secret,
            record.tokens.access,
            record.tokens.refresh,
        )
        rows.append(dict(zip(SHOWN, values, strict=True)))
    return rows


def export_settings(provider: TokenProvider, location: str, passphrase: str) -> None:
    """Copy the store to another location, where it also opens with `passphrase`.

    Raises AuthError when the passphrase is empty, the source holds nothing or the target exists already.
    """
    if not passphrase.strip():
        raise AuthError("an exported copy needs a passphrase", "interface")
    target = open_store(location)
    if target.load() is not None:
        raise AuthError(f"{target.describe()} exists already: name another place", "interface")
    provider.users.vault.export(target, Key("passphrase", passphrase=Token(passphrase)))


def rotate_key(provider: TokenProvider, settings: AuthSettings | None = None) -> None:
    """Seal the store with a new data key, under the keys that `settings` name (default: the provider's own).

    Older keys open it no more. Copies made before still open: whoever holds one keeps what was in it.
    """
    provider.users.vault.rotate(settings)
