"""The stored procedures of OAuth: THE table of their inputs and outputs, and what each does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from dynamics_auth.failures import AuthError
from dynamics_auth.identity import Identity, identify
from dynamics_auth.interactive import manual_url
from dynamics_auth.keys import explicit_keys, find_keys
from dynamics_auth.provider import TokenProvider
from dynamics_auth.records import Payload, Pending
from dynamics_auth.redirects import Redirect, challenge_of, new_verifier, open_state, read_redirect, seal_state
from dynamics_auth.settings import AuthSettings, check_callback
from dynamics_auth.supplied import find_pending, redeem
from dynamics_auth.tokens import NOTHING, Token, TokenSet, Unpicklable, fingerprint
from dynamics_auth.users import UserTokens

__all__ = ["PROCEDURES", "Begun", "Context", "Input", "Procedure", "ProcedureResult", "call", "find_procedure"]

TOKEN_COLUMNS = ("OAuthAccessToken", "OAuthRefreshToken", "ExpiresIn")


@dataclass(frozen=True)
class Input:
    """One input of a procedure, all VARCHAR. `allowed` is compared in any case."""

    name: str
    doc: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    secret: bool = False


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


Run = Callable[[Context, Mapping[str, str]], ProcedureResult]


@dataclass(frozen=True)
class Procedure:
    """A stored procedure: names are found in any case, inputs are given by name in any order."""

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    run: Run = field(repr=False)
    doc: str = ""


def find_procedure(name: str) -> Procedure | None:
    """The procedure of that name in any case, None when sign-in has none such."""
    return next((procedure for procedure in PROCEDURES if procedure.name.lower() == name.lower()), None)


def call(name: str, arguments: Mapping[str, str | None], context: Context) -> ProcedureResult:
    """Check the arguments, then run. Nothing is sent when one is missing, blank, unknown or not allowed.

    Raises AuthError: ``programming`` naming the input or the procedure, else as the sign-in fails.
    """
    procedure = find_procedure(name)
    if procedure is None:
        known = ", ".join(item.name for item in PROCEDURES)
        raise AuthError(f"{name} is not a valid stored procedure; sign-in has {known}", "programming")
    return procedure.run(context, _checked(procedure, arguments))


def _checked(procedure: Procedure, arguments: Mapping[str, str | None]) -> dict[str, str]:
    known = {item.name.lower(): item for item in procedure.inputs}
    found: dict[str, str] = {}
    for name, value in arguments.items():
        item = known.get(name.lstrip("@").lower())
        if item is None:
            names = ", ".join(each.name for each in procedure.inputs)
            raise AuthError(f"{procedure.name} has no input {name}; it has {names}", "programming")
        text = "" if value is None else str(value).strip()
        if item.allowed and text and text.lower() not in {each.lower() for each in item.allowed}:
            raise AuthError(f"{procedure.name}: {item.name} must be one of {', '.join(item.allowed)}", "programming")
        found[item.name] = Token(text) if item.secret else text
    for item in procedure.inputs:
        if item.required and not found.get(item.name):
            raise _missing(procedure.name, item.name)
    return {name: value for name, value in found.items() if value}


def _missing(procedure: str, name: str) -> AuthError:
    return AuthError(f"{procedure} needs the input {name}: it is missing or blank", "programming")


def _authorization_url(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    provider, settings = context.provider, context.provider.settings
    _web_needs_app(settings, given)
    identity = _with_callback(identify(settings, context.organization), given.get("CallbackUrl"))
    now, random = provider.ports.clock(), provider.ports.random
    pkce = given.get("PKCE", "").lower() == "true"
    verifier = new_verifier(random) if pkce else NOTHING
    state = given.get("State", "")
    keys = explicit_keys(settings, provider.ports.environ) if pkce and not state else []
    if keys:
        state = seal_state(keys[0], verifier, identity.callback, now, random)
    if provider.has_location:
        _leave_pending(provider.users, _pending(identity, state, verifier, now))
    context.begun.callback, context.begun.verifier = identity.callback, verifier
    prompt = given.get("Prompt", settings.prompt).lower()
    url = manual_url(
        identity.authority,
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


def _access_token(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    by_code = given.get("AuthMode", "").upper() == "WEB" or "Verifier" in given
    if by_code and "Verifier" not in given:
        raise _missing("GetOAuthAccessToken", "Verifier")
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


def _refresh(context: Context, given: Mapping[str, str]) -> ProcedureResult:
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


def _admin_consent(context: Context, given: Mapping[str, str]) -> ProcedureResult:
    identity = identify(context.provider.settings, context.organization)
    identity = _with_callback(identity, given.get("CallbackUrl"))
    url = identity.authority.admin_consent_url(
        client_id=identity.application.client_id, redirect_uri=identity.callback, state=given.get("State", "")
    )
    return ProcedureResult(("URL",), (url,))


_CALLBACK = Input("CallbackUrl", "Redirect URI; must equal the one registered and the one of the other step.")
_STATE = Input("State", "Echoed back in the redirect.")
_PROMPT = Input("Prompt", "What the login page asks.", allowed=("select_account", "login", "consent", "none"))
_MODE = Input("AuthMode", "APP: the browser of this machine; WEB: the code comes by hand.", allowed=("APP", "WEB"))

PROCEDURES: tuple[Procedure, ...] = (
    Procedure(
        "GetOAuthAuthorizationUrl",
        (
            _MODE,
            _CALLBACK,
            _STATE,
            _PROMPT,
            Input("PKCE", "true adds a code challenge and the output CodeVerifier.", allowed=("true", "false")),
        ),
        ("Url",),
        _authorization_url,
        "The address where a person grants access. Sends nothing.",
    ),
    Procedure(
        "GetOAuthAccessToken",
        (
            _MODE,
            Input("Verifier", "The code, or the whole address the browser ended on; WEB needs it.", secret=True),
            _CALLBACK,
            _STATE,
            _PROMPT,
            Input("CodeVerifier", "The PKCE verifier, where the caller kept it.", secret=True),
        ),
        TOKEN_COLUMNS,
        _access_token,
        "Trades a code for tokens, or signs in through the browser.",
    ),
    Procedure(
        "RefreshOAuthAccessToken",
        (Input("OAuthRefreshToken", "The refresh token.", required=True, secret=True),),
        TOKEN_COLUMNS,
        _refresh,
        "Trades a refresh token for new tokens.",
    ),
    Procedure(
        "GetAdminConsentURL",
        (_CALLBACK, _STATE),
        ("URL",),
        _admin_consent,
        "The address where a tenant administrator consents for everybody. Sends nothing.",
    ),
)
