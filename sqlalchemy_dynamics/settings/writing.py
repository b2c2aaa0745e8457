"""`Settings` back to a URL, with its secrets or with a mask."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote as percent
from urllib.parse import urlsplit

from dynamics_auth.properties import Property
from sqlalchemy_dynamics.settings.model import Settings
from sqlalchemy_dynamics.settings.pairs import quote
from sqlalchemy_dynamics.settings.properties import PROPERTIES
from sqlalchemy_dynamics.settings.values import write

__all__ = ["masked_url", "to_url"]

Shown = Callable[[Property, str], str]


def to_url(settings: Settings) -> str:
    """The URL that `from_url` reads as equal settings in an empty environment. It holds the secrets."""
    return _url(settings, lambda row, text: text)


def masked_url(settings: Settings) -> str:
    """The same with ``***`` in place of every secret."""
    return _url(settings, lambda row, text: "***" if row.secret else text)


def _url(settings: Settings, shown: Shown) -> str:
    host, own = _host(settings)
    pairs = [
        (row.name, shown(row, write(row, settings[row.name])))
        for row in PROPERTIES
        if settings.explicit(row.name) and row.name not in own
    ]
    for name, value in (settings.sandbox_options or {}).items():
        pairs += [(name, str(item)) for item in (value if isinstance(value, tuple) else (value,))]
    query = "&".join(f"{name}={percent(quote(value), safe='*')}" for name, value in pairs)
    return f"dynamics://{host}/" + (f"?{query}" if query else "")


def _host(settings: Settings) -> tuple[str, tuple[str, ...]]:
    if settings.is_sandbox:
        return "sandbox", ()
    parts = urlsplit(settings.organization_url)
    if parts.scheme == "https" and parts.hostname != "sandbox":
        return parts.netloc, ("OrganizationUrl",)
    return "", ()
