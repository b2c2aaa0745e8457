"""What each stored procedure of OAuth does, once its inputs are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dynamics_auth.failures import AuthError
from dynamics_auth.identity import Identity, identify
from dynamics_auth.keys import explicit_keys, find_keys
from dynamics_auth.provider import TokenProvider
from dynamics_auth.records import Payload, Pending
from dynamics_auth.redirects import Redirect, challenge_of, open_state, read_redirect, seal_state, unguessable
from dynamics_auth.settings import AuthSettings, check_callback
from dynamics_auth.supplied import find_pending, redeem
from dynamics_auth.tokens import NOTHING, Token, TokenSet, Unpicklable, fingerprint
from dynamics_auth.users import UserTokens

__all__ = [
    "TOKEN_COLUMNS",
    "Begun",
    "Context",
    "ProcedureResult",
    "access_token",
    "admin_consent",
    "authorization_url",
    "missing",
    "refresh",
]

TOKEN_COLUMNS = ("OAuthAccessToken", "OAuthRefreshToken", "ExpiresIn")


@dataclass(frozen=True)
class ProcedureResult(Unpicklable):
    """The one result row. Token values are Tokens: masked repr, real text."""

    columns: tuple[str, ...]
    row: tuple[str, ...]


@dataclass
class Begun(Unpicklable):
    """What GetOAuthAuthorizationUrl on this connection asked for, so that GetOAuthAccessToken need not repeat it."""

    callback: str = ""
    verifier: Token = NOTHING


@dataclass(frozen=True)
class Context(Unpicklable):
    """What a procedure works on. `tokens` are those it got, for the connection that called it."""

    provider: TokenProvider
    organization: str
    begun: Begun = field(default_factory=Begun)
    got: list[TokenSet] = field(default_factory=list)


def missing(procedure: str, name: str) -> AuthError:
    """The error for an input that is absent or blank."""
    return AuthError(f"{procedure} needs the input {name}: it is missing or blank", "programming")


def authorization_url(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    """The address where a person grants access; PKCE and a pending record as asked."""
    provider, settings = context.provider, context.provider.settings
    _web_needs_app(settings, given)
    identity = _with_callback(identify(settings, context.organization), given.get("CallbackUrl"))
    now, random = provider.ports.clock(), provider.ports.random
    pkce = given.get("PKCE", "").lower() == "true"
    verifier = unguessable(random) if pkce else NOTHING
    state = given.get("State", "")
    keys = explicit_keys(settings, provider.ports.environ) if pkce and not state else []
    if keys:
        state = seal_state(keys[0], verifier, identity.callback, now, random)
    if provider.has_location:
        _leave_pending(provider.users, _pending(identity, state, verifier, now))
    context.begun.callback, context.begun.verifier = identity.callback, verifier
    prompt = given.get("Prompt", settings.prompt).lower()
    url = identity.authority.manual_url(
        identity.application.client_id,
        identity.callback,
        identity.scope,
        state=state,
        prompt="" if prompt == "none" else prompt,
        code_challenge=challenge_of(verifier) if pkce else "",
        code_challenge_method="S256" if pkce else "",
    )
    return ProcedureResult(("Url", "CodeVerifier"), (url, verifier)) if pkce else ProcedureResult(("Url",), (url,))


def _web_needs_app(settings: AuthSettings, given: Mapping[str, str]) -> None:
    if given.get("AuthMode", "").upper() == "WEB" and not settings.client_id:
        raise AuthError("the web flow needs a custom app: set OAuthClientId and OAuthClientSecret", "interface")


def _with_callback(identity: Identity, callback: str | None) -> Identity:
    if not callback:
        return identity
    check_callback(callback)
    return replace(identity, callback=callback)


def _pending(identity: Identity, state: str, verifier: Token, now: float) -> Pending:
    return Pending(
        organization=identity.organization,
        authority=identity.authority.base,
        tenant=identity.authority.tenant,
        client_id=identity.application.client_id,
        redirect_uri=identity.callback,
        created=now,
        state=state,
        client_secret=identity.application.secret,
        verifier=verifier,
    )


def _leave_pending(users: UserTokens, pending: Pending) -> None:
    with users.vault.lock():
        users.vault.write(users.vault.read().begin(pending))


def access_token(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    """Trade a code for tokens, or let a person sign in here."""
    by_code = given.get("AuthMode", "").upper() == "WEB" or "Verifier" in given
    if by_code and "Verifier" not in given:
        raise missing("GetOAuthAccessToken", "Verifier")
    return _redeem(context, given) if by_code else _ask_person(context, given)


def _redeem(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    provider, settings = context.provider, context.provider.settings
    _web_needs_app(settings, given)
    redirect = _redirect(given)
    now = provider.ports.clock()
    payload = provider.users.vault.read() if provider.has_location else Payload()
    pending = find_pending(settings, context.organization, payload, redirect, now)
    identity = identify(settings, context.organization, pending)
    begun = context.begun.callback if pending is None else ""
    identity = _with_callback(identity, given.get("CallbackUrl") or begun)
    proof = Token(given.get("CodeVerifier", "")) or (pending.verifier if pending else NOTHING)
    if not proof and redirect.state:
        proof = open_state(find_keys(settings, provider.ports.environ), redirect.state, identity.callback, now)
    tokens = redeem(provider.users.logins, identity, redirect, proof or context.begun.verifier)
    seeds = fingerprint(given["Verifier"]), fingerprint(redirect.code)
    return _finish(context, identity, tokens, pending, *seeds)


def _redirect(given: Mapping[str, str]) -> Redirect:
    found = read_redirect(given["Verifier"], "Verifier")
    state = given.get("State", "")
    if state and found.state and state != found.state:
        raise AuthError("GetOAuthAccessToken: State is not the one in the pasted address", "programming")
    return Redirect(found.code, found.state or state)


def _ask_person(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    provider = context.provider
    known = provider.current(context.organization)
    identity = _with_callback(identify(provider.settings, context.organization, known), given.get("CallbackUrl"))
    tokens = provider.users.ask_person(identity, prompt=given.get("Prompt", "").lower())
    return _finish(context, identity, tokens, None)


def refresh(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    """Trade a refresh token for new tokens; the old one is repeated when no new one came."""
    provider = context.provider
    identity = identify(provider.settings, context.organization, provider.current(context.organization))
    used = Token(given["OAuthRefreshToken"])
    login = provider.users.logins.get(identity.authority, identity.application)
    tokens = login.refresh(used, identity.scope)
    kept = tokens if tokens.refresh else replace(tokens, refresh=used)
    return _finish(context, identity, kept, None, fingerprint(used))


def _finish(
    context: Context, identity: Identity, tokens: TokenSet, pending: Pending | None, *seeds: str
) -> ProcedureResult:
    if context.provider.persists:
        context.provider.accept(identity, tokens, pending, *seeds)
    elif pending is not None:
        context.provider.users.end(pending)
    context.got[:] = [tokens]
    return ProcedureResult(TOKEN_COLUMNS, (tokens.access, tokens.refresh, f"{tokens.expires_in or 0:.0f}"))


def admin_consent(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    """The address where an administrator consents for the whole tenant."""
    identity = identify(context.provider.settings, context.organization)
    identity = _with_callback(identity, given.get("CallbackUrl"))
    url = identity.authority.admin_consent_url(
        client_id=identity.application.client_id, redirect_uri=identity.callback, state=given.get("State", "")
    )
    return ProcedureResult(("URL",), (url,))
