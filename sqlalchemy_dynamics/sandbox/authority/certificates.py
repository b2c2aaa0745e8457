"""Certificates made on the spot: the sandbox's own CA, its server certificate, and client certificates for tests."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["ClientCertificate", "ServerIdentity", "client_certificate", "server_identity", "signing_key"]

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class ServerIdentity:
    """PEM texts of one server: the CA to trust, the chain to present, and the private key (never printed)."""

    ca_pem: str
    chain_pem: str
    key_pem: str

    def __repr__(self) -> str:
        return "ServerIdentity(...)"


@dataclass(frozen=True)
class ClientCertificate:
    """A self-signed certificate as an application registers it; `pfx()` and `key_pem` hold the private key."""

    certificate_pem: str
    key_pem: str
    key: rsa.RSAPrivateKey

    def __repr__(self) -> str:
        return "ClientCertificate(...)"

    def pfx(self, password: str = "") -> bytes:
        """The pair as a PKCS#12 (``.pfx``) file."""
        protection = serialization.BestAvailableEncryption(password.encode()) if password else _CLEAR
        certificate = x509.load_pem_x509_certificate(self.certificate_pem.encode())
        return pkcs12.serialize_key_and_certificates(b"sandbox", self.key, certificate, None, protection)

    @property
    def public_key_pem(self) -> str:
        """The bare public key."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def encrypted_key_pem(self, password: str) -> str:
        """The private key as a PEM text that needs `password`."""
        return _key_pem(self.key, serialization.BestAvailableEncryption(password.encode()))


_CLEAR = serialization.NoEncryption()


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """The RSA key that signs tokens, made once per process (making one takes ~0.1 s)."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def client_certificate(common_name: str = "sandbox client") -> ClientCertificate:
    """Make a self-signed RSA certificate with which an application proves who it is."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = _builder(common_name, common_name, key).sign(key, hashes.SHA256())
    return ClientCertificate(_pem(certificate), _key_pem(key, _CLEAR), key)


def server_identity(*hosts: str) -> ServerIdentity:
    """Make a CA and a server certificate valid for `hosts` (names or addresses) for one year."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _authority(ca_key)
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    leaf = (
        _builder(hosts[0], "Dynamics sandbox CA", key)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return ServerIdentity(_pem(ca), _pem(leaf) + _pem(ca), _key_pem(key, _CLEAR))


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        _builder("Dynamics sandbox CA", "Dynamics sandbox CA", key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(subject: str, issuer: str, key: Key) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _YEAR)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: Key, protection: serialization.KeySerializationEncryption) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, protection).decode()
