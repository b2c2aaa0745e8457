"""Every answer of a login service is checked here before it is used; refusals become errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dynamics_auth.failures import AuthError
from dynamics_auth.redaction import one_line
from dynamics_auth.tokens import BEARER, Token, TokenSet

__all__ = ["Answer", "check_tokens", "refusal", "unexpected"]

MAX_LIFETIME = 2 * 86_400.0


class Answer(dict[str, Any]):
    """A decoded answer whose repr shows no values."""

    def __repr__(self) -> str:
        return f"Answer({', '.join(sorted(map(str, self)))})"


SIGN_IN = "Sign in again: set OAuthVerifier to a new code, or InitiateOAuth=GETANDREFRESH on a machine with a browser"
_HINTS = {
    "invalid_client": "OAuthClientSecret is wrong, expired or missing, or the application takes none "
    "(public applications must not send OAuthClientSecret; confidential ones need it)",
    "unauthorized_client": "check OAuthClientId and Tenant: the application is not registered or not allowed there",
    "interaction_required": "Multi-factor authentication or Conditional Access asks for a person. " + SIGN_IN,
    "login_required": SIGN_IN,
    "consent_required": "Nobody has consented yet: sign in once with Prompt=consent, or let an administrator open "
    "the address that GetAdminConsentURL returns",
    "invalid_resource": "check OrganizationUrl: the login service does not know that organisation",
    "invalid_target": "check OrganizationUrl: the login service does not know that organisation",
    "invalid_scope": "check OrganizationUrl: the login service does not know that organisation",
    "invalid_tenant": "check Tenant",
    "access_denied": "The sign-in was declined",
    "authorization_declined": "The sign-in was declined",
    "expired_token": "The device code expired before anybody used it: try again",
    "invalid_request": "check CallbackURL (it must equal the one of the authorize step), OAuthClientId and Tenant",
    "temporarily_unavailable": "The login service is busy: try again later",
}
_GRANT_HINTS = {
    "code": "The code is used up or expired, or it was issued to another OAuthClientId / CallbackURL: get a new one, "
    "and set OAuthClientId, OAuthClientSecret and CallbackURL to those of the authorize step",
    "refresh": SIGN_IN,
    "password": "check User and Password; accounts with multi-factor authentication cannot sign in this way",
}
_CODE_HINTS = {
    90002: "check Tenant: the login service does not know it",
    50020: "check Tenant: the account is not a user of that directory",
    50034: "check Tenant: the account is not a user of that directory",
    65001: _HINTS["consent_required"],
    90094: "An administrator must consent: let one open the address that GetAdminConsentURL returns",
    500011: _HINTS["invalid_resource"],
    50001: _HINTS["invalid_resource"],
    700016: "check OAuthClientId and Tenant: the application is not registered there",
    50011: "check CallbackURL: it is not a reply URL of the application",
}
_NEEDS_PERSON = frozenset(("invalid_grant", "interaction_required", "login_required", "consent_required"))


def refusal(found: Mapping[str, Any], host: str, what: str, clean: Callable[[str], str], status: int = 0) -> AuthError:
    """The error for an OAuth error answer. `what` is the grant: code, refresh, client, password or device."""
    error = _word(found.get("error")) or "error"
    codes = tuple(code for code in _listed(found.get("error_codes")) if type(code) is int)
    description = one_line(clean(_described(found)))
    hint = _hint(error, codes, what)
    number = f", AADSTS{codes[0]}" if codes else ""
    answered = f" with {status}" if status else ""
    return AuthError(
        f"{host} refused{answered} ({error}{number}): {description or 'no description'} - {hint}",
        "authentication",
        error=error,
        suberror=_word(found.get("suberror")),
        error_codes=codes,
        correlation_id=_word(found.get("correlation_id")),
        trace_id=_word(found.get("trace_id")),
        claims=str(found["claims"]) if isinstance(found.get("claims"), str) else "",
        needs_sign_in=error in _NEEDS_PERSON and what not in ("client", "password"),
    )


def _hint(error: str, codes: tuple[int, ...], what: str) -> str:
    by_number = next((_CODE_HINTS[code] for code in codes if code in _CODE_HINTS), "")
    by_grant = _GRANT_HINTS.get(what, SIGN_IN) if error == "invalid_grant" else ""
    return by_number or by_grant or _HINTS.get(error, "check OAuthClientId, Tenant and OrganizationUrl")


def _described(found: Mapping[str, Any]) -> str:
    text = found.get("error_description")
    return re.split(r"\s*(?:Trace ID|Correlation ID):", text)[0] if isinstance(text, str) else ""


def _word(value: object) -> str:
    return one_line(value, 80) if isinstance(value, str) else ""


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def unexpected(host: str, detail: str) -> AuthError:
    """The error for an answer that is no OAuth answer at all."""
    return AuthError(f"unexpected answer from {host}: {detail}")


def check_tokens(found: object, *, now: float, host: str, what: str, clean: Callable[[str], str]) -> TokenSet:
    """The tokens in an answer, or AuthError: an OAuth error, a token that cannot be a header, another token type."""
    if not isinstance(found, Mapping):
        raise unexpected(host, "it holds no tokens")
    if found.get("error"):
        raise refusal(found, host, what, clean)
    access = Token(found["access_token"]) if isinstance(found.get("access_token"), str) else Token("")
    if not BEARER.fullmatch(access):
        raise unexpected(host, "its access_token is missing or not one")
    if str(found.get("token_type", "Bearer")).lower() != "bearer":
        raise unexpected(host, "its token_type is not Bearer")
    refresh = found.get("refresh_token") or ""
    if not isinstance(refresh, str) or re.search(r"[^\x21-\x7e]", refresh):
        raise unexpected(host, "its refresh_token is not one")
    return TokenSet(access, Token(refresh), _lifetime(found.get("expires_in"), host), now, _user(found))


def _lifetime(value: object, host: str) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return min(max(float(value), 0.0), MAX_LIFETIME)
        except ValueError:
            pass
    raise unexpected(host, "its expires_in is not a number")


def _user(found: Mapping[str, Any]) -> str:
    claims = found.get("id_token_claims")
    if not isinstance(claims, Mapping):
        return ""
    return next(
        (_word(claims.get(name)) for name in ("preferred_username", "upn", "unique_name") if claims.get(name)), ""
    )
