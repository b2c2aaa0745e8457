"""Who signs in where: the connection's properties first, then what the settings file remembers, then the defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dynamics_auth import crypto
from dynamics_auth.authorities import WELL_KNOWN_HOSTS, Authority, choose_authority, resource_of, scope_of
from dynamics_auth.failures import AuthError
from dynamics_auth.files import read_private, resolve
from dynamics_auth.login import Application
from dynamics_auth.properties import DEFAULT_CALLBACK, EMBEDDED_CLIENT_ID
from dynamics_auth.records import Pending, Record, Selector
from dynamics_auth.settings import AuthSettings
from dynamics_auth.tokens import NOTHING, TokenSet, Unpicklable

__all__ = ["Identity", "identify", "load_certificate", "selector"]

_LIMIT = 1 << 20


@dataclass(frozen=True)
class Identity(Unpicklable):
    """An application at a login service, for one organisation."""

    organization: str
    authority: Authority
    application: Application
    callback: str

    @property
    def scope(self) -> str:
        """What is asked for."""
        return scope_of(self.organization)

    def record(self, tokens: TokenSet, old: Record | None = None) -> Record:
        """What to remember of a sign-in that gave `tokens`; a missing refresh token or user is kept from `old`."""
        kept = old.tokens.refresh if old else NOTHING
        merged = replace(tokens, refresh=tokens.refresh or kept, user=tokens.user or (old.user if old else ""))
        return Record(
            organization=self.organization,
            authority=self.authority.base,
            tenant=self.authority.tenant,
            client_id=self.application.client_id,
            user=merged.user,
            client_secret=self.application.secret,
            callback=self.callback,
            tokens=merged,
            seeds=old.seeds if old else (),
            spent=old.spent if old else (),
        )


def selector(settings: AuthSettings, organization_url: str) -> Selector:
    """Which remembered sign-ins the connection's properties allow."""
    named = _named_authority(settings, organization_url)
    tenant = settings.tenant or (named.tenant if named and settings.authority and named.tenant != "common" else None)
    return Selector(
        resource_of(organization_url), named.base if named else None, tenant, settings.client_id, settings.user
    )


def _named_authority(settings: AuthSettings, organization_url: str) -> Authority | None:
    if not (settings.authority or settings.environment):
        return None
    return choose_authority(
        organization_url, authority=settings.authority, environment=settings.environment, tenant=settings.tenant
    )


def identify(settings: AuthSettings, organization_url: str, known: Record | Pending | None = None) -> Identity:
    """Resolve each part: property, else `known`, else the default (embedded app, tenant ``common``)."""
    client_id = settings.client_id or (known.client_id if known else EMBEDDED_CLIENT_ID)
    same_client = known is not None and known.client_id.lower() == client_id.lower()
    secret = settings.client_secret or (known.client_secret if known and same_client else NOTHING)
    remembered = (known.redirect_uri if isinstance(known, Pending) else known.callback) if known else ""
    return Identity(
        resource_of(organization_url),
        _authority(settings, organization_url, known),
        Application(client_id, secret),
        settings.callback or remembered or DEFAULT_CALLBACK,
    )


def _authority(settings: AuthSettings, organization_url: str, known: Record | Pending | None) -> Authority:
    if known is not None and not (settings.authority or settings.environment):
        host = known.authority.removeprefix("https://")
        return Authority(known.authority, settings.tenant or known.tenant, named=host not in WELL_KNOWN_HOSTS)
    tenant = settings.tenant or (known.tenant if known else None)
    chosen = choose_authority(
        organization_url, authority=settings.authority, environment=settings.environment, tenant=settings.tenant
    )
    return replace(chosen, tenant=tenant) if tenant and chosen.tenant == "common" else chosen


def load_certificate(settings: AuthSettings) -> crypto.ClientCertificate:
    """Read OAuthJWTCert by its type, or by its look. Raises AuthError (interface) naming the property."""
    text = str(settings.certificate or "")
    form = settings.certificate_type or ("PEMKEY_BLOB" if "-----BEGIN" in text else "")
    content = _blob(text, form) if form.endswith("BLOB") else _certificate_file(text)
    if not form:
        form = "PEMKEY_FILE" if b"-----BEGIN" in content else "PFXFILE"
    return crypto.read_certificate(content, form, settings.certificate_password)


def _blob(text: str, form: str) -> bytes:
    if form == "PEMKEY_BLOB":
        return text.encode()
    try:
        return crypto.from_base64("".join(text.split()))
    except ValueError:
        pass
    raise AuthError("OAuthJWTCert must be base64 for OAuthJWTCertType=PFXBLOB", "interface")


def _certificate_file(path: str) -> bytes:
    content = read_private(resolve(path), "OAuthJWTCert", limit=_LIMIT) if len(path) < 4096 else None
    if content is None:
        raise AuthError("OAuthJWTCert names no file; for its text set OAuthJWTCertType to a BLOB type", "interface")
    return content
