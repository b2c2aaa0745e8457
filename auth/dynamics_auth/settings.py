"""Connection properties made into frozen, checked settings; only what was set explicitly is not None."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from dynamics_auth.failures import AuthError
from dynamics_auth.properties import PROPERTIES, Property, canonical
from dynamics_auth.tokens import BEARER, Token, Unpicklable

__all__ = ["AuthSettings", "check_callback"]

_PRINTABLE = re.compile(r"[\x20-\x7e]{1,8192}")
_VISIBLE = re.compile(r"[\x21-\x7e]{1,2048}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,4096}")
_RULES: dict[str, tuple[re.Pattern[str], str]] = {
    "OAuthAccessToken": (re.compile(rf"(?=.{{1,16384}}\Z){BEARER.pattern}", re.ASCII), "what a bearer token may hold"),
    "OAuthRefreshToken": (re.compile(r"[\x21-\x7e]{1,16384}"), "visible ASCII without blanks"),
    "OAuthClientId": (re.compile(r"[\x21-\x7e]{1,256}"), "visible ASCII without blanks"),
    "OAuthClientSecret": (_PRINTABLE, "printable ASCII"),
    "Tenant": (re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", re.ASCII), "a directory id or a domain name"),
    "CallbackURL": (_VISIBLE, "an absolute URL"),
    "AuthorityUrl": (_VISIBLE, "https://host[:port][/tenant]"),
    "OAuthJWTCert": (re.compile(r"[^\x00]{1,65536}"), "text"),
    "OAuthVerifier": (re.compile(r"[^\x00]{1,16384}"), "the code or the redirected address"),
}


@dataclass(frozen=True)
class AuthSettings(Unpicklable):
    """The sign-in part of the connection properties. None means: not set, ask the settings file, then the default."""

    scheme: str = "AzureAD"
    initiate: str = "OFF"
    client_id: str | None = None
    client_secret: Token | None = None
    access_token: Token | None = None
    refresh_token: Token | None = None
    expires_in: int | None = None
    token_timestamp: int | None = None
    verifier: Token | None = None
    location: str | None = None
    passphrase: Token | None = None
    key_file: str | None = None
    protection: str = "ENCRYPTED"
    callback: str | None = None
    tenant: str | None = None
    environment: str | None = None
    authority: str | None = None
    certificate: Token | None = None
    certificate_type: str | None = None
    certificate_password: Token | None = None
    user: str | None = None
    password: Token | None = None
    prompt: str = "select_account"
    sign_in_timeout: int = 60

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> AuthSettings:
        """Read the properties of this package from `values`, names in any case; others are ignored.

        None and empty texts mean unset. Raises AuthError (interface) naming the property, never its value.
        """
        found: dict[str, Any] = {}
        for name, value in values.items():
            row = canonical(name)
            if row is not None and value is not None and value != "":
                found[_FIELDS[row.name]] = _checked(row, value)
        if found.pop("grant_type", "CODE") == "CLIENT" and "scheme" not in found:
            found["scheme"] = "AzureServicePrincipal"
        settings = cls(**found)
        settings._check_combination()
        return settings

    def _check_combination(self) -> None:
        if self.client_secret and not self.client_id:
            raise AuthError("OAuthClientSecret is set without OAuthClientId: set both or neither", "interface")
        if self.callback:
            check_callback(self.callback)
        if self.scheme == "Password" and not (self.user and self.password):
            raise AuthError("AuthScheme=Password needs User and Password", "interface")
        if self.scheme == "AzureServicePrincipal" and not (self.client_id and self.client_secret):
            raise AuthError(
                "AuthScheme=AzureServicePrincipal needs a custom app: OAuthClientId and OAuthClientSecret", "interface"
            )
        if self.scheme == "AzureServicePrincipalCert" and not (self.client_id and self.certificate):
            raise AuthError(
                "AuthScheme=AzureServicePrincipalCert needs a custom app: OAuthClientId and OAuthJWTCert", "interface"
            )

    def secrets(self) -> tuple[str, ...]:
        """Every secret value held, for the redactor to learn."""
        held = (getattr(self, item.name) for item in fields(self))
        return tuple(value for value in held if isinstance(value, Token))


_FIELDS = {
    "AuthScheme": "scheme",
    "InitiateOAuth": "initiate",
    "OAuthClientId": "client_id",
    "OAuthClientSecret": "client_secret",
    "OAuthAccessToken": "access_token",
    "OAuthRefreshToken": "refresh_token",
    "OAuthExpiresIn": "expires_in",
    "OAuthTokenTimestamp": "token_timestamp",
    "OAuthVerifier": "verifier",
    "OAuthSettingsLocation": "location",
    "OAuthSettingsPassphrase": "passphrase",
    "OAuthSettingsKeyFile": "key_file",
    "OAuthSettingsProtection": "protection",
    "CallbackURL": "callback",
    "Tenant": "tenant",
    "AzureEnvironment": "environment",
    "AuthorityUrl": "authority",
    "OAuthGrantType": "grant_type",
    "OAuthJWTCert": "certificate",
    "OAuthJWTCertType": "certificate_type",
    "OAuthJWTCertPassword": "certificate_password",
    "User": "user",
    "Password": "password",
    "Prompt": "prompt",
    "OAuthSignInTimeout": "sign_in_timeout",
}
assert set(_FIELDS) == {row.name for row in PROPERTIES}


def _checked(row: Property, value: object) -> Any:
    if row.kind == "choice":
        return _choice(row, str(value))
    if row.kind == "int":
        return _number(row, str(value))
    text = str(value).strip() if row.name in ("OAuthVerifier", "CallbackURL", "AuthorityUrl", "Tenant") else str(value)
    rule, wanted = _RULES.get(row.name, (_TEXT, "text without control characters"))
    if not rule.fullmatch(text):
        raise AuthError(f"{row.name} must be {wanted}", "interface")
    return Token(text) if row.secret else text


def _choice(row: Property, value: str) -> str:
    for allowed in row.allowed:
        if allowed.lower() == value.strip().lower():
            return allowed
    raise AuthError(f"{row.name} must be one of {', '.join(row.allowed)}", "interface")


def _number(row: Property, value: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,15}\s*", value, re.ASCII):
        raise AuthError(f"{row.name} must be a whole number", "interface")
    return int(value)


def check_callback(url: str) -> None:
    """Refuse a redirect URI that no registration can hold: relative, with user info or a fragment."""
    if not _VISIBLE.fullmatch(url):
        raise AuthError("CallbackURL must be an absolute URL", "interface")
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        port_ok = False
    if not port_ok or parts.scheme not in ("http", "https") or not parts.hostname:
        raise AuthError("CallbackURL must be an absolute http or https URL", "interface")
    if parts.username is not None or parts.fragment:
        raise AuthError("CallbackURL must not hold user information or a fragment", "interface")
