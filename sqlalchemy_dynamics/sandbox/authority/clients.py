"""Who may ask for tokens: application registrations, their redirect addresses and the proof they owe."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .failures import Refused

__all__ = ["ASSERTION_TYPE", "Client", "FederatedCredential", "Proof"]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ASSERTION_ALGORITHMS = ["RS256", "PS256"]


@dataclass(frozen=True)
class FederatedCredential:
    """Trust in another issuer's tokens (workload identity): who issues them, for whom, and the issuer's public key."""

    issuer: str
    subject: str
    public_key_pem: str
    audience: str = "api://AzureADTokenExchange"


@dataclass(frozen=True)
class Proof:
    """What a request brought to prove the application: each part may be empty."""

    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)
    assertion_type: str = ""


@dataclass
class Client:
    """One application registration. Without secrets, certificates and federated credentials it is a public client.

    Redirect addresses compare byte for byte; for loopback hosts the port is ignored, as the real service does.
    `admin_only` lets nobody but an administrator consent (see `/adminconsent`).
    """

    client_id: str
    name: str = "Sandbox application"
    redirect_uris: tuple[str, ...] = ("http://localhost",)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    certificates: tuple[str, ...] = field(default=(), repr=False)
    federated: tuple[FederatedCredential, ...] = field(default=(), repr=False)
    require_pkce: bool = False
    admin_only: bool = False

    @property
    def public(self) -> bool:
        """True when there is nothing with which it could prove itself."""
        return not (self.secrets or self.certificates or self.federated)

    def accepts_redirect(self, address: str) -> bool:
        """Whether `address` is registered."""
        return address in self.redirect_uris or _without_port(address) in map(_without_port, self.redirect_uris)

    def check(self, proof: Proof, audiences: tuple[str, ...], now: float, required: int = 7000218) -> None:
        """Raise `Refused` unless `proof` is right; `required` is the AADSTS number when there is none."""
        given = bool(proof.secret or proof.assertion)
        if self.public and given:
            raise Refused(700025)
        if not self.public and not given:
            raise Refused(required)
        if proof.assertion:
            self._check_assertion(proof, audiences, now)
        elif proof.secret:
            self._check_secret(proof.secret)

    def _check_secret(self, secret: str) -> None:
        if not any(hmac.compare_digest(secret.encode(), known.encode()) for known in self.secrets):
            raise Refused(7000215, self.client_id)

    def _check_assertion(self, proof: Proof, audiences: tuple[str, ...], now: float) -> None:
        if proof.assertion_type != ASSERTION_TYPE:
            raise Refused(90023, "client_assertion_type")
        issuer = str(_decoded(proof.assertion).get("iss", ""))
        if issuer == self.client_id:
            self._check_certificate(proof.assertion, audiences, now)
        else:
            self._check_federated(proof.assertion, issuer, now)

    def _check_certificate(self, assertion: str, audiences: tuple[str, ...], now: float) -> None:
        keys = [_public_key(pem) for pem in self.certificates]
        claims = next((found for key in keys if (found := _verified(assertion, key))), None)
        if claims is None:
            raise Refused(700027)
        if claims.get("sub") != self.client_id:
            raise Refused(700021)
        if claims.get("aud") not in audiences:
            raise Refused(700023)
        _check_time(claims, now)

    def _check_federated(self, assertion: str, issuer: str, now: float) -> None:
        credential = next((one for one in self.federated if one.issuer == issuer), None)
        if credential is None:
            raise Refused(700211, issuer)
        key = load_pem_public_key(credential.public_key_pem.encode())
        claims = _verified(assertion, key) if isinstance(key, RSAPublicKey) else None
        if claims is None:
            raise Refused(700027)
        if claims.get("sub") != credential.subject:
            raise Refused(700213, str(claims.get("sub")))
        if claims.get("aud") != credential.audience:
            raise Refused(700023)
        _check_time(claims, now)


def _without_port(address: str) -> str:
    """`address` without its port when it is plain http to this very machine; else unchanged."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.username is not None:
        return address
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit(parts._replace(netloc=host))


def _public_key(certificate_pem: str) -> RSAPublicKey:
    key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("register a certificate with an RSA key: the service signs and checks RS256 and PS256 only")
    return key


def _decoded(assertion: str) -> Mapping[str, Any]:
    try:
        return jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise Refused(50027) from None


def _verified(assertion: str, key: RSAPublicKey) -> Mapping[str, Any] | None:
    """The claims when `key` signed them; the clock is checked elsewhere, on the sandbox's own time."""
    unchecked: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        return jwt.decode(assertion, key, algorithms=_ASSERTION_ALGORITHMS, options=unchecked)
    except jwt.PyJWTError:
        return None


def _check_time(claims: Mapping[str, Any], now: float, skew: float = 300) -> None:
    try:
        begins, ends = float(claims.get("nbf", 0)), float(claims["exp"])
    except (KeyError, TypeError, ValueError):
        raise Refused(50027) from None
    if not begins - skew <= now < ends + skew:
        raise Refused(700024)
