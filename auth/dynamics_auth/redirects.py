"""What a person brings back from the browser, and the sealed ``state`` that carries a PKCE verifier by itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dynamics_auth import crypto
from dynamics_auth.failures import AuthError
from dynamics_auth.ports import Random
from dynamics_auth.records import PENDING_LIFETIME
from dynamics_auth.redaction import one_line
from dynamics_auth.settings import check_callback
from dynamics_auth.slots import Key
from dynamics_auth.tokens import NOTHING, Token, Unpicklable

__all__ = ["Redirect", "challenge_of", "loopback_parts", "open_state", "read_redirect", "seal_state", "unguessable"]

_CODE = re.compile(r"[\x21-\x7e]{1,8192}")
_SEALED = "1."


LOOPBACK_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))


def loopback_parts(callback: str) -> SplitResult:
    """The parts of a CallbackURL this machine can listen on. Raises AuthError (interface) for any other."""
    check_callback(callback)
    parts = urlsplit(callback)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS:
        raise AuthError(
            "CallbackURL must be http://localhost:<port> for a sign-in in the local browser; "
            "use the web flow (GetOAuthAuthorizationUrl, GetOAuthAccessToken with AuthMode=WEB) for other addresses",
            "interface",
        )
    return parts


@dataclass(frozen=True)
class Redirect(Unpicklable):
    """A code, and the state that came with it when the whole address was given."""

    code: Token
    state: str = ""


def read_redirect(text: str, what: str = "OAuthVerifier") -> Redirect:
    """Read a bare code, a query string or the whole redirected address.

    White space and quotes around it are dropped. Raises AuthError: ``authentication`` when the address carries an
    error, ``interface`` naming `what` when there is no code in it. The text itself is never repeated.
    """
    trimmed = text.strip().strip("'\"").strip()
    query = _query_of(trimmed)
    if query is None:
        return Redirect(_code(unquote(trimmed) if "%" in trimmed else trimmed, what))
    found = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in found]
    values = dict(found)
    if names.count("code") > 1 or names.count("state") > 1:
        raise AuthError(f"{what} holds an address with a repeated code or state", "interface")
    if values.get("error"):
        raise AuthError(
            f"the login service sent back {one_line(values['error'], 80)}: "
            f"{one_line(values.get('error_description', 'no description'))}",
            "authentication",
            error=one_line(values["error"], 80),
        )
    return Redirect(_code(values.get("code", ""), what), values.get("state", ""))


def _query_of(text: str) -> str | None:
    if re.match(r"https?://", text, re.I):
        try:
            parts = urlsplit(text)
        except ValueError:
            return ""
        return parts.query or parts.fragment
    return text.lstrip("?") if re.match(r"\??(?:[\w.-]+=[^&]*&)*(?:code|error)=", text) else None


def _code(value: str, what: str) -> Token:
    if not _CODE.fullmatch(value):
        raise AuthError(f"{what} must be the code, or better the whole address the browser ended on", "interface")
    return Token(value)


def unguessable(random: Random) -> Token:
    """43 characters of 256 random bits: a PKCE code verifier (RFC 7636) or a state."""
    return Token(_base64url(random(32)))


def challenge_of(verifier: Token) -> str:
    """Its S256 challenge."""
    return _base64url(hashlib.sha256(str(verifier).encode("ascii")).digest())


def seal_state(key: Key, verifier: Token, redirect_uri: str, now: float, random: Random) -> str:
    """A ``state`` in which the verifier travels, sealed with the settings key and bound to the redirect URI."""
    nonce = random(crypto.NONCE_SIZE)
    plain = json.dumps([str(verifier), int(now)]).encode()
    return _SEALED + _base64url(nonce + crypto.seal(_state_key(key), nonce, plain, redirect_uri.encode()))


def open_state(keys: list[Key], state: str, redirect_uri: str, now: float) -> Token:
    """The verifier in a sealed state, empty when the state is not a sealed one.

    Raises AuthError (interface) when it is forged, older than 15 minutes, of another CallbackURL or another key.
    """
    if not state.startswith(_SEALED):
        return NOTHING
    try:
        raw = base64.urlsafe_b64decode(state[len(_SEALED) :] + "=" * (-len(state[len(_SEALED) :]) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    for key in keys:
        nonce, sealed = raw[: crypto.NONCE_SIZE], raw[crypto.NONCE_SIZE :]
        plain = crypto.unseal(_state_key(key), nonce, sealed, redirect_uri.encode())
        if plain is not None:
            verifier, made = json.loads(plain)
            if -60 <= now - made <= PENDING_LIFETIME:
                return Token(verifier)
            raise AuthError("the sign-in was begun more than 15 minutes ago: get a new address", "interface")
    raise AuthError(
        "the state in the pasted address was not made here, or for another CallbackURL or key: get a new address",
        "interface",
    )


def _state_key(key: Key) -> bytes:
    salt = b"sqlalchemy-dynamics/state"
    if key.type == "passphrase":
        return crypto.stretch(key.passphrase, salt, 1 << 15, 8, 1)
    return crypto.derive(key.bytes, salt, b"sqlalchemy-dynamics/state")


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
