"""Desktop: the browser of this machine, through engine URLs (scenarios A and C-37)."""

from __future__ import annotations

import socket
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import AuthenticationError, InterfaceError, OperationalError
from tests.scenarios.office import COUNT, CUSTOM, EMBEDDED, SECRET, Office

DESKTOP: dict[str, Any] = {"InitiateOAuth": "GETANDREFRESH"}


def test_A1_embedded_app_first_connection(office: Office) -> None:
    with office.engine(**DESKTOP) as engine:
        assert office.sent() == 0
        with engine.connect() as connection:
            assert office.grants() == ["authorization_code"] and office.org.requests == []
            assert connection.execute(sa.text(COUNT)).scalar() == 30
    (opened,) = office.person.opened
    asked = parse_qs(urlsplit(opened).query)
    assert asked["client_id"] == [EMBEDDED] and asked["redirect_uri"] == [office.callback]
    assert asked["code_challenge_method"] == ["S256"] and len(asked["state"][0]) >= 22
    (exchange,) = office.token_requests()
    assert "code_verifier" in exchange.parameters and "client_secret" not in exchange.parameters
    assert office.person.pages[0].status_code == 200 and "code" not in office.person.pages[0].text.lower()
    content = Path(office.file).read_bytes()
    assert content and b"eyJhbGciOi" not in content and Path(office.file).stat().st_mode & 0o777 == 0o600
    with socket.create_server(("127.0.0.1", office.port)) as again:
        assert again.getsockname()[1] == office.port


def test_A2_next_connection_with_a_fresh_token_asks_nobody(office: Office) -> None:
    office.count(**DESKTOP)
    before = Path(office.file).read_bytes()
    office.later(600)
    assert office.count(**DESKTOP) == 30
    assert len(office.person.opened) == 1 and office.grants() == ["authorization_code"]
    assert Path(office.file).read_bytes() == before


def test_A3_next_connection_with_an_expired_token_refreshes_once(office: Office) -> None:
    office.count(**DESKTOP)
    before = Path(office.file).read_bytes()
    office.later(7200)
    assert office.count(**DESKTOP) == 30
    assert len(office.person.opened) == 1 and office.grants() == ["authorization_code", "refresh_token"]
    assert Path(office.file).read_bytes() != before


def test_A4_a_token_that_expires_during_a_connection_is_renewed(office: Office) -> None:
    with office.engine(**DESKTOP) as engine, engine.connect() as connection:
        assert connection.execute(sa.text(COUNT)).scalar() == 30
        office.later(7200)
        assert connection.execute(sa.text(COUNT)).scalar() == 30
    assert office.grants() == ["authorization_code", "refresh_token"]
    assert 401 not in [entry["status"] for entry in office.org.requests]


def test_A4b_a_refused_token_is_renewed_once_and_the_request_repeated(office: Office) -> None:
    with office.engine(**DESKTOP) as engine, engine.connect() as connection:
        connection.execute(sa.text(COUNT)).scalar()
        office.org.authority.revoke_access_tokens()
        office.org.log.clear()
        assert connection.execute(sa.text(COUNT)).scalar() == 30
    assert [entry["status"] for entry in office.org.requests] == [401, 200]
    assert office.grants() == ["authorization_code", "refresh_token"]


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_A4c_a_token_that_ends_between_pages_loses_and_doubles_no_row(office: Office, how: str) -> None:
    with office.engine(**DESKTOP) as engine, engine.connect() as connection:
        everything = connection.execute(sa.text("SELECT contactid FROM contact")).all()
        streaming = connection.execution_options(stream_results=True, max_row_buffer=5)
        result = streaming.execute(sa.text("SELECT contactid FROM contact"))
        rows = list(result.fetchmany(3))
        if how == "expired":
            office.later(7200)
        else:
            office.org.authority.revoke_access_tokens()
        rows += result.fetchall()
    assert rows == everything and len(everything) > 30
    assert office.grants() == ["authorization_code", "refresh_token"]


def test_A5_the_tenant_is_remembered_in_the_file(office: Office) -> None:
    tenant = office.org.authority.add_tenant("fabrikam.onmicrosoft.com")
    office.count(**DESKTOP, AzureTenant="fabrikam.onmicrosoft.com")
    office.later(7200)
    assert office.count(**office.bare()) == 30
    assert {entry.path.split("/")[1] for entry in office.token_requests()} <= {"fabrikam.onmicrosoft.com", tenant}


def test_A6_A7_custom_app_needs_its_secret_only_once(office: Office) -> None:
    assert office.count(**DESKTOP, **office.custom) == 30
    assert parse_qs(urlsplit(office.person.opened[0]).query)["redirect_uri"] == [f"{office.callback}/cb"]
    content = Path(office.file).read_bytes()
    assert SECRET.encode() not in content and CUSTOM.encode() not in content
    office.later(7200)
    assert office.count(**DESKTOP, **office.custom) == 30
    office.later(7200)
    assert office.count(**office.bare()) == 30
    assert office.grants() == ["authorization_code", "refresh_token", "refresh_token"]
    assert all("client_secret" in entry.parameters for entry in office.token_requests())


def test_A8_the_default_file_is_in_the_configuration_folder(office: Office) -> None:
    office.count(**DESKTOP, OAuthSettingsLocation=None)
    assert (office.folder / "home/.config/sqlalchemy-dynamics/OAuthSettings.txt").exists()


def test_A9_another_organisation_does_not_get_the_token(office: Office) -> None:
    office.count(**DESKTOP)
    elsewhere = office.bare(OrganizationUrl="https://other.crm.dynamics.com", AuthorityUrl=office.org.authority.url)
    with office.connect(**elsewhere) as other, pytest.raises(InterfaceError, match="check OrganizationUrl"):
        other.ping()
    assert office.count(**DESKTOP) == 30 and len(office.person.opened) == 1


def test_A10_memory_store_and_its_tokens_read_back(office: Office) -> None:
    memory = {**DESKTOP, "OAuthSettingsLocation": f"memory://{office.port}"}
    office.count(**memory)
    office.count(**memory)
    assert len(office.person.opened) == 1 and not list(office.folder.glob("*.txt"))
    names = ("OAuthAccessToken", "OAuthRefreshToken", "OAuthExpiresIn", "OAuthTokenTimestamp")
    with office.engine(**memory) as engine, engine.connect() as connection:
        asked = sa.text("SELECT PropertyName, Value FROM sys_connection_props WHERE PropertyName IN :names")
        rows = connection.execute(asked.bindparams(sa.bindparam("names", names, expanding=True)))
        found = {str(name): value for name, value in rows}
    assert set(found) == set(names) and "eyJhbGciOi" not in repr(found)
    office.count(**{**memory, "OAuthSettingsLocation": f"memory://{office.port}b"})
    assert len(office.person.opened) == 2
    given = {name: str(value) for name, value in found.items()}
    assert office.count(InitiateOAuth="REFRESH", **given) == 30
    assert len(office.person.opened) == 2 and office.grants() == ["authorization_code"] * 2


def test_a_store_of_ones_own_and_a_table(office: Office) -> None:
    class Own:
        """The five methods, over a variable."""

        blob: bytes | None = None

        def load(self) -> bytes | None:
            return self.blob

        def save(self, blob: bytes) -> None:
            self.blob = blob

        def delete(self) -> None:
            self.blob = None

        def lock(self, timeout: float = 30.0) -> AbstractContextManager[None]:
            return nullcontext()

        def describe(self) -> str:
            return "own"

    own = Own()
    for _ in range(2):
        with office.engine({"connect_args": {"token_store": own}}, **DESKTOP, OAuthSettingsLocation=None) as engine:
            engine.connect().close()
    assert own.blob and b"eyJhbGciOi" not in own.blob and len(office.person.opened) == 1
    table = f"sqlalchemy+sqlite:///{office.folder}/tokens.db#crm"
    office.count(**DESKTOP, OAuthSettingsLocation=table)
    assert office.count(**office.bare(OAuthSettingsLocation=table)) == 30
    assert len(office.person.opened) == 2


def test_connect_on_open_checks_at_once(office: Office) -> None:
    with office.connect(InitiateOAuth="REFRESH") as quiet:
        assert quiet.session.root and office.sent() == 0
    with pytest.raises(InterfaceError, match="OAuthVerifier"):
        office.connect(InitiateOAuth="REFRESH", ConnectOnOpen="true")
    with office.connect(**DESKTOP, ConnectOnOpen="true"):
        assert [str(entry["url"]).rpartition("/")[2] for entry in office.org.requests] == ["WhoAmI"]


def test_C1_declined_in_the_browser(office: Office) -> None:
    office.org.authority.consent = "deny"
    with office.engine(**DESKTOP) as engine, pytest.raises(sa.exc.OperationalError, match="declined") as caught:
        engine.connect()
    assert isinstance(caught.value.orig, AuthenticationError) and not Path(office.file).exists()


def test_C3_C4_nobody_answers_and_a_taken_port(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    with pytest.raises(OperationalError, match="CallbackURL"):
        office.connect(**DESKTOP, OAuthSignInTimeout=1)
    with socket.create_server(("127.0.0.1", office.port)), pytest.raises(OperationalError, match="CallbackURL"):
        office.connect(**DESKTOP)
    assert office.grants() == []


def test_C5_a_callback_that_no_listener_serves(office: Office) -> None:
    with pytest.raises(InterfaceError, match="CallbackURL"):
        office.connect(**{**DESKTOP, **office.custom, "CallbackURL": "https://app.example/cb"})
    assert office.sent() == 0


def test_H9_no_browser_fails_at_once_with_the_recipe(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    with pytest.raises(OperationalError, match=r"oauth2/v2.0/authorize.*OAuthVerifier.*InitiateOAuth=REFRESH"):
        office.connect(**DESKTOP)


def test_C37_a_pool_of_five_opens_one_browser(office: Office) -> None:
    with office.engine({"pool_size": 5}, **DESKTOP) as engine:
        counts: list[int] = []

        def work() -> None:
            with engine.connect() as connection:
                counts.append(connection.execute(sa.text(COUNT)).scalar_one())

        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [30] * 5 and len(office.person.opened) == 1 and office.grants() == ["authorization_code"]


def test_a_connection_opened_by_hand_shares_the_sign_in(office: Office) -> None:
    with office.engine(**DESKTOP) as engine, engine.connect():
        assert dbapi.connect(office.url(**DESKTOP)).ping()
    assert len(office.person.opened) == 1
