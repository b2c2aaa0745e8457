"""TLS contexts: the machine's trust store, beside it the certificate of SSLServerCert, and a client certificate."""

from __future__ import annotations

import os
import secrets
import ssl
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

import certifi
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.settings import Settings
from sqlalchemy_dynamics.transport.pins import Pin, read_pin

__all__ = ["Contexts", "open_contexts"]


@dataclass(frozen=True)
class Contexts:
    """`normal` checks chain and name; `pinned`, for a server that fails it, accepts only what SSLServerCert names."""

    normal: ssl.SSLContext
    pinned: ssl.SSLContext | None = None
    warning: str = ""


def open_contexts(settings: Settings) -> Contexts:
    """Build the contexts these settings ask for; sends nothing. Raises InterfaceError naming the property."""
    pin = read_pin(settings.text("SSLServerCert"))
    normal = _machine_context()
    if pin and pin.anchors:
        normal.load_verify_locations(cadata=b"".join(pin.anchors))
        # A private CA need not be as tidy as Python 3.13 wants, and an intermediate may stand for its root.
        normal.verify_flags = (normal.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    pinned = _pinned_context(pin) if pin else None
    certificate = settings.text("SSLClientCert")
    if certificate:
        for context in filter(None, (normal, pinned)):
            _load_client_certificate(context, certificate, settings.text("SSLClientCertPassword"))
    return Contexts(normal, pinned, pin.warning if pin else "")


def _machine_context() -> ssl.SSLContext:
    if sys.platform in ("win32", "darwin"):
        truststore = import_module("truststore")
        return cast(ssl.SSLContext, truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and not (paths.capath and os.listdir(paths.capath)):
        context.load_verify_locations(certifi.where())
    return context


def _pinned_context(pin: Pin) -> ssl.SSLContext:
    def check(certificate: bytes | None) -> None:
        if certificate is None or not pin.matches(certificate):
            raise ssl.SSLCertVerificationError(1, "the certificate is neither trusted nor the one in SSLServerCert")

    class PinnedSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            check(self.getpeercert(True))

    class PinnedObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            check(self.getpeercert(True))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = PinnedSocket
    context.sslobject_class = PinnedObject
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: str, password: str) -> None:
    """Give the context a certificate and key from PEM text or a PEM or PFX file; never asks on the terminal."""
    try:
        data = certificate.encode() if "-----BEGIN" in certificate else Path(certificate).expanduser().read_bytes()
        pem, secret = (data, password) if b"-----BEGIN" in data else _from_pfx(data, password)
        _load_chain(context, pem, secret)
    except (OSError, ValueError) as error:
        reason = "it holds no key, or its password is another" if isinstance(error, ssl.SSLError) else str(error)
        raise InterfaceError(f"SSLClientCert, SSLClientCertPassword: {reason}") from None


def _from_pfx(data: bytes, password: str) -> tuple[bytes, str]:
    key, leaf, others = pkcs12.load_key_and_certificates(data, password.encode() or None)
    if key is None or leaf is None:
        raise ValueError("the file holds no key or no certificate")
    once = secrets.token_hex(16)
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(once.encode()),
    )
    chain = b"".join(item.public_bytes(serialization.Encoding.PEM) for item in (leaf, *others))
    return sealed + chain, once


def _load_chain(context: ssl.SSLContext, pem: bytes, password: str) -> None:
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        context.load_cert_chain(name, password=lambda: password.encode())
    finally:
        os.unlink(name)
