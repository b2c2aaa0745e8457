"""What a client reads before it signs anyone in: OpenID configuration, instances, keys, user realms."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .failures import Refused
from .realm import Realm

__all__ = ["instances", "openid_configuration", "user_realm"]


def openid_configuration(realm: Realm, name: str, v2: bool) -> dict[str, Any]:
    """The metadata of a tenant as named in the path ("common" keeps its placeholder issuer). Raises `Refused` 90002."""
    tenant = realm.find_tenant(name)
    issuer_name = "{tenantid}" if name in ("common", "organizations") else tenant
    shown = name if name in ("common", "organizations", "adfs") else tenant
    root = f"{realm.url}/{shown}"
    kind, slash = ("oauth2/v2.0" if v2 else "oauth2"), ("/" if name == "adfs" else "")
    issuer = f"{realm.url}/adfs" if name == "adfs" else f"{realm.url}/{issuer_name}/" + ("v2.0" if v2 else "")
    document: dict[str, Any] = {
        "token_endpoint": f"{root}/{kind}/token{slash}",
        "authorization_endpoint": f"{root}/{kind}/authorize{slash}",
        "device_authorization_endpoint": f"{root}/{kind}/devicecode",
        "end_session_endpoint": f"{root}/{kind}/logout",
        "jwks_uri": f"{root}/discovery/" + ("v2.0/keys" if v2 else "keys"),
        "issuer": issuer,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "sandbox.invalid",
    }
    document |= realm.overrides.metadata
    return {name: value for name, value in document.items() if value is not None}


def instances(realm: Realm, endpoint: str) -> dict[str, Any]:
    """Answer to instance discovery for an authorization endpoint. Raises `Refused` 50049 for a host not ours."""
    asked, own = urlsplit(endpoint), urlsplit(realm.url)
    tenant = asked.path.strip("/").split("/")[0]
    if asked.hostname not in (own.hostname, "localhost", "127.0.0.1") or not tenant:
        raise Refused(50049)
    return {
        "tenant_discovery_endpoint": f"{realm.url}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": own.hostname, "preferred_cache": own.hostname, "aliases": [own.hostname]}],
    }


def user_realm(realm: Realm, username: str) -> dict[str, Any]:
    """Managed or unknown account (no federation in the sandbox)."""
    domain = username.rpartition("@")[2]
    managed = domain.lower() in realm.domains
    extra = {"domain_name": domain, "cloud_audience_urn": "urn:federation:MicrosoftOnline"} if managed else {}
    return {"ver": "1.0", "account_type": "Managed" if managed else "Unknown", **extra}
