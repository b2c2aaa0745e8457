"""The flows as MSAL itself runs them."""

from __future__ import annotations

from pathlib import Path

import httpx
import msal
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority, Client, ClientCertificate, User, approve_device
from tests.sandbox_authority.browser import MsalHttp, answer_of, read_form


def confidential(authority: Authority, msal_http: MsalHttp, credential: object) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        authority.client_id,
        client_credential=credential,
        authority=authority.authority(),
        instance_discovery=False,
        http_client=msal_http,
    )


def test_a_person_signs_in_by_code_and_pkce(
    authority: Authority, public_app: msal.PublicClientApplication, http: httpx.Client, scope: str
) -> None:
    flow = public_app.initiate_auth_code_flow([scope], redirect_uri="http://localhost:41234", response_mode="form_post")
    page = http.get(flow["auth_uri"])
    assert read_form(page).action == "http://localhost:41234"
    result = public_app.acquire_token_by_auth_code_flow(flow, answer_of(page))
    assert authority.check(result["access_token"]) is None
    assert result["id_token_claims"]["preferred_username"] == authority.users[0].username
    assert [entry.grant for entry in authority.requests if entry.grant] == ["authorization_code"]


def test_the_cache_refreshes_silently(
    authority: Authority, public_app: msal.PublicClientApplication, http: httpx.Client, scope: str
) -> None:
    authority.refresh_mode = "single-use"
    flow = public_app.initiate_auth_code_flow([scope], redirect_uri="http://localhost", response_mode="form_post")
    public_app.acquire_token_by_auth_code_flow(flow, answer_of(http.get(flow["auth_uri"])))
    (account,) = public_app.get_accounts()
    for _ in range(2):
        result = public_app.acquire_token_silent_with_error([scope], account, force_refresh=True)
        assert authority.check(result["access_token"]) is None
    assert [entry.grant for entry in authority.requests][-2:] == ["refresh_token"] * 2


def test_a_revoked_sign_in_says_so(
    authority: Authority, public_app: msal.PublicClientApplication, http: httpx.Client, scope: str
) -> None:
    flow = public_app.initiate_auth_code_flow([scope], redirect_uri="http://localhost", response_mode="form_post")
    public_app.acquire_token_by_auth_code_flow(flow, answer_of(http.get(flow["auth_uri"])))
    authority.revoke_all()
    result = public_app.acquire_token_silent_with_error([scope], public_app.get_accounts()[0], force_refresh=True)
    assert (result["error"], result["error_codes"]) == ("invalid_grant", [50173])


def test_an_application_proves_itself_by_secret(authority: Authority, msal_http: MsalHttp, scope: str) -> None:
    result = confidential(authority, msal_http, authority.client_secret).acquire_token_for_client([scope])
    claims = authority.claims_of(result["access_token"])
    assert claims is not None
    assert (claims["appid"], claims["idtyp"]) == (authority.client_id, "app")
    assert "refresh_token" not in result


def test_an_application_proves_itself_by_certificate(
    authority: Authority, msal_http: MsalHttp, scope: str, certificate: ClientCertificate
) -> None:
    authority.add_client(Client(authority.client_id, certificates=(certificate.certificate_pem,)))
    credential = {
        "private_key": certificate.encrypted_key_pem("opens it"),
        "public_certificate": certificate.certificate_pem,
        "passphrase": "opens it",
    }
    result = confidential(authority, msal_http, credential).acquire_token_for_client([scope])
    assert authority.check(result["access_token"]) is None
    assert "client_assertion" in authority.requests[-1].parameters


def test_a_pfx_file_is_as_good(
    authority: Authority, msal_http: MsalHttp, scope: str, certificate: ClientCertificate, tmp_path: Path
) -> None:
    authority.add_client(Client(authority.client_id, certificates=(certificate.certificate_pem,)))
    file = tmp_path / "client.pfx"
    file.write_bytes(certificate.pfx("pw"))
    credential = {"private_key_pfx_path": str(file), "passphrase": "pw", "public_certificate": True}
    result = confidential(authority, msal_http, credential).acquire_token_for_client([scope])
    assert authority.check(result["access_token"]) is None


def test_a_confidential_application_signs_a_person_in(
    authority: Authority, msal_http: MsalHttp, http: httpx.Client, scope: str
) -> None:
    app = confidential(authority, msal_http, authority.client_secret)
    flow = app.initiate_auth_code_flow([scope], redirect_uri=authority.callback_url, response_mode="form_post")
    result = app.acquire_token_by_auth_code_flow(flow, answer_of(http.get(flow["auth_uri"])))
    assert result["token_type"] == "Bearer"
    assert result["refresh_token"]


def test_a_device_is_approved(authority: Authority, public_app: msal.PublicClientApplication, scope: str) -> None:
    authority.consent, authority.device_interval = "ask", 1
    flow = public_app.initiate_device_flow([scope])
    assert flow["user_code"] in flow["message"]
    waiting = public_app.acquire_token_by_device_flow(flow, exit_condition=lambda flow: True)
    assert waiting["error"] == "authorization_pending"
    approve_device(authority, flow["user_code"], "sam@contoso.onmicrosoft.com")
    public_app = _forgetful(public_app, authority)
    result = public_app.acquire_token_by_device_flow(flow)
    assert result["id_token_claims"]["preferred_username"] == "sam@contoso.onmicrosoft.com"


def _forgetful(app: msal.PublicClientApplication, authority: Authority) -> msal.PublicClientApplication:
    """MSAL replays a 400 for a minute; another application object has not heard it."""
    return msal.PublicClientApplication(
        app.client_id,
        authority=authority.authority("organizations"),
        instance_discovery=False,
        http_client=app.http_client.http_client,
    )


@pytest.mark.filterwarnings("ignore:This API has been deprecated:DeprecationWarning")
def test_username_and_password(authority: Authority, public_app: msal.PublicClientApplication, scope: str) -> None:
    user: User = authority.users[1]
    result = public_app.acquire_token_by_username_password(user.username, user.password, [scope])
    assert authority.check(result["access_token"]) is None
    assert [entry.path for entry in authority.requests if "userrealm" in entry.path]
    wrong = public_app.acquire_token_by_username_password(user.username, "wrong", [scope])
    assert wrong["error_codes"] == [50126]


def test_claims_that_only_a_person_can_satisfy(
    authority: Authority, public_app: msal.PublicClientApplication, http: httpx.Client, scope: str
) -> None:
    flow = public_app.initiate_auth_code_flow([scope], redirect_uri="http://localhost", response_mode="form_post")
    first = public_app.acquire_token_by_auth_code_flow(flow, answer_of(http.get(flow["auth_uri"])))
    authority.demand_claims({"acrs": {"essential": True, "value": "c1"}}, interactive=True)
    assert authority.check(first["access_token"]) == "insufficient_claims"
    challenge = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
    (account,) = public_app.get_accounts()
    silent = public_app.acquire_token_silent_with_error([scope], account, claims_challenge=challenge)
    assert (silent["error"], silent["suberror"]) == ("interaction_required", "basic_action")
    flow = public_app.initiate_auth_code_flow(
        [scope], redirect_uri="http://localhost", response_mode="form_post", claims_challenge=silent["claims"]
    )
    second = public_app.acquire_token_by_auth_code_flow(flow, answer_of(http.get(flow["auth_uri"])))
    assert authority.check(second["access_token"]) is None


def test_claims_that_a_refresh_token_satisfies(
    authority: Authority, public_app: msal.PublicClientApplication, http: httpx.Client, scope: str
) -> None:
    flow = public_app.initiate_auth_code_flow([scope], redirect_uri="http://localhost", response_mode="form_post")
    first = public_app.acquire_token_by_auth_code_flow(flow, answer_of(http.get(flow["auth_uri"])))
    authority.demand_claims({"nbf": {"essential": True, "value": "1800000100"}})
    assert authority.check(first["access_token"]) == "insufficient_claims"
    challenge = '{"access_token": {"nbf": {"essential": true, "value": "1800000100"}}}'
    (account,) = public_app.get_accounts()
    result = public_app.acquire_token_silent_with_error([scope], account, claims_challenge=challenge)
    assert authority.check(result["access_token"]) is None


def test_the_ad_fs_address(authority: Authority, http: httpx.Client, msal_http: MsalHttp, scope: str) -> None:
    app = msal.PublicClientApplication(
        authority.public_client_id,
        authority=authority.authority("adfs"),
        instance_discovery=False,
        http_client=msal_http,
    )
    flow = app.initiate_auth_code_flow([scope], redirect_uri="http://localhost", response_mode="form_post")
    assert "/adfs/oauth2/authorize" in flow["auth_uri"]
    result = app.acquire_token_by_auth_code_flow(flow, answer_of(http.get(flow["auth_uri"])))
    assert authority.check(result["access_token"]) is None


@pytest.mark.filterwarnings("ignore:Change your acquire_token:DeprecationWarning")
def test_the_v1_endpoints_by_their_own_metadata(
    authority: Authority, http: httpx.Client, msal_http: MsalHttp, scope: str
) -> None:
    """A code made at the literal v1 address is redeemed by MSAL with `resource`."""
    query = {
        "resource": authority.organisation_url,
        "client_id": authority.public_client_id,
        "response_type": "code",
        "redirect_uri": "http://localhost:33333",
    }
    code = answer_of(http.get(f"{authority.url}/common/oauth2/authorize", params=query))["code"]
    app = msal.PublicClientApplication(
        authority.public_client_id,
        oidc_authority=authority.authority(),
        http_client=msal_http,
    )
    assert app.authority.token_endpoint == f"{authority.authority()}/oauth2/token"
    result = app.acquire_token_by_authorization_code(
        code, [scope], redirect_uri="http://localhost:33333", data={"resource": authority.organisation_url}
    )
    assert result["resource"] == authority.organisation_url
    assert authority.check(result["access_token"]) is None
