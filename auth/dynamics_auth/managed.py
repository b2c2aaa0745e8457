"""Managed identity of an Azure host (virtual machine, App Service, Arc): never through a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from dynamics_auth.answers import check_tokens
from dynamics_auth.failures import AuthError
from dynamics_auth.msal_guard import guarded, load_msal
from dynamics_auth.msal_http import MsalReply, send_patiently
from dynamics_auth.ports import HttpPort, Ports
from dynamics_auth.tokens import TokenSet

__all__ = ["managed_identity_tokens"]

TIMEOUT = 10.0
_WHERE = "the managed identity endpoint"


class _DirectHttp:
    """The `http_client` of MSAL's managed identity client."""

    def __init__(self, ports: Ports, http: HttpPort) -> None:
        self._ports, self._http = replace(ports, timeout=min(ports.timeout or TIMEOUT, TIMEOUT)), http

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None, **_: object
    ) -> MsalReply:
        """GET over the connection that has no proxy."""
        target = f"{url}?{urlencode(params)}" if params else url
        sent = {name: str(value) for name, value in (headers or {}).items() if value is not None}
        reply = send_patiently(self._ports, self._http, ("GET", target, sent, None), "client_credentials")
        return MsalReply(reply.status, reply.body.decode("utf-8", "replace"), dict(reply.headers))

    def close(self) -> None:
        """Nothing to close."""


def managed_identity_tokens(ports: Ports, client_id: str | None, resource: str, claims: str | None) -> TokenSet:
    """A token of the host's identity: the system-assigned one, or the user-assigned one with that client id.

    Raises AuthError when there is no such endpoint here; Service Fabric is not supported.
    """
    if ports.direct_http is None:
        raise AuthError("AuthScheme=AzureMSI needs a connection without proxy, and none was given", "interface")
    if ports.environ.get("IDENTITY_SERVER_THUMBPRINT"):
        raise AuthError("managed identity on Service Fabric is not supported: use AzureServicePrincipal", "interface")
    ports.logger.learn(ports.environ.get("IDENTITY_HEADER", ""), ports.environ.get("MSI_SECRET", ""))
    http = _DirectHttp(ports, ports.direct_http)
    msal = load_msal()

    def call() -> Any:
        who = (
            msal.UserAssignedManagedIdentity(client_id=client_id) if client_id else msal.SystemAssignedManagedIdentity()
        )
        client = msal.ManagedIdentityClient(who, http_client=http)
        return client.acquire_token_for_client(resource=resource, claims_challenge=claims)

    try:
        found = guarded(call, _WHERE)
    except AuthError as error:
        raise AuthError(
            f"AuthScheme=AzureMSI got no token: {error}. It works only on an Azure host that has a managed identity",
            error.kind,
            sent=error.sent,
        ) from None
    tokens = check_tokens(found, now=ports.clock(), host=_WHERE, what="client", clean=ports.logger.clean)
    ports.logger.learn(tokens.access)
    return tokens
