"""The only file that touches cryptography: AES-256-GCM, scrypt, HKDF, and reading a client certificate."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate

from dynamics_auth.failures import AuthError
from dynamics_auth.tokens import Token, Unpicklable

__all__ = [
    "KEY_SIZE",
    "NONCE_SIZE",
    "ClientCertificate",
    "derive",
    "from_base64",
    "key_id",
    "read_certificate",
    "seal",
    "stretch",
    "unseal",
]

KEY_SIZE = 32
NONCE_SIZE = 12


def seal(key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
    """Encrypt and authenticate with AES-256-GCM; `associated` is authenticated only. The nonce must be new."""
    return AESGCM(key).encrypt(nonce, plain, associated)


def unseal(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """The plain bytes, or None when the key is another one or anything was altered."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):
        return None


def derive(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """A 32-byte key for one purpose out of a strong key (HKDF-SHA256)."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_SIZE, salt=salt, info=purpose).derive(key)


@functools.lru_cache(maxsize=16)
def stretch(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    """A 32-byte key out of a passphrase (scrypt, about 64 ms and 32 MiB at n=2**15); kept for the process."""
    return Scrypt(salt=salt, length=KEY_SIZE, n=n, r=r, p=p).derive(str(passphrase).encode("utf-8", "surrogatepass"))


def key_id(key: bytes) -> str:
    """Eight hex digits that name a key without telling it."""
    return hashlib.sha256(b"sqlalchemy-dynamics/kid" + key).hexdigest()[:8]


@dataclass(frozen=True)
class ClientCertificate(Unpicklable):
    """An RSA private key and its certificate, both PEM."""

    private_key: Token
    certificate: str

    def msal_credential(self) -> dict[str, object]:
        """The form MSAL takes; it then signs its assertions with PS256 and names the certificate by SHA-256."""
        return {"private_key": str(self.private_key), "public_certificate": self.certificate}


def read_certificate(content: bytes, form: str, password: str | None) -> ClientCertificate:
    """Read PFX (`form` starts with PFX) or PEM content with key and certificate in it.

    Raises AuthError (interface) naming OAuthJWTCert or OAuthJWTCertPassword.
    """
    secret = str(password).encode() if password else None
    pair = _load_pfx(content, secret) if form.startswith("PFX") else _load_pem(content, secret)
    if pair is None:
        raise AuthError(
            "OAuthJWTCert cannot be read: it needs a private key and a certificate, and OAuthJWTCertPassword must fit",
            "interface",
        )
    key, certificate = pair
    if not isinstance(key, rsa.RSAPrivateKey):
        raise AuthError("OAuthJWTCert must hold an RSA key; other kinds cannot sign for Entra ID", "interface")
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return ClientCertificate(Token(pem), certificate)


def _load_pfx(content: bytes, password: bytes | None) -> tuple[object, str] | None:
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(content, password)
    except (ValueError, TypeError):
        return None
    if key is None or certificate is None:
        return None
    return key, certificate.public_bytes(serialization.Encoding.PEM).decode()


def _load_pem(content: bytes, password: bytes | None) -> tuple[object, str] | None:
    found = re.search(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", content, re.S)
    if not found:
        return None
    try:
        load_pem_x509_certificate(found[0])
        key = _load_pem_key(content.replace(found[0], b""), password)
    except (ValueError, TypeError):
        return None
    return key, found[0].decode("ascii")


def _load_pem_key(content: bytes, password: bytes | None) -> object:
    found = re.search(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", content, re.S)
    if not found:
        raise ValueError("no private key")
    encrypted = b"ENCRYPTED" in found[0]
    return serialization.load_pem_private_key(found[0], password if encrypted else None)


def from_base64(text: str) -> bytes:
    """Strict base64, only its one canonical spelling; raises ValueError."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode("ascii") != text:
        raise ValueError("not canonical")
    return raw
