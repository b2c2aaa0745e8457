"""An independent witness: Microsoft's `azure-identity` signs in, when it is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority, Client, ClientCertificate

identity = pytest.importorskip("azure.identity")
SCOPE = "https://contoso.crm.dynamics.test/.default"
Make = Callable[[Authority, ClientCertificate, dict[str, Any]], Any]


def by_secret(authority: Authority, certificate: ClientCertificate, where: dict[str, Any]) -> Any:
    return identity.ClientSecretCredential(authority.tenant, authority.client_id, authority.client_secret, **where)


def by_certificate(authority: Authority, certificate: ClientCertificate, where: dict[str, Any]) -> Any:
    authority.add_client(Client("certified", certificates=(certificate.certificate_pem,)))
    pair = (certificate.key_pem + certificate.certificate_pem).encode()
    return identity.CertificateCredential(authority.tenant, "certified", certificate_data=pair, **where)


def by_device(authority: Authority, certificate: ClientCertificate, where: dict[str, Any]) -> Any:
    authority.device_interval = 1
    client_id = authority.public_client_id
    return identity.DeviceCodeCredential(client_id, prompt_callback=lambda *shown: None, **where)


@pytest.mark.parametrize("make", [by_secret, by_certificate, by_device])
def test_azure_identity_signs_in(
    authority: Authority, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    where = {
        "authority": authority.url,
        "disable_instance_discovery": True,
        "connection_verify": authority.ca_file,
    }
    with make(authority, certificate, where) as credential:
        assert authority.check(credential.get_token(SCOPE).token) is None
