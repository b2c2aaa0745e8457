"""``login``, ``logout`` and ``settings``: the tokens of this machine's user."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import replace
from getpass import getpass
from typing import TYPE_CHECKING

from dynamics_auth.ports import no_browser, open_browser
from dynamics_auth.tokens import Token
from sqlalchemy_dynamics.cli.output import Output
from sqlalchemy_dynamics.cli.revealing import shown
from sqlalchemy_dynamics.cli.usage import UsageError
from sqlalchemy_dynamics.session.signin import mapped, open_provider
from sqlalchemy_dynamics.settings import Settings, from_string, from_url
from sqlalchemy_dynamics.transport.client import open_transport

if TYPE_CHECKING:
    from dynamics_auth.provider import TokenProvider

__all__ = ["export", "login", "logout", "rotate", "settings_of", "show"]

_PATIENCE = 300
_PASSPHRASE = "DYNAMICS_OAUTH_PASSPHRASE"
_NOWHERE = "https://unset.invalid"


def login(arguments: argparse.Namespace) -> int:
    """Sign in through the browser, or at the printed address, unless a usable token is at hand."""
    more: dict[str, object] = {"InitiateOAuth": "GETANDREFRESH"}
    settings = settings_of(arguments.url, more)
    if arguments.no_browser and not settings.explicit("OAuthSignInTimeout"):
        settings = settings_of(arguments.url, {**more, "OAuthSignInTimeout": _PATIENCE})
    provider = open_provider(
        settings, open_transport(settings), browser=no_browser if arguments.no_browser else open_browser
    )
    with mapped():
        before = provider.current(settings.organization_url)
        provider.connect(settings.organization_url)
        after = provider.current(settings.organization_url)
    user = f" as {after.user}" if after is not None and after.user else ""
    done = "already signed in" if before is not None and after == before else "signed in"
    print(f"{done} to {settings.organization_url}{user}; the tokens are in {provider.location}")
    return 0


def logout(arguments: argparse.Namespace) -> int:
    """Forget the organisation's tokens; what the login service has is not revoked."""
    settings = settings_of(arguments.url)
    provider = _provider(settings)
    with mapped():
        count = provider.forget(settings.organization_url)
    what = f"{count} sign-in{'s' * (count > 1)} forgotten" if count else "there was no sign-in to forget"
    print(f"{settings.organization_url}: {what} in {provider.location}")
    return 0


def show(arguments: argparse.Namespace) -> int:
    """List the sign-ins of the settings file."""
    from dynamics_auth.maintenance import SHOWN, show_settings

    with mapped():
        rows = show_settings(_stored(arguments))
    block = [[tuple(row[name] for name in SHOWN) for row in rows]]
    Output(arguments).write_rows(SHOWN, shown(block, arguments.show_secrets))
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Copy the settings file under a passphrase: DYNAMICS_OAUTH_PASSPHRASE, or what is typed or piped in."""
    from dynamics_auth.maintenance import export_settings

    provider = _stored(arguments)
    passphrase = os.environ.get(_PASSPHRASE) or _asked("Passphrase of the copy")
    with mapped():
        export_settings(provider, arguments.target, passphrase)
    print(f"{arguments.target} opens elsewhere with OAuthSettingsPassphrase, or {_PASSPHRASE}, set to that passphrase")
    return 0


def rotate(arguments: argparse.Namespace) -> int:
    """Seal the settings file with a new key; the old one opens it no more."""
    from dynamics_auth.maintenance import rotate_key

    provider = _stored(arguments)
    settings = provider.settings
    if arguments.new_passphrase:
        settings = replace(settings, passphrase=Token(_asked("New passphrase")), key_file=None)
    with mapped():
        rotate_key(provider, settings)
    print(f"{provider.location} has a new key; copies made before still open with the old one")
    return 0


def settings_of(text: str | None, more: dict[str, object] | None = None) -> Settings:
    """The settings of a URL, of ``https://…`` or of ``A=1;B=2``; DYNAMICS_URL when there is none."""
    given = text or os.environ.get("DYNAMICS_URL", "")
    if re.match(r"https?://", given, re.IGNORECASE):
        return from_string("", {"OrganizationUrl": given, **(more or {})})
    settings = (from_url if "://" in given.partition("?")[0] else from_string)(given, more)
    if settings.is_sandbox:
        raise UsageError("dynamics://sandbox needs no sign-in; run `dynamics sandbox` and use its OrganizationUrl")
    return settings


def _provider(settings: Settings) -> TokenProvider:
    return open_provider(settings, open_transport(settings))


def _stored(arguments: argparse.Namespace) -> TokenProvider:
    """The provider of a settings file, which may be looked at without naming an organisation."""
    more: dict[str, object] = {"OAuthSettingsLocation": arguments.location} if arguments.location else {}
    named = arguments.url or os.environ.get("DYNAMICS_URL") or os.environ.get("DYNAMICS_ORGANIZATIONURL")
    return _provider(settings_of(arguments.url, more if named else {"OrganizationUrl": _NOWHERE, **more}))


def _asked(what: str) -> str:
    """A secret typed without echo, or the first line that is piped in."""
    text = getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not text.strip():
        raise UsageError(f"{what}: type it, pipe it in, or set {_PASSPHRASE}")
    return text
