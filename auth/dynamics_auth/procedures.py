"""The stored procedures of OAuth: THE table of their inputs and outputs, and how one is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dynamics_auth import runs
from dynamics_auth.answers import Answer
from dynamics_auth.failures import AuthError
from dynamics_auth.runs import TOKEN_COLUMNS, Begun, Context, ProcedureResult
from dynamics_auth.tokens import Token

__all__ = ["PROCEDURES", "Begun", "Context", "Input", "Procedure", "ProcedureResult", "call", "find_procedure"]


@dataclass(frozen=True)
class Input:
    """One input of a procedure, all VARCHAR. `allowed` is compared in any case."""

    name: str
    doc: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    secret: bool = False


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
    arguments = Answer(arguments)  # from here on no traceback shows them
    procedure = find_procedure(name)
    if procedure is None:
        known = ", ".join(item.name for item in PROCEDURES)
        raise AuthError(f"{name} is not a valid stored procedure; sign-in has {known}", "programming")
    return procedure.run(context, _checked(procedure, arguments))


def _checked(procedure: Procedure, arguments: Mapping[str, str | None]) -> dict[str, str]:
    known = {item.name.lower(): item for item in procedure.inputs}
    found: dict[str, str] = {}
    for name in arguments:
        item = known.get(name.lstrip("@").lower())
        if item is None:
            names = ", ".join(each.name for each in procedure.inputs)
            raise AuthError(f"{procedure.name} has no input {name}; it has {names}", "programming")
        found[item.name] = _value(procedure, item, arguments[name])
    for item in procedure.inputs:
        if item.required and not found.get(item.name):
            raise runs.missing(procedure.name, item.name)
    return {name: value for name, value in found.items() if value}


def _value(procedure: Procedure, item: Input, value: object) -> str:
    text = "" if value is None else str(value).strip()
    if item.allowed and text and text.lower() not in {each.lower() for each in item.allowed}:
        raise AuthError(f"{procedure.name}: {item.name} must be one of {', '.join(item.allowed)}", "programming")
    return Token(text) if item.secret else text


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
        runs.authorization_url,
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
        runs.access_token,
        "Trades a code for tokens, or signs in through the browser.",
    ),
    Procedure(
        "RefreshOAuthAccessToken",
        (Input("OAuthRefreshToken", "The refresh token.", required=True, secret=True),),
        TOKEN_COLUMNS,
        runs.refresh,
        "Trades a refresh token for new tokens.",
    ),
    Procedure(
        "GetAdminConsentURL",
        (_CALLBACK, _STATE),
        ("URL",),
        runs.admin_consent,
        "The address where a tenant administrator consents for everybody. Sends nothing.",
    ),
)
