"""Signing in at an HTTP proxy: Basic, Digest (RFC 7616), and NTLM or Negotiate through pyspnego."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

import httpcore

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.transport.routes import Proxy

__all__ = ["Answer", "answerer", "digest_header", "offered"]

Answer = Callable[[str, Sequence[str]], "str | None"]
"""``answer(target, challenges)`` → the Proxy-Authorization to send next, None when there is nothing (more) to say.
`challenges` are the Proxy-Authenticate values of the last reply, empty before the first request."""

_DIGESTS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def answerer(proxy: Proxy) -> Answer:
    """A fresh conversation for one TCP connection. Raises InterfaceError when pyspnego is needed and missing."""
    if proxy.scheme == "NONE" or (not proxy.user and proxy.scheme in ("BASIC", "DIGEST")):
        return lambda target, challenges: None
    if proxy.scheme == "BASIC":
        return _basic(proxy)
    return _digest(proxy) if proxy.scheme == "DIGEST" else _spnego(proxy)


def offered(challenges: Sequence[str]) -> list[str]:
    """The names of the schemes a proxy offers."""
    return list(dict.fromkeys(challenge.split()[0] for challenge in challenges if challenge.strip()))


def _basic(proxy: Proxy) -> Answer:
    token = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    return lambda target, challenges: None if challenges else f"Basic {token}"


def _digest(proxy: Proxy) -> Answer:
    seen: list[str] = []

    def answer(target: str, challenges: Sequence[str]) -> str | None:
        for challenge in challenges:
            scheme, _, parameters = challenge.partition(" ")
            fields = parse_keqv_list(parse_http_list(parameters)) if scheme.lower() == "digest" else {}
            known = fields.get("algorithm", "MD5").upper().removesuffix("-SESS") in _DIGESTS
            if not known or "nonce" not in fields or (seen and fields.get("stale", "").lower() != "true"):
                continue
            if len(seen) < 2:
                seen.append(fields["nonce"])
                return digest_header("CONNECT", target, fields, proxy.user, proxy.password, os.urandom(8).hex())
        return None

    return answer


def digest_header(method: str, uri: str, challenge: dict[str, str], user: str, password: str, client_nonce: str) -> str:
    """The Digest credentials for one request under a parsed challenge."""
    algorithm = challenge.get("algorithm", "MD5")
    function = _DIGESTS[algorithm.upper().removesuffix("-SESS")]

    def hashed(*parts: str) -> str:
        return hashlib.new(function, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    realm, nonce = challenge.get("realm", ""), challenge["nonce"]
    secret = hashed(user, realm, password)
    if algorithm.upper().endswith("-SESS"):
        secret = hashed(secret, nonce, client_nonce)
    request = hashed(method, uri)
    fields = {"username": _quoted(user), "realm": _quoted(realm), "nonce": _quoted(nonce), "uri": _quoted(uri)}
    if "auth" in [item.strip() for item in challenge.get("qop", "").split(",")]:
        fields["response"] = _quoted(hashed(secret, nonce, "00000001", client_nonce, "auth", request))
        fields |= {"qop": "auth", "nc": "00000001", "cnonce": _quoted(client_nonce)}
    else:
        fields["response"] = _quoted(hashed(secret, nonce, request))
    fields["algorithm"] = algorithm
    if "opaque" in challenge:
        fields["opaque"] = _quoted(challenge["opaque"])
    return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _spnego(proxy: Proxy) -> Answer:
    label = {"NTLM": "NTLM", "NEGOTIATE": "Negotiate"}[proxy.scheme]
    try:
        spnego: Any = import_module("spnego")
    except ModuleNotFoundError:
        raise InterfaceError(
            f"ProxyAuthScheme={proxy.scheme} needs pyspnego: pip install 'sqlalchemy-dynamics[ntlm]'"
        ) from None
    try:
        context = spnego.client(
            proxy.user or None,
            str(proxy.password) or None,
            hostname=proxy.host,
            service="http",
            protocol=proxy.scheme.lower(),
        )
    except spnego.exceptions.SpnegoError as error:
        raise httpcore.ProxyError(f"ProxyAuthScheme={proxy.scheme} is not possible here: {error}") from None

    def answer(target: str, challenges: Sequence[str]) -> str | None:
        tokens = [token for name, _, token in (item.partition(" ") for item in challenges) if name == label and token]
        if context.complete or (challenges and not tokens):
            return None
        try:
            produced = context.step(base64.b64decode(tokens[0]) if tokens else None)
        except (spnego.exceptions.SpnegoError, ValueError) as error:
            raise httpcore.ProxyError(f"the proxy's {label} reply cannot be answered: {error}") from None
        return f"{label} {base64.b64encode(produced).decode()}" if produced else None

    return answer
