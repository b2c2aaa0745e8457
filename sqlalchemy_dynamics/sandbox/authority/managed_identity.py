"""Tokens for a machine: the plain-http endpoints of a virtual machine (IMDS) and of App Service."""

from __future__ import annotations

import secrets
from functools import partial
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .clients import Client
from .failures import Refused
from .realm import Realm
from .resources import Wanted, wanted_by_resource
from .server import ThreadedServer
from .wire import Wire

__all__ = ["ManagedIdentity"]

SYSTEM_ASSIGNED = "5a4d0b0e-0000-4000-8000-00000000000a"
USER_ASSIGNED = "5a4d0b0e-0000-4000-8000-00000000000b"


class ManagedIdentity:
    """The metadata endpoint of a machine that has an identity in `realm`, at `url` (http://127.0.0.1:PORT).

    `machine_environment` and `app_service_environment` are the environment variables by which client libraries find
    it. Requests are logged in `realm.requests`, and faults with path "token" hit them too.
    """

    client_id = SYSTEM_ASSIGNED
    user_assigned_client_id = USER_ASSIGNED

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._header = secrets.token_hex(16)
        self._server: ThreadedServer | None = None
        self.url = ""

    def __enter__(self) -> Self:
        routes = [
            Route("/metadata/identity/oauth2/token", partial(_machine, self._realm)),
            Route("/msi/token", partial(_app_service, self._realm, self._header)),
        ]
        self._server = ThreadedServer(Wire(Starlette(routes=routes), self._realm))
        self.url = f"http://127.0.0.1:{self._server.port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._server:
            self._server.close()

    @property
    def machine_environment(self) -> dict[str, str]:
        """For a virtual machine."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url}

    @property
    def app_service_environment(self) -> dict[str, str]:
        """For App Service and Functions; the header value is a secret."""
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": self._header}


async def _machine(realm: Realm, request: Request) -> Response:
    """IMDS: needs the header `Metadata: true`, refuses what came through a proxy; numbers are text."""
    if request.headers.get("metadata", "").lower() != "true":
        return _invalid("Required metadata header not specified")
    if "x-forwarded-for" in request.headers:
        return _invalid("The request was forwarded")
    try:
        answer = _token(realm, request)
    except Refused as refused:
        return _invalid(refused.text, "invalid_resource")
    return _invalid("Identity not found") if answer is None else JSONResponse(answer)


async def _app_service(realm: Realm, header: str, request: Request) -> Response:
    """App Service: proves by `X-IDENTITY-HEADER`; errors come as statusCode and message."""
    if not secrets.compare_digest(request.headers.get("x-identity-header", "").encode(), header.encode()):
        return JSONResponse({"statusCode": 401, "message": "The identity header is missing or wrong."}, 401)
    try:
        answer = _token(realm, request)
    except Refused as refused:
        return JSONResponse({"statusCode": 500, "message": refused.text}, 500)
    if answer is None:
        return JSONResponse({"statusCode": 400, "message": "No managed identity found for that client id."}, 400)
    return JSONResponse({name: answer[name] for name in _APP_SERVICE_FIELDS})


_APP_SERVICE_FIELDS = ("access_token", "expires_on", "resource", "token_type", "client_id")


def _token(realm: Realm, request: Request) -> dict[str, Any] | None:
    """The token's fields, None for an identity this machine does not have. Raises `Refused` for the resource."""
    client_id = request.query_params.get("client_id") or SYSTEM_ASSIGNED
    if client_id not in (SYSTEM_ASSIGNED, USER_ASSIGNED):
        return None
    wanted: Wanted = wanted_by_resource(request.query_params.get("resource", ""), realm.resources, realm.tenant)
    now = int(realm.clock())
    token = realm.sign_access(Client(client_id, "Sandbox machine", secrets=("",)), None, wanted)
    numbers = {"expires_in": realm.lifetime, "expires_on": now + realm.lifetime, "not_before": now}
    texts = {name: str(number) for name, number in numbers.items()}
    return {"access_token": token, "client_id": client_id, "resource": wanted.resource, "token_type": "Bearer"} | texts


def _invalid(description: str, error: str = "invalid_request") -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400)
