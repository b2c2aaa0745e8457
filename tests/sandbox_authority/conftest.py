from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msal
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority, ClientCertificate, client_certificate
from tests.sandbox_authority.browser import Clock, MsalHttp, Token, answer_of

ORGANISATION = "https://contoso.crm.dynamics.test"


@pytest.fixture(scope="session")
def running() -> Iterator[Authority]:
    with Authority(ORGANISATION) as authority:
        yield authority


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(running: Authority, clock: Clock) -> Iterator[Authority]:
    """The service with fresh state, a browser that signs in at once, and a clock that stands still."""
    clients, users, real = dict(running.clients), [*running.users], running.clock
    running.reset()
    running.consent, running.clock, running.lifetime = "grant", clock, 3600
    yield running
    running.clients, running.users, running.clock = clients, users, real
    running.resources[:] = [running.organisation_url]


@pytest.fixture
def http(running: Authority) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=running.ca_file)
    with httpx.Client(verify=trust, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def msal_http(http: httpx.Client, running: Authority) -> MsalHttp:
    return MsalHttp(http, httpx.URL(running.url).port or 443)


@pytest.fixture
def public_app(authority: Authority, msal_http: MsalHttp) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(
        authority.public_client_id,
        authority=authority.authority("organizations"),
        instance_discovery=False,
        http_client=msal_http,
        client_capabilities=["CP1"],
    )


@pytest.fixture(scope="session")
def certificate() -> ClientCertificate:
    return client_certificate()


@pytest.fixture
def token(authority: Authority, http: httpx.Client) -> Token:
    """POST to the token endpoint: `token(grant, tenant=…, version=…, **fields)`."""

    def post(grant: str, *, tenant: str = "", path: str = "oauth2/v2.0/token", **fields: Any) -> httpx.Response:
        address = f"{authority.address}/{tenant or authority.tenant}/{path}"
        return http.post(address, data={"grant_type": grant, **fields})

    return post


@pytest.fixture
def secret_fields(authority: Authority) -> dict[str, str]:
    return {"client_id": authority.client_id, "client_secret": authority.client_secret}


@pytest.fixture
def scope(authority: Authority) -> str:
    return f"{authority.organisation_url}/.default"


@pytest.fixture
def new_code(authority: Authority, http: httpx.Client) -> Callable[..., str]:
    """Let the person consent and bring the code; keyword arguments go into the authorize request."""

    def ask(path: str = "common/oauth2/v2.0/authorize", **fields: str) -> str:
        query = {
            "client_id": authority.public_client_id,
            "response_type": "code",
            "redirect_uri": "http://localhost:33333",
            "scope": f"{authority.organisation_url}/.default offline_access openid",
        }
        query = {name: value for name, value in (query | fields).items() if value}
        return answer_of(http.get(f"{authority.address}/{path}", params=query))["code"]

    return ask
