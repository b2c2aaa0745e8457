"""SSLServerCert in all its forms: which certificate of a server is accepted although the machine does not trust it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from sqlalchemy_dynamics.errors import InterfaceError

__all__ = ["Pin", "read_pin"]

_THUMBPRINT = re.compile(
    r"\s*(?:(?:md-?5|sha-?1|sha-?256)?[ _-]*(?:fingerprint|thumbprint)?\s*[:=]\s*)?"
    r"([0-9a-f]{2}(?:[\s:-]?[0-9a-f]{2})+)\s*",
    re.IGNORECASE,
)
_HASHES = {32: "md5", 40: "sha1", 64: "sha256"}
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_SUPPORTED = "PEM text, a PEM or DER file, a public key, an MD5, SHA-1 or SHA-256 thumbprint, or *"


@dataclass(frozen=True)
class Pin:
    """`matches` judges the DER form of a server's certificate; `anchors` (DER) may also sign one; `warning` is for
    the person who set it."""

    matches: Callable[[bytes], bool]
    anchors: tuple[bytes, ...] = ()
    warning: str = ""


def read_pin(value: str) -> Pin | None:
    """The meaning of SSLServerCert, None when it is empty. Raises InterfaceError when it is none of the forms."""
    if not value.strip():
        return None
    if value.strip() == "*":
        return Pin(lambda der: True, warning="SSLServerCert=* accepts any certificate, be it a forger's")
    thumbprint = _THUMBPRINT.fullmatch(value)
    if thumbprint:
        return _thumbprint(re.sub(r"[\s:-]", "", thumbprint[1]).lower())
    pin = _from_pem(value) or _from_base64(value) or _from_file(value)
    if pin is None:
        raise InterfaceError(f"SSLServerCert: expected {_SUPPORTED}")
    return pin


def _thumbprint(digits: str) -> Pin:
    name = _HASHES.get(len(digits))
    if name is None:
        raise InterfaceError("SSLServerCert: a thumbprint has 32 (MD5), 40 (SHA-1) or 64 (SHA-256) hexadecimal digits")
    weak = f"SSLServerCert: {name.upper()} thumbprints can be forged; use SHA-256" if name != "sha256" else ""
    return Pin(lambda der: hashlib.new(name, der, usedforsecurity=False).hexdigest() == digits, warning=weak)


def _from_pem(text: str) -> Pin | None:
    blocks = _PEM.findall(text)
    certificates = [_decode(body) for label, body in blocks if label.endswith("CERTIFICATE")]
    if certificates:
        return _certificates(certificates)
    for label, body in blocks:
        if label.endswith("PUBLIC KEY"):
            lines = "\n".join(re.findall(".{1,64}", "".join(body.split())))
            return _public_key(f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode())
    return None


def _from_file(value: str) -> Pin | None:
    try:
        path = Path(value).expanduser()
        data = path.read_bytes() if path.is_file() else b""
    except (OSError, ValueError, RuntimeError):
        raise InterfaceError("SSLServerCert: the file cannot be read") from None
    return (_from_pem(data.decode("latin-1")) or _from_der(data)) if data else None


def _from_base64(value: str) -> Pin | None:
    try:
        data = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return _from_der(data) if data else None


def _from_der(data: bytes) -> Pin | None:
    try:
        x509.load_der_x509_certificate(data)
        return _certificates([data])
    except ValueError:
        pass
    try:
        key = serialization.load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return _key_pin(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def _certificates(certificates: list[bytes]) -> Pin:
    try:
        for der in certificates:
            x509.load_der_x509_certificate(der)
    except ValueError:
        raise InterfaceError("SSLServerCert: the certificate is damaged") from None
    return Pin(lambda der: der in certificates, tuple(certificates))


def _public_key(pem: bytes) -> Pin:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise InterfaceError("SSLServerCert: the public key is damaged or of an unknown kind") from None
    return _key_pin(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def _key_pin(wanted: bytes) -> Pin:
    return Pin(lambda der: _key_of(der) == wanted)


def _key_of(der: bytes) -> bytes:
    key = x509.load_der_x509_certificate(der).public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _decode(body: str) -> bytes:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InterfaceError("SSLServerCert: the certificate is damaged") from None
