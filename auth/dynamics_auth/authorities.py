"""Who may sign us in: clouds, the 401 challenge, and the rule that a challenge cannot choose where secrets go."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from dynamics_auth.failures import AuthError

__all__ = [
    "WELL_KNOWN_HOSTS",
    "Authority",
    "Challenge",
    "choose_authority",
    "parse_challenge",
    "resource_of",
    "scope_of",
    "trusted",
]

WELL_KNOWN_HOSTS = frozenset(
    (
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
        "login-us.microsoftonline.com",
        "login.microsoftonline.us",
        "login.usgovcloudapi.net",
    )
)
"""Login hosts of the Microsoft clouds."""

_ENVIRONMENTS = {
    "GLOBAL": "login.microsoftonline.com",
    "CHINA": "login.partner.microsoftonline.cn",
    "USGOVT": "login.microsoftonline.us",
    "USGOVTDOD": "login.microsoftonline.us",
}
_SUFFIXES = (
    (".crm.microsoftdynamics.us", "USGOVT"),
    (".crm.appsplatform.us", "USGOVTDOD"),
    (".crm.dynamics.cn", "CHINA"),
)
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
USER_TENANT = "common"


@dataclass(frozen=True)
class Authority:
    """A login service and a tenant of it: `base` is ``https://host[:port]``; `named` says the user chose the host."""

    base: str
    tenant: str
    named: bool = False

    @property
    def url(self) -> str:
        """What MSAL takes as its authority."""
        return f"{self.base}/{self.tenant}"

    @property
    def host(self) -> str:
        """``host[:port]``, for messages and keys."""
        return urlsplit(self.base).netloc

    @property
    def endpoint(self) -> str:
        """The folder of the authorize and token endpoints (AD FS has no version in it)."""
        return f"{self.url}/oauth2" if self.tenant == "adfs" else f"{self.url}/oauth2/v2.0"

    def manual_url(self, client_id: str, callback: str, scope: str, **more: str) -> str:
        """The address a person can open anywhere; the code then stands in the address bar. Empty `more` is left out."""
        query = {"client_id": client_id, "response_type": "code", "redirect_uri": callback}
        query |= {"scope": f"{scope} offline_access openid profile"}
        query |= {name: value for name, value in more.items() if value}
        return f"{self.endpoint}/authorize?{urlencode(query)}"

    def admin_consent_url(self, **parameters: str) -> str:
        """The address a tenant administrator opens to consent for everybody."""
        return f"{self.url}/adminconsent?{urlencode({k: v for k, v in parameters.items() if v})}"


@dataclass(frozen=True)
class Challenge:
    """What a 401 of the organisation said. Nothing in it is trusted yet; `claims` is JSON text or empty."""

    authority: str = ""
    resource: str = ""
    error: str = ""
    claims: str = ""


def resource_of(organization_url: str) -> str:
    """``scheme://host[:port]`` of the organisation, lower case.

    Raises AuthError (interface) unless it is an https URL without user information; http only on loopback.
    """
    try:
        parts = urlsplit(organization_url.strip())
        port = parts.port
    except ValueError:
        raise _bad_organization() from None
    if re.search(r"[\x00-\x20\x7f-\uffff]", organization_url.strip()) or not parts.hostname or "@" in parts.netloc:
        raise _bad_organization()
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise _bad_organization()
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = port is None or (parts.scheme, port) == ("https", 443)
    return f"{parts.scheme}://{host}" if default else f"{parts.scheme}://{host}:{port}"


def _bad_organization() -> AuthError:
    return AuthError(
        "OrganizationUrl must be https://<organisation host>, such as https://contoso.crm.dynamics.com", "interface"
    )


def scope_of(organization_url: str) -> str:
    """The one scope that asks for everything consented to on the organisation."""
    return f"{resource_of(organization_url)}/.default"


def choose_authority(
    organization_url: str, *, authority: str | None, environment: str | None, tenant: str | None
) -> Authority:
    """The login service by AuthorityUrl, AzureEnvironment or the organisation's host name, in that order.

    The tenant is `tenant`, else the one in AuthorityUrl, else ``common``.
    """
    if authority:
        base, inside = _split_authority(authority)
        return Authority(base, tenant or inside or USER_TENANT, named=True)
    cloud = environment or _cloud_of(resource_of(organization_url))
    return Authority(f"https://{_ENVIRONMENTS[cloud]}", tenant or USER_TENANT)


def _cloud_of(resource: str) -> str:
    host = urlsplit(resource).hostname or ""
    return next((cloud for suffix, cloud in _SUFFIXES if host.endswith(suffix)), "GLOBAL")


def _split_authority(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 443) > 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        raise AuthError("AuthorityUrl must be https://host[:port][/tenant]", "interface")
    segments = [part for part in parts.path.split("/") if part and part.lower() != "v2.0"]
    if len(segments) > 1 or (segments and not re.fullmatch(r"[A-Za-z0-9._-]+", segments[0])):
        raise AuthError("AuthorityUrl must be https://host[:port][/tenant]", "interface")
    return f"https://{parts.netloc.lower()}", segments[0] if segments else ""


_OTHER_SCHEME = re.compile(r",\s*(?:Negotiate|NTLM|Basic|Digest|Kerberos|Pop)\b", re.I)
_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))")


def parse_challenge(headers: str | Iterable[str]) -> Challenge:
    """Read the Bearer part of ``WWW-Authenticate``: quoted or not, several headers, other schemes around it."""
    text = headers if isinstance(headers, str) else ", ".join(headers)
    start = re.search(r"(?:^|[\s,])Bearer\b", text, re.I)
    if not start:
        return Challenge()
    tail = _OTHER_SCHEME.split(text[start.end() :], maxsplit=1)[0]
    found = {name.lower(): quoted or plain for name, quoted, plain in reversed(_PARAMETER.findall(tail))}
    return Challenge(
        authority=found.get("authorization_uri", "") or found.get("authorization", ""),
        resource=found.get("resource_id", ""),
        error=found.get("error", ""),
        claims=_decode_claims(found.get("claims", "")),
    )


def _decode_claims(value: str) -> str:
    plain = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
        found = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        return ""
    return text if isinstance(found, dict) else ""


def trusted(challenge: Challenge, named: Authority | None = None) -> Authority:
    """The authority a challenge names, if it may be trusted: a Microsoft cloud, or the host the user named.

    The tenant is the first path segment; ``common`` becomes ``organizations``.
    Raises AuthError (operational) for any other host or scheme; no secret has been sent anywhere.
    """
    parts = urlsplit(challenge.authority)
    base = f"{parts.scheme}://{parts.netloc}".lower()
    known = parts.scheme == "https" and parts.netloc.lower() in WELL_KNOWN_HOSTS
    if not known and not (named and named.named and base == named.base):
        raise AuthError(
            "the organisation names a login service that is not a known Microsoft cloud; "
            "if it is yours, set AuthorityUrl to it"
        )
    tenant = next((part for part in parts.path.split("/") if part), "")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", tenant):
        raise AuthError("the organisation's challenge names no tenant: set Tenant")
    return Authority(base, "organizations" if tenant.lower() == "common" else tenant, named=not known)
