"""Whom the transport trusts: the machine, SSLServerCert in every form, and a client certificate of its own."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.sandbox.authority.certificates import ServerIdentity, client_certificate
from sqlalchemy_dynamics.transport.client import Transport
from sqlalchemy_dynamics.transport.failures import ConnectionLost
from sqlalchemy_dynamics.transport.pins import read_pin
from tests.transport.peers import Origin, identity

Open = Callable[..., Transport]
Form = Callable[[bytes, Path], str]


def get(origin: Origin) -> HttpRequest:
    return HttpRequest("GET", f"{origin.url}/plain")


def public_key(der: bytes, encoding: Encoding) -> bytes:
    return x509.load_der_x509_certificate(der).public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def in_file(data: bytes, path: Path) -> str:
    path.write_bytes(data)
    return str(path)


def pem(der: bytes) -> str:
    return ssl.DER_cert_to_PEM_cert(der)


def spelled(digest: str, separator: str) -> str:
    return separator.join(re.findall("..", digest)).upper()


FORMS: dict[str, Form] = {
    "PEM text": lambda der, path: pem(der),
    "PEM text on one line": lambda der, path: pem(der).replace("\n", " "),
    "PEM file": lambda der, path: in_file(pem(der).encode(), path),
    "DER file": lambda der, path: in_file(der, path),
    "public key PEM": lambda der, path: public_key(der, Encoding.PEM).decode(),
    "public key file": lambda der, path: in_file(public_key(der, Encoding.DER), path),
    "public key base64": lambda der, path: base64.b64encode(public_key(der, Encoding.DER)).decode(),
    "certificate base64": lambda der, path: base64.b64encode(der).decode(),
    "SHA-256": lambda der, path: hashlib.sha256(der).hexdigest(),
    "openssl's SHA-256": lambda der, path: "sha256 Fingerprint=" + spelled(hashlib.sha256(der).hexdigest(), ":"),
    "SHA-1 with blanks": lambda der, path: spelled(hashlib.sha1(der).hexdigest(), " "),
    "MD5 with colons": lambda der, path: spelled(hashlib.md5(der).hexdigest(), ":"),
    "MD5 with hyphens": lambda der, path: "MD5: " + spelled(hashlib.md5(der).hexdigest(), "-"),
    "any": lambda der, path: "*",
}


@pytest.fixture(scope="module")
def nameless() -> ServerIdentity:
    """A certificate for another name: only a pin can accept it."""
    return identity("elsewhere.example")


@pytest.fixture
def foreign(nameless: ServerIdentity) -> Iterator[Origin]:
    with Origin(nameless) as server:
        yield server


def leaf(certificate: ServerIdentity) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.chain_pem[: certificate.chain_pem.index("-----END") + 25])


def test_a_stranger_is_refused_before_anything_is_sent(secure_origin: Origin, transport: Open) -> None:
    with pytest.raises(ConnectionLost, match=r"cannot be validated .*SSLServerCert") as caught:
        transport().send(get(secure_origin))
    assert caught.value.permanent and not caught.value.sent and secure_origin.requests == []


@pytest.mark.filterwarnings("ignore:SSLServerCert")
@pytest.mark.parametrize("form", FORMS)
def test_the_named_certificate_is_accepted_whatever_its_name(
    foreign: Origin, nameless: ServerIdentity, transport: Open, tmp_path: Path, form: str
) -> None:
    sender = transport(SSLServerCert=FORMS[form](leaf(nameless), tmp_path / "cert"))
    assert sender.send(get(foreign)).status == 200
    assert sender.send(get(foreign)).status == 200


@pytest.mark.filterwarnings("ignore:SSLServerCert")
@pytest.mark.parametrize("form", [form for form in FORMS if form != "any"])
def test_any_other_certificate_is_refused(
    secure_origin: Origin, nameless: ServerIdentity, transport: Open, tmp_path: Path, form: str
) -> None:
    with pytest.raises(ConnectionLost, match="SSLServerCert"):
        transport(SSLServerCert=FORMS[form](leaf(nameless), tmp_path / "cert")).send(get(secure_origin))
    assert secure_origin.requests == []


def test_a_ca_vouches_for_its_servers(
    secure_origin: Origin, server_certificate: ServerIdentity, transport: Open
) -> None:
    assert transport(SSLServerCert=server_certificate.ca_pem).send(get(secure_origin)).status == 200


def test_what_the_machine_trusts_stays_trusted(
    secure_origin: Origin,
    server_certificate: ServerIdentity,
    transport: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", in_file(server_certificate.ca_pem.encode(), tmp_path / "ca.pem"))
    assert transport().send(get(secure_origin)).status == 200
    assert transport(SSLServerCert="00" * 32).send(get(secure_origin)).status == 200


def test_a_rsa_public_key_in_the_older_form() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    text = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert text.startswith("-----BEGIN RSA PUBLIC KEY-----")
    pin = read_pin(text)
    assert pin is not None and not pin.matches(leaf(identity()))


@pytest.mark.parametrize(
    "value",
    [
        "garbage",
        "/no/such/file.pem",
        "ab" * 21,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "AAAA",
    ],
)
def test_garbage_is_an_error_not_an_open_door(transport: Open, value: str) -> None:
    with pytest.raises(InterfaceError, match=r"^SSLServerCert"):
        transport(SSLServerCert=value)


@pytest.mark.parametrize(("value", "text"), [("*", "any certificate"), ("ab" * 16, "MD5"), ("ab" * 20, "SHA1")])
def test_weak_choices_warn(transport: Open, value: str, text: str) -> None:
    with pytest.warns(UserWarning, match=text):
        transport(SSLServerCert=value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transport(SSLServerCert="ab" * 32)


def test_client_certificates(server_certificate: ServerIdentity, transport: Open, tmp_path: Path) -> None:
    client = client_certificate()
    locked = client.encrypted_key_pem("pass word") + client.certificate_pem
    forms: list[dict[str, object]] = [
        {"SSLClientCert": client.key_pem + client.certificate_pem},
        {"SSLClientCert": in_file(locked.encode(), tmp_path / "c.pem"), "SSLClientCertPassword": "pass word"},
        {"SSLClientCert": in_file(client.pfx("pass word"), tmp_path / "c.pfx"), "SSLClientCertPassword": "pass word"},
        {"SSLClientCert": in_file(client.pfx(), tmp_path / "open.pfx")},
    ]
    with Origin(server_certificate, client_ca=client.certificate_pem) as server:
        for form in forms:
            assert transport(SSLServerCert=server_certificate.ca_pem, **form).send(get(server)).status == 200
        with pytest.raises(ConnectionLost):
            transport(SSLServerCert=server_certificate.ca_pem).send(get(server))
    assert len(server.requests) == len(forms)


def test_unusable_client_certificates_are_named(transport: Open, tmp_path: Path) -> None:
    client = client_certificate()
    locked = client.encrypted_key_pem("right") + client.certificate_pem
    pfx = in_file(client.pfx("right"), tmp_path / "c.pfx")
    for form in (locked, client.certificate_pem, pfx, "/no/such/file", in_file(b"junk", tmp_path / "junk")):
        with pytest.raises(InterfaceError, match=r"^SSLClientCert"):
            transport(SSLClientCert=form, SSLClientCertPassword="wrong")
