"""The token endpoint: one function per grant type, and the answer that all of them end in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .calls import Call
from .clients import Client
from .failures import Refused
from .grants import Session
from .people import User
from .resources import Wanted
from .tokens import client_info

__all__ = ["GRANTS", "token_answer"]

_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def token_answer(call: Call) -> dict[str, Any]:
    """The body of a successful answer. Raises `Refused`."""
    if call.tenant_name not in ("common", "organizations"):
        call.realm.find_tenant(call.tenant_name)
    grant = call.required("grant_type")
    if grant not in GRANTS:
        raise Refused(70003, grant)
    answer = GRANTS[grant](call) | call.realm.overrides.token
    return {name: value for name, value in answer.items() if value is not None}


def _authorization_code(call: Call) -> dict[str, Any]:
    code_text = call.required("code")
    client = call.proven_client()
    code = call.realm.grants.redeem_code(code_text, client, call.required("redirect_uri"), call.text("code_verifier"))
    wanted = _wanted_again(call, code.session)
    return _answer(call, code.session, wanted, _first_refresh(call, code.session), code.nonce)


def _refresh_token(call: Call) -> dict[str, Any]:
    used, client = call.required("refresh_token"), call.proven_client()
    session = call.realm.grants.find_refresh(used, client)
    wanted = _wanted_again(call, session)
    _check_interaction(call, session)
    return _answer(call, session, wanted, call.realm.grants.next_refresh(session, used))


def _check_interaction(call: Call, session: Session) -> None:
    """Claims that only a person can satisfy are refused to a refresh token."""
    missing = {name: value for name, value in call.asked().items() if session.claims.get(name) != value}
    if call.realm.demand.interactive and missing:
        raise Refused(50076, call.realm.organisation_url, claims=call.text("claims"))


def _client_credentials(call: Call) -> dict[str, Any]:
    if call.tenant_name in ("common", "organizations"):
        raise Refused(50059)
    client = call.client()
    if client.public and not call.text("client_secret") and not call.text("client_assertion"):
        raise Refused(7000216)
    call.proven_client(required=7000216)
    wanted = call.wanted()
    if call.style == "v2" and wanted.permissions != (".default",):
        raise Refused(1002012, call.text("scope"))
    token = call.realm.sign_access(client, None, wanted, call.tenant, call.asked())
    return _shape(call, token, wanted, call.realm.lifetime)


def _password(call: Call) -> dict[str, Any]:
    username, password = call.required("username"), call.required("password")
    client, wanted = call.proven_client(), call.wanted()
    user = call.realm.find_user(username, password)
    if user.needs_mfa:
        raise Refused(50076, wanted.resource)
    session = call.realm.grants.open_session(client, user, wanted, call.asked())
    return _answer(call, session, wanted, _first_refresh(call, session))


def _device_code(call: Call) -> dict[str, Any]:
    value = call.text("device_code") or call.required("code")
    session = call.realm.grants.poll_device(value, call.proven_client())
    return _answer(call, session, session.wanted, _first_refresh(call, session))


GRANTS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
    "client_credentials": _client_credentials,
    "password": _password,
    _DEVICE: _device_code,
    "device_code": _device_code,
}


def _wanted_again(call: Call, session: Session) -> Wanted:
    """Code and refresh token may name scope or resource again, in either protocol version; else as at sign-in."""
    return call.wanted() if call.text("scope") or call.text("resource") else session.wanted


def _first_refresh(call: Call, session: Session) -> str:
    return call.realm.grants.new_refresh(session) if "offline_access" in session.wanted.openid else ""


def _answer(call: Call, session: Session, wanted: Wanted, refresh: str, nonce: str = "") -> dict[str, Any]:
    """Tokens for a person: access token, refresh token, id token, client info, as far as they were asked for."""
    realm = call.realm
    lifetime = realm.lifetime_for(session, call.capable())
    asked = {**session.claims, **call.asked()}
    access = realm.sign_access(session.client, session.user, wanted, call.tenant, asked, lifetime)
    answer = _shape(call, access, wanted, lifetime)
    if refresh:
        answer["refresh_token"] = refresh
    if "openid" in session.wanted.openid | wanted.openid:
        answer["id_token"] = _id_token(call, session.client, session.user, nonce)
    if call.text("client_info") == "1":
        answer["client_info"] = client_info(session.user.object_id, realm.tenant)
    return answer


def _shape(call: Call, access_token: str, wanted: Wanted, lifetime: int) -> dict[str, Any]:
    """The answer's fixed fields; the v1 endpoint writes its numbers as text and names the resource."""
    now = int(call.realm.clock())
    answer: dict[str, Any] = {"token_type": "Bearer", "access_token": access_token}
    if call.style == "v1":
        numbers = {"expires_in": lifetime, "ext_expires_in": lifetime, "expires_on": now + lifetime, "not_before": now}
        texts = {name: str(number) for name, number in numbers.items()}
        return answer | texts | {"resource": wanted.resource, "scope": "user_impersonation"}
    answer |= {"scope": wanted.scope, "expires_in": lifetime, "ext_expires_in": lifetime}
    return answer | ({} if call.realm.refresh_in is None else {"refresh_in": call.realm.refresh_in})


def _id_token(call: Call, client: Client, user: User, nonce: str) -> str:
    """Who signed in, for the client. v1 names the account `upn`, v2 `preferred_username`."""
    realm, now = call.realm, int(call.realm.clock())
    v1 = call.style == "v1"
    claims: dict[str, Any] = {
        "aud": client.client_id, "iss": f"{realm.url}/{call.tenant}/" + ("" if v1 else "v2.0"), "iat": now, "nbf": now,
        "exp": now + 3600, "oid": user.object_id, "sub": user.object_id, "tid": call.tenant, "name": user.name,
        "upn" if v1 else "preferred_username": user.username, "ver": "1.0" if v1 else "2.0",
    }  # fmt: skip
    claims |= ({"nonce": nonce} if nonce else {}) | realm.overrides.id_token
    return realm.signer.sign({name: value for name, value in claims.items() if value is not None})
