"""Web: a custom application and the stored procedures, in SQL (scenarios B, C-15, C-25 to C-27)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from sqlalchemy_dynamics import explain
from sqlalchemy_dynamics.errors import AuthenticationError, InterfaceError, ProgrammingError
from tests.scenarios.office import COUNT, CUSTOM, SECRET, Office, called

CALLBACK = "https://app.example/cb"
WEB: dict[str, Any] = {
    "OAuthClientId": CUSTOM,
    "OAuthClientSecret": SECRET,
    "CallbackURL": None,
    "OAuthSettingsLocation": None,
}
EXCHANGE = f"EXEC GetOAuthAccessToken AuthMode='WEB', Verifier=?, CallbackUrl='{CALLBACK}'"


def code_of(office: Office, **given: Any) -> str:
    """The code a person brings back from the address that the procedure gave."""
    row = office.call(f"EXEC GetOAuthAuthorizationUrl AuthMode='WEB', CallbackURL='{CALLBACK}'", **{**WEB, **given})
    return office.person.code(row["Url"])["code"]


def signed_in(office: Office, **given: Any) -> dict[str, Any]:
    return office.call(EXCHANGE, [code_of(office, **given)], **{**WEB, **given})


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (f"EXEC GetOAuthAuthorizationUrl AuthMode='WEB', CallbackURL='{CALLBACK}', State='abc'", None),
        (f"execute getoauthauthorizationurl @authmode='web', @callbackurl='{CALLBACK}', @state='abc';", None),
        ("EXEC dbo.GetOAuthAuthorizationUrl @AuthMode = ?, @CallbackURL = ?, @State = ?", ["WEB", CALLBACK, "abc"]),
        (
            "EXEC GetOAuthAuthorizationUrl AuthMode=:m, CallbackURL=:c, State=:s",
            {"m": "WEB", "c": CALLBACK, "s": "abc"},
        ),
        (f"CALL GetOAuthAuthorizationUrl(AuthMode => 'WEB', CallbackURL => '{CALLBACK}', State => 'abc')", None),
        ("-- sign in\nCALL [GetOAuthAuthorizationUrl](?, ?, ?)", ["WEB", CALLBACK, "abc"]),
    ],
)
def test_B1_authorization_url_in_every_spelling(office: Office, statement: str, parameters: Any) -> None:
    row = office.call(statement, parameters, **WEB)
    assert list(row) == ["Url"]
    assert parse_qs(urlsplit(row["Url"]).query) == {
        "client_id": [CUSTOM],
        "response_type": ["code"],
        "redirect_uri": [CALLBACK],
        "scope": [f"{office.org.url}/.default offline_access openid profile"],
        "state": ["abc"],
        "prompt": ["select_account"],
    }
    assert office.sent() == 0 and office.person.opened == [] and list(office.folder.iterdir()) == []


def test_B1_callproc_by_name_and_by_position(office: Office) -> None:
    with office.connect(**WEB) as connection, connection.cursor() as cursor:
        given = {"CallbackURL": CALLBACK, "Prompt": "None", "PKCE": True}
        assert cursor.callproc("GetOAuthAuthorizationUrl", given) == given
        names = [column[:2] for column in cursor.description or ()]
        (row,) = cursor.fetchall()
        assert names == [("Url", "VARCHAR"), ("CodeVerifier", "VARCHAR")]
        assert "prompt" not in parse_qs(urlsplit(row[0]).query) and repr(row[1]) == "'***'" and len(str(row[1])) >= 43
        cursor.callproc("GetOAuthAuthorizationUrl", ["WEB", CALLBACK])
        assert "prompt=select_account" in cursor.fetchall()[0][0]
    assert office.sent() == 0


def test_B1d_the_callback_property_is_the_default(office: Office) -> None:
    url = office.call("EXEC GetOAuthAuthorizationUrl", **{**WEB, "CallbackURL": f"{CALLBACK}?x=1"})["Url"]
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [f"{CALLBACK}?x=1"]
    url = office.call("EXEC GetOAuthAuthorizationUrl", **WEB)["Url"]
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == ["http://localhost:33333"]


def test_B2_exchange_returns_tokens_and_keeps_none(office: Office) -> None:
    row = signed_in(office)
    assert list(row) == ["OAuthAccessToken", "OAuthRefreshToken", "ExpiresIn"]
    assert office.org.authority.check(str(row["OAuthAccessToken"])) is None and row["ExpiresIn"] == "3600"
    assert "eyJhbGciOi" not in repr(row) and list(office.folder.rglob("*.txt")) == []
    (exchange,) = office.token_requests()
    assert {"client_secret", "code", "redirect_uri"} <= set(exchange.parameters)
    assert "code_verifier" not in exchange.parameters


def test_B2b_B2c_the_connection_goes_on_with_the_token_it_got(office: Office) -> None:
    with office.engine(**WEB) as engine, engine.connect() as connection:
        asked = {"mode": "WEB", "callback": CALLBACK}
        url = connection.execute(
            sa.text("EXEC GetOAuthAuthorizationUrl AuthMode = :mode, CallbackURL = :callback"), asked
        ).scalar_one()
        code = office.person.code(url)["code"]
        row = connection.execute(
            sa.text("EXEC GetOAuthAccessToken AuthMode = 'WEB', Verifier = :code"), {"code": code}
        ).one()
        assert row.ExpiresIn == "3600"
        assert connection.execute(sa.text(COUNT)).scalar() == 30
        with engine.connect() as other, pytest.raises(sa.exc.InterfaceError, match="OAuthAccessToken"):
            other.execute(sa.text(COUNT))
        office.later(7200)
        with pytest.raises(sa.exc.OperationalError, match="RefreshOAuthAccessToken"):
            connection.execute(sa.text(COUNT))
        renewed = sa.text("EXEC RefreshOAuthAccessToken OAuthRefreshToken = :token")
        connection.execute(renewed, {"token": row.OAuthRefreshToken}).one()
        assert connection.execute(sa.text(COUNT)).scalar() == 30


def test_B3_without_automatic_refresh(office: Office) -> None:
    token = str(signed_in(office)["OAuthAccessToken"])
    sent = len(office.org.authority.requests)
    with office.connect(OAuthAccessToken=token) as connection:
        assert connection.cursor().execute(COUNT).fetchone() == (30,)
        office.later(7200)
        with pytest.raises(AuthenticationError, match=r"RefreshOAuthAccessToken.*InitiateOAuth=REFRESH"):
            connection.cursor().execute(COUNT).fetchone()
    assert len(office.org.authority.requests) == sent


def automatic(row: dict[str, Any]) -> dict[str, Any]:
    """The seed's first data connection with automatic refresh."""
    return {
        "InitiateOAuth": "REFRESH",
        "OAuthClientId": CUSTOM,
        "OAuthClientSecret": SECRET,
        "OAuthAccessToken": str(row["OAuthAccessToken"]),
        "OAuthRefreshToken": str(row["OAuthRefreshToken"]),
    }


def test_B4_first_data_connection_refreshes_once_and_writes_the_file(office: Office) -> None:
    given = automatic(signed_in(office))
    assert office.count(**given) == 30
    assert office.grants() == ["authorization_code", "refresh_token"] and Path(office.file).exists()
    assert office.person.opened == []


def test_B4b_known_dates_spare_the_refresh(office: Office) -> None:
    given = automatic(signed_in(office))
    milliseconds = round((office.now() - 60) * 1000)
    assert office.count(**given, OAuthExpiresIn=3600, OAuthTokenTimestamp=milliseconds) == 30
    assert office.grants() == ["authorization_code"] and Path(office.file).exists()


def test_B4c_an_exchange_under_refresh_is_kept(office: Office) -> None:
    kept = {"InitiateOAuth": "REFRESH", "OAuthSettingsLocation": office.file, "CallbackURL": CALLBACK}
    signed_in(office, **kept)
    assert office.count(**office.bare()) == 30 and office.grants() == ["authorization_code"]


def test_B5_subsequent_connections_need_three_properties(office: Office) -> None:
    given = automatic(signed_in(office))
    office.count(**given)
    assert office.count(**office.bare()) == 30
    assert len(office.grants()) == 2
    office.later(7200)
    assert office.count(**office.bare()) == 30 and len(office.grants()) == 3
    assert "client_secret" in office.token_requests()[-1].parameters
    assert office.count(**given) == 30 and len(office.grants()) == 3, "B5b: the stale refresh token is not used"


def test_B6_manual_refresh(office: Office) -> None:
    first = signed_in(office)
    office.later(3600)
    row = office.call("EXEC RefreshOAuthAccessToken @OAuthRefreshToken=?", [first["OAuthRefreshToken"]], **WEB)
    assert list(row) == ["OAuthAccessToken", "OAuthRefreshToken", "ExpiresIn"] and row["ExpiresIn"] == "3600"
    assert office.count(**{**WEB, "OAuthAccessToken": str(row["OAuthAccessToken"])}) == 30
    assert office.grants() == ["authorization_code", "refresh_token"] and list(office.folder.rglob("*.txt")) == []


def test_B7_app_mode_opens_the_browser(office: Office) -> None:
    row = office.call("EXEC GetOAuthAccessToken", **{**WEB, "CallbackURL": f"{office.callback}/cb"})
    assert row["ExpiresIn"] == "3600" and len(office.person.opened) == 1


def test_B8_admin_consent_url(office: Office) -> None:
    row = office.call(f"EXEC GetAdminConsentURL CallbackUrl='{CALLBACK}', State='x'", **WEB)
    assert list(row) == ["URL"] and office.sent() == 0
    assert parse_qs(urlsplit(row["URL"]).query) == {"client_id": [CUSTOM], "redirect_uri": [CALLBACK], "state": ["x"]}


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("EXEC GetOAuthAccessToken AuthMode='WEB'", "Verifier"),
        ("EXEC GetOAuthAccessToken AuthMode='WEB', Verifier=''", "Verifier"),
        ("EXEC GetOAuthAccessToken AuthMode='WEB', Verifier=NULL", "Verifier"),
        ("CALL GetOAuthAccessToken(AuthMode => 'WEB', Verifier => '  ')", "Verifier"),
        ("EXEC GetOAuthAccessToken AuthMode='FOO'", "AuthMode"),
        ("EXEC RefreshOAuthAccessToken", "OAuthRefreshToken"),
        ("EXEC RefreshOAuthAccessToken @OAuthRefreshToken='\t'", "OAuthRefreshToken"),
        ("EXEC RefreshOAuthAccessToken 'a', 'b'", "1 inputs"),
        ("EXEC RefreshOAuthAccessToken OAuthRefreshToken='a', oauthrefreshtoken='b'", "twice"),
        ("EXEC GetOAuthAccessToken Verifier=?", "1 parameter markers, 0 values"),
        ("EXEC GetOAuthAccessToken Verifier=:code", "mapping for :code"),
    ],
)
def test_C25_missing_inputs_send_nothing(office: Office, statement: str, named: str) -> None:
    with office.connect(**WEB) as connection, pytest.raises(ProgrammingError, match=named):
        connection.cursor().execute(statement)
    assert office.sent() == 0 and office.person.opened == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("EXEC GetToken", "GetToken is not a valid stored procedure.*GetOAuthAccessToken"),
        ("EXEC RefreshOAuthAccessToken Token='x'", "no input Token; it has OAuthRefreshToken"),
        ("EXEC RefreshOAuthAccessToken OAuthRefreshToken='unclosed", "quote is not closed"),
        ("EXEC RefreshOAuthAccessToken OAuthRefreshToken=upper('x')", "literal or a parameter"),
        ("CALL RefreshOAuthAccessToken('x'", "parenthesis"),
        ("EXEC GetAdminConsentURL; SELECT 1", "does not belong"),
    ],
)
def test_C26_what_is_no_procedure_is_named(office: Office, statement: str, named: str) -> None:
    with office.connect(**WEB) as connection, pytest.raises(ProgrammingError, match=named) as caught:
        connection.cursor().execute(statement)
    assert office.sent() == 0 and "unclosed" not in str(caught.value)


def test_C27_the_web_flow_needs_a_custom_app(office: Office) -> None:
    with pytest.raises(InterfaceError, match="OAuthClientId"):
        office.call("EXEC GetOAuthAuthorizationUrl AuthMode='WEB'", OAuthSettingsLocation=None)
    assert office.sent() == 0


def test_C15_off_without_a_token(office: Office) -> None:
    with office.connect(OAuthSettingsLocation=None) as connection:
        assert called(connection, "EXEC GetOAuthAuthorizationUrl")["Url"]
        with pytest.raises(InterfaceError, match="OAuthAccessToken is required"):
            connection.cursor().execute(COUNT)
    assert office.sent() == 0


def test_explain_of_a_call_sends_nothing_and_shows_no_value(office: Office) -> None:
    with office.engine(**WEB) as engine:
        steps = explain(sa.text("EXEC RefreshOAuthAccessToken OAuthRefreshToken = 'canary'"), engine)
        assert steps == [(1, "call", "RefreshOAuthAccessToken(OAuthRefreshToken)")]
    with office.connect(**WEB) as connection:
        cursor = connection.cursor().execute("EXPLAIN CALL GetAdminConsentURL()")
        assert cursor.fetchall() == [(1, "call", "GetAdminConsentURL()")]
    assert office.sent() == 0


def test_the_table_of_connection_properties_needs_no_token(office: Office) -> None:
    with office.engine(**WEB, ProxyPassword="canary-proxy") as engine, engine.connect() as connection:
        asked = "SELECT propertyname, value, sensitivity, source FROM sys_connection_props WHERE value <> ''"
        found = {row.propertyname: row for row in connection.execute(sa.text(asked))}
        assert found["OAuthClientId"][1:] == (CUSTOM, "NONE", "URL")
        assert found["OAuthClientSecret"].value == found["ProxyPassword"].value == "***"
        assert found["PageSize"][1:] == ("5000", "NONE", "")
        selfjoin = "SELECT p.name FROM sys_connection_props p JOIN sys_connection_props q USING (name) WHERE q.required"
        named = connection.execute(sa.text(selfjoin)).scalars().all()
        assert named == ["Organization Url"] and office.sent() == 0
        connection.execute(sa.text(EXCHANGE.replace("?", ":code")), {"code": code_of(office)})
        joined = connection.execute(
            sa.text("SELECT count(*) FROM account, sys_connection_props WHERE propertyname = 'Tenant'")
        ).scalar()
    assert joined == 30
