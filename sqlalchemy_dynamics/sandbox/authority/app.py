"""The routes of the sign-in service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .authorize import COOKIE, authorize, refusal_page
from .calls import Call, Style, read_call
from .devices import device_answer, device_entry
from .discovery import instances, openid_configuration, user_realm
from .failures import Refused, error_body
from .pages import message_page
from .realm import Realm
from .token_endpoint import token_answer
from .wire import Wire

__all__ = ["sign_in_app"]

Handler = Callable[[Request], Awaitable[Response]]
_NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "Referrer-Policy": "no-referrer"}


def sign_in_app(realm: Realm) -> ASGIApp:
    """The ASGI application of one realm."""
    return Wire(Starlette(routes=[*_oauth_routes(realm), *_discovery_routes(realm), *_page_routes(realm)]), realm)


def _oauth_routes(realm: Realm) -> list[Route]:
    """`/{tenant}/oauth2/v2.0/…`, `/{tenant}/oauth2/…` (v1) and, with tenant `adfs`, AD FS' own form."""
    routes = []
    styles: tuple[tuple[str, Style], ...] = (("/{tenant}/oauth2/v2.0", "v2"), ("/{tenant}/oauth2", "v1"))
    for prefix, style in styles:
        handlers: dict[str, Handler] = {
            "token": partial(_json, realm, style, token_answer),
            "devicecode": partial(_json, realm, style, device_answer),
            "authorize": partial(_authorize, realm, style),
            "logout": partial(_logout, realm, style),
        }
        for name, handler in handlers.items():
            methods = ["POST"] if name in ("token", "devicecode") else ["GET", "POST"]
            routes += [Route(f"{prefix}/{name}{slash}", handler, methods=methods) for slash in ("", "/")]
    return routes


def _discovery_routes(realm: Realm) -> list[Route]:
    def configuration(v2: bool) -> Handler:
        return partial(_document, lambda request: openid_configuration(realm, _tenant(request), v2), realm)

    keys = partial(_document, lambda request: realm.signer.jwks(), realm)
    known = partial(
        _document, lambda request: instances(realm, request.query_params.get("authorization_endpoint", "")), realm
    )
    person = partial(_document, lambda request: user_realm(realm, request.path_params["username"]), realm)
    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", configuration(True)),
        Route("/{tenant}/.well-known/openid-configuration", configuration(False)),
        Route("/{tenant}/discovery/instance", known),
        Route("/{tenant}/discovery/v2.0/keys", keys),
        Route("/{tenant}/discovery/keys", keys),
        Route("/{tenant}/userrealm/{username}", person),
    ]


def _page_routes(realm: Realm) -> list[Route]:
    both = ["GET", "POST"]
    return [
        Route("/devicelogin", partial(_device_login, realm), methods=both),
        Route("/{tenant}/adminconsent", partial(_admin_consent, realm)),
        Route("/{tenant}/v2.0/adminconsent", partial(_admin_consent, realm)),
    ]


def _tenant(request: Request) -> str:
    return str(request.path_params["tenant"])


async def _json(realm: Realm, style: Style, answer: Callable[[Call], dict[str, Any]], request: Request) -> Response:
    correlation = request.headers.get("client-request-id", "")
    try:
        call = await read_call(request, realm, style)
        if request.scope.get("authority.refusal"):
            raise Refused(request.scope["authority.refusal"], call.text("client_id"))
        return JSONResponse(answer(call), headers=_NO_STORE | _echo(correlation))
    except Refused as refused:
        return _refused(request, realm, refused, correlation)


async def _document(make: Callable[[Request], dict[str, Any]], realm: Realm, request: Request) -> Response:
    try:
        if request.scope.get("authority.refusal"):
            raise Refused(request.scope["authority.refusal"])
        return JSONResponse(make(request))
    except Refused as refused:
        return _refused(request, realm, refused, "")


def _refused(request: Request, realm: Realm, refused: Refused, correlation: str) -> Response:
    request.scope.setdefault("authority.call", {})["refusal"] = refused.failure.code
    body = error_body(refused, realm.clock(), correlation)
    return JSONResponse(body, refused.failure.status, headers=_NO_STORE | _echo(correlation))


def _echo(correlation: str) -> dict[str, str]:
    return {"client-request-id": correlation} if correlation.isascii() and correlation.isprintable() else {}


async def _authorize(realm: Realm, style: Style, request: Request) -> Response:
    try:
        call = await read_call(request, realm, style)
        response = authorize(request, call, request.scope.get("authority.refusal", 0))
    except Refused as refused:
        request.scope["authority.call"]["refusal"] = refused.failure.code
        response = refusal_page(refused)
    response.headers.update(_NO_STORE)
    return response


async def _device_login(realm: Realm, request: Request) -> Response:
    return device_entry(request, await read_call(request, realm, "v2"))


async def _logout(realm: Realm, style: Style, request: Request) -> Response:
    """End the browser's sign-in; go back to a registered address if one is named."""
    call = await read_call(request, realm, style)
    realm.browser_sessions.pop(request.cookies.get(COOKIE, ""), None)
    target = call.text("post_logout_redirect_uri")
    known = any(client.accepts_redirect(target) for client in realm.clients.values())
    page = HTMLResponse(message_page("Signed out", "You signed out of the sandbox."))
    response = RedirectResponse(target, 302) if target and known else page
    response.delete_cookie(COOKIE)
    return response


async def _admin_consent(realm: Realm, request: Request) -> Response:
    """An administrator consents for all (at once, unless the `consent` knob says deny)."""
    try:
        call = await read_call(request, realm, "v2")
        client, address = call.client(), call.required("redirect_uri")
        if not client.accepts_redirect(address):
            raise Refused(50011, address, client.client_id)
    except Refused as refused:
        return refusal_page(refused)
    if realm.consent == "deny":
        fields = {"error": "access_denied", "error_description": str(Refused(65004))}
    else:
        realm.admin_consented.add(client.client_id)
        fields = {"admin_consent": "True", "tenant": call.tenant}
    fields |= {"state": call.text("state")} if call.text("state") else {}
    return RedirectResponse(f"{address}?{urlencode(fields)}", 302)
