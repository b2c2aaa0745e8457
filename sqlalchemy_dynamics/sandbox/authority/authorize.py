"""The authorize endpoint: checks, the person's answer, and the way back to the application."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from .calls import Call
from .clients import Client
from .failures import Refused, error_body
from .pages import form_post_page, message_page, sign_in_page
from .people import User
from .tokens import client_info

__all__ = ["COOKIE", "authorize", "refusal_page"]

COOKIE = "sandbox_session"
_PROMPTS = frozenset({"login", "none", "consent", "select_account", "create", "admin_consent"})
_FORM_FIELDS = frozenset({"username", "password", "action"})


@dataclass
class Way:
    """The way back to the application: proven address, response mode and state."""

    address: str
    mode: str
    state: str = field(repr=False)

    def back(self, fields: dict[str, str]) -> Response:
        """Send the browser there with `fields`."""
        complete = fields | {"state": fields.get("state", self.state)}
        carried = {name: value for name, value in complete.items() if value}
        if self.mode == "form_post":
            return HTMLResponse(form_post_page(self.address, carried))
        return RedirectResponse(_with(self.address, urlencode(carried), self.mode), status_code=302)


def authorize(request: Request, call: Call, refusal: int = 0) -> Response:
    """Answer a GET (page or redirect) or the POST of the sign-in form; `refusal` is an AADSTS number to answer with.

    Without a right client and redirect address nothing is sent there: an error page (400) appears.
    """
    client = call.client()
    address = call.text("redirect_uri") or client.redirect_uris[0]
    if not client.accepts_redirect(address):
        raise Refused(50011, address, client.client_id)
    way = Way(address, _mode(call), call.text("state"))
    try:
        if refusal:
            raise Refused(refusal, client.client_id)
        return _decide(request, call, client, way)
    except Refused as refused:
        return way.back(_refusal_fields(request, call, refused))


def _refusal_fields(request: Request, call: Call, refused: Refused) -> dict[str, str]:
    request.scope["authority.call"]["refusal"] = refused.failure.code
    body = error_body(refused, call.realm.clock(), call.correlation_id)
    return {name: body[name] for name in ("error", "error_description", "error_uri")}


def _mode(call: Call) -> str:
    mode = call.text("response_mode") or "query"
    return mode if mode in ("query", "fragment", "form_post") else "query"


def _decide(request: Request, call: Call, client: Client, way: Way) -> Response:
    _check(call, client)
    user = _person(request, call)
    if isinstance(user, Response):
        return user
    if client.admin_only and not user.administrator and client.client_id not in call.realm.admin_consented:
        raise Refused(90094, call.tenant)
    return _grant(call, client, user, way)


def _check(call: Call, client: Client) -> None:
    """The rules of a code request. Raises `Refused`."""
    response_type = call.required("response_type")
    if response_type != "code":
        raise Refused(700051, response_type)
    if call.text("response_mode") not in ("", "query", "fragment", "form_post"):
        raise Refused(90023, "response_mode")
    if call.text("prompt") and not set(call.text("prompt").split()) <= _PROMPTS:
        raise Refused(90023, "prompt")
    if call.text("code_challenge_method") not in ("", "plain", "S256"):
        raise Refused(90023, "code_challenge_method")
    if client.require_pkce and not call.text("code_challenge"):
        raise Refused(900144, "code_challenge")
    call.wanted()
    call.claims()


def _person(request: Request, call: Call) -> User | Response:
    """Who signs in: by the form, the `consent` knob or an earlier sign-in in this browser; else the page asking."""
    realm, form = call.realm, request.method == "POST" and call.text("action")
    if realm.consent == "deny" or form == "cancel":
        raise Refused(65004)
    if form:
        return _person_of_form(request, call)
    if realm.consent == "grant":
        return realm.find_user(call.text("login_hint") or realm.users[0].username)
    known = realm.browser_sessions.get(request.cookies.get(COOKIE, ""))
    if known and call.text("prompt") in ("", "none"):
        return realm.find_user(known)
    if call.text("prompt") == "none":
        raise Refused(50058)
    return _ask(request, call)


def _person_of_form(request: Request, call: Call) -> User | Response:
    try:
        return call.realm.find_user(call.text("username"), call.text("password"))
    except Refused as refused:
        request.scope["authority.call"]["refusal"] = refused.failure.code
        return _ask(request, call, refused.text)


def _ask(request: Request, call: Call, error: str = "") -> Response:
    hidden = {name: value for name, value in call.parameters.items() if name not in _FORM_FIELDS}
    hint = call.text("username") or call.text("login_hint")
    name, action = call.client().name, request.url.path
    return HTMLResponse(sign_in_page(name, call.realm.users, action, hidden, hint, error))


def _grant(call: Call, client: Client, user: User, way: Way) -> Response:
    """Hand out the code and remember the person in this browser."""
    realm = call.realm
    if user.administrator and call.text("prompt") == "admin_consent":
        realm.admin_consented.add(client.client_id)
    session = realm.grants.open_session(client, user, call.wanted(), call.asked())
    challenge, method = call.text("code_challenge"), call.text("code_challenge_method") or "plain"
    code = realm.grants.new_code(session, way.address, challenge, method, call.text("nonce"))
    fields = {"code": code, "session_state": secrets.token_hex(16)}
    if call.text("client_info") == "1":
        fields["client_info"] = client_info(user.object_id, realm.tenant)
    response = way.back(fields | realm.overrides.callback)
    cookie = secrets.token_urlsafe(16)
    realm.browser_sessions[cookie] = user.username
    response.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="lax")
    return response


def refusal_page(refused: Refused) -> Response:
    """What a person sees when the request is wrong in a way that must not be sent back."""
    return HTMLResponse(message_page("Sign in: that did not work", str(refused)), status_code=400)


def _with(address: str, query: str, mode: str) -> str:
    parts = urlsplit(address)
    if mode == "fragment":
        return urlunsplit(parts._replace(fragment=query))
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
