"""Certificates, proxies, refusals, logs and URLs, for sign-in and data alike (scenarios C-18 to C-36, D)."""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import AuthenticationError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy_dynamics.sandbox.authority import Client, ManagedIdentity, client_certificate
from sqlalchemy_dynamics.sandbox.faults import parse_fault
from tests.scenarios.office import COUNT, CUSTOM, SECRET, Office
from tests.transport.peers import ConnectProxy, SocksProxy, listener

DESKTOP: dict[str, Any] = {"InitiateOAuth": "GETANDREFRESH"}
APPLICATION: dict[str, Any] = {
    "AuthScheme": "AzureServicePrincipal",
    "OAuthClientId": CUSTOM,
    "OAuthClientSecret": SECRET,
    "Tenant": "contoso.onmicrosoft.com",
    "OAuthSettingsLocation": None,
    "CallbackURL": None,
}


def certificate(office: Office) -> bytes:
    """The login service's certificate, DER."""
    port = int(office.org.authority.url.rpartition(":")[2])
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("localhost", port)))


def thumbprint(name: str, separator: str = "") -> Callable[[bytes, Path], str]:
    return lambda der, path: separator.join(re.findall("..", hashlib.new(name, der).hexdigest())).upper()


def in_file(der: bytes, path: Path) -> str:
    path.write_bytes(der)
    return str(path)


def public_key(der: bytes, path: Path) -> str:
    key = x509.load_der_x509_certificate(der).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


FORMS: dict[str, Callable[[bytes, Path], str]] = {
    "PEM": lambda der, path: ssl.DER_cert_to_PEM_cert(der),
    "file": in_file,
    "public key": public_key,
    "SHA-1": thumbprint("sha1"),
    "MD5 with colons": thumbprint("md5", ":"),
    "SHA-256 with blanks": thumbprint("sha256", " "),
}


@pytest.mark.parametrize("form", FORMS)
def test_C29_the_named_certificate_is_trusted(office: Office, form: str) -> None:
    assert office.count(**DESKTOP, SSLServerCert=FORMS[form](certificate(office), office.folder / "c.der")) == 30


def test_C29_any_certificate_with_a_warning(office: Office) -> None:
    with pytest.warns(UserWarning, match=r"SSLServerCert=\*"):
        assert office.count(**DESKTOP, SSLServerCert="*") == 30


@pytest.mark.parametrize("pin", [None, "00" * 32])
def test_C29_an_untrusted_certificate_is_named(office: Office, pin: str | None) -> None:
    with pytest.raises(OperationalError, match="SSLServerCert"):
        office.connect(**DESKTOP, SSLServerCert=pin)
    assert office.grants() == [] and not Path(office.file).exists()


PROXIES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "basic": (
        ConnectProxy("Basic"),
        {"ProxyServer": "127.0.0.1", "ProxyUser": "usér", "ProxyPassword": "p:a@ss", "ProxyAuthScheme": "BASIC"},
        {"ProxyPort": 0},
    ),
    "digest": (
        ConnectProxy("Digest"),
        {"ProxyServer": "127.0.0.1", "ProxyUser": "usér", "ProxyPassword": "p:a@ss", "ProxyAuthScheme": "DIGEST"},
        {"ProxyPort": 0},
    ),
    "tunnel": (ConnectProxy(), {"FirewallType": "TUNNEL", "FirewallServer": "127.0.0.1"}, {"FirewallPort": 0}),
    "socks4": (SocksProxy(), {"FirewallType": "SOCKS4", "FirewallServer": "127.0.0.1"}, {"FirewallPort": 0}),
    "socks5": (
        SocksProxy("user", "pass"),
        {
            "FirewallType": "SOCKS5",
            "FirewallServer": "127.0.0.1",
            "FirewallUser": "user",
            "FirewallPassword": "pass",
        },
        {"FirewallPort": 0},
    ),
}


@pytest.mark.parametrize("kind", PROXIES)
def test_C30_sign_in_and_data_take_the_proxy_and_the_listener_does_not(office: Office, kind: str) -> None:
    proxy, given, ports = PROXIES[kind]
    proxy.seen.clear()
    with listener(proxy) as port:
        assert office.count(**DESKTOP, **given, **dict.fromkeys(ports, port), ProxyAutoDetect="false") == 30
    places = " ".join(f"{first} {second}" for first, second in proxy.seen)
    assert "localhost" in places and "127.0.0.1" in places
    assert str(office.port) not in places


def test_C30_exceptions_bypass_the_proxy(office: Office) -> None:
    proxy = ConnectProxy()
    with listener(proxy) as port:
        given = {"ProxyServer": "127.0.0.1", "ProxyPort": port, "ProxyExceptions": '"localhost;other.example"'}
        assert office.count(**DESKTOP, **given) == 30
    assert {target.split(":")[0] for target, _ in proxy.seen} == {"127.0.0.1"}


def test_C30_a_refusing_proxy_is_named(office: Office) -> None:
    with listener(ConnectProxy("Basic")) as port, pytest.raises(OperationalError, match="ProxyUser"):
        office.connect(**DESKTOP, ProxyServer="127.0.0.1", ProxyPort=port)


def test_C23_a_token_refused_again_is_an_error_after_one_refresh(office: Office) -> None:
    office.count(**DESKTOP)
    office.org.faults.add(parse_fault("401:1+"))
    with office.connect(**DESKTOP) as connection, pytest.raises(AuthenticationError):
        connection.ping()
    assert office.grants() == ["authorization_code", "refresh_token"]


def test_C24_access_denied_is_not_expiry(office: Office) -> None:
    nobody = "00000000-0000-0000-0000-000000000001"
    connection = office.connect(**DESKTOP, CallerObjectId=nobody)
    with connection, pytest.raises(DatabaseError, match="not a member") as caught:
        connection.cursor().execute("SELECT name FROM account").fetchall()
    assert not isinstance(caught.value, AuthenticationError) and office.grants() == ["authorization_code"]


def test_C7_a_wrong_secret_is_named_and_tried_once(office: Office) -> None:
    office.count(**DESKTOP, **office.custom)
    before = Path(office.file).read_bytes()
    office.later(7200)
    connection = office.connect(**office.bare(OAuthClientId=CUSTOM, OAuthClientSecret="wrong-one"))
    with connection, pytest.raises(AuthenticationError, match="OAuthClientSecret"):
        connection.ping()
    assert Path(office.file).read_bytes() == before and office.grants()[1:] == ["refresh_token"]


@pytest.mark.parametrize("initiate", ["REFRESH", "GETANDREFRESH"])
def test_C9_C10_a_refused_refresh_token(office: Office, initiate: str) -> None:
    office.count(**DESKTOP)
    office.later(7200)
    office.org.authority.revoke_sessions(700082)
    if initiate == "GETANDREFRESH":
        assert office.count(**DESKTOP) == 30 and len(office.person.opened) == 2
        return
    with office.connect(**office.bare()) as connection, pytest.raises(AuthenticationError, match="Sign in again"):
        connection.ping()
    assert len(office.person.opened) == 1


def test_C13_a_damaged_file(office: Office) -> None:
    office.count(**DESKTOP)
    damaged = Path(office.file).read_bytes()[:-40]
    Path(office.file).write_bytes(damaged)
    with office.connect(**office.bare()) as connection, pytest.raises(OperationalError, match=r"OAuth Settings\.txt"):
        connection.ping()
    assert Path(office.file).read_bytes() == damaged
    assert office.count(**DESKTOP) == 30
    (kept,) = office.folder.glob("*.corrupt-*")
    assert kept.read_bytes() == damaged and len(office.person.opened) == 2


def test_C14_refresh_with_nothing_to_begin_with(office: Office) -> None:
    connection = office.connect(InitiateOAuth="REFRESH")
    with connection, pytest.raises(InterfaceError, match=r"OAuthRefreshToken.*OAuthVerifier"):
        connection.ping()
    assert office.sent() == 0 and office.person.opened == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"OrganizationUrl": None}, "OrganizationUrl"),
        ({"OrganizationUrl": "http://contoso.crm.dynamics.com"}, "OrganizationUrl"),
        ({"OrganizationUrl": "https://me:pw@contoso.crm.dynamics.com"}, "OrganizationUrl"),
        ({"OrganizationUrl": "nonsense"}, "OrganizationUrl"),
        ({"InitiateOAuth": "MAYBE"}, "OFF.*REFRESH.*GETANDREFRESH"),
        ({"OAuthClientSecret": "s3cr3t-canary"}, "OAuthClientId"),
    ],
    ids=["C16-missing", "C16-http", "C16-user", "C16-nonsense", "C17-value", "C28-secret-alone"],
)
def test_C16_C17_C28_wrong_properties_are_named_at_once(office: Office, given: dict[str, Any], named: str) -> None:
    with pytest.raises(InterfaceError, match=named) as caught:
        office.connect(**given)
    assert "canary" not in str(caught.value) and office.sent() == 0


def test_C18_an_unknown_tenant_is_named(office: Office) -> None:
    connection = office.connect(**{**APPLICATION, "Tenant": "nowhere.example"})
    with connection, pytest.raises(AuthenticationError, match=r"AADSTS90002.*Tenant"):
        connection.ping()


def test_C19_a_busy_login_service_is_asked_again(office: Office) -> None:
    office.count(**DESKTOP)
    office.later(7200)
    office.org.authority.faults.add("429", "#1", 0)
    office.org.authority.faults.add("503", "#2", 0)
    assert office.count(**DESKTOP) == 30


def test_C20_a_silent_login_service(office: Office) -> None:
    office.org.authority.faults.add("delay", "1+", 30)
    with office.connect(**APPLICATION, Timeout=1) as connection, pytest.raises(OperationalError, match="Timeout"):
        connection.ping()


def test_C31_many_connections_of_an_expired_file_send_one_refresh(office: Office) -> None:
    office.count(**DESKTOP)
    office.later(7200)
    office.org.authority.refresh_mode = "single-use"
    office.forget()
    counts: list[Any] = []

    def work() -> None:
        with dbapi.connect(**office.properties(**DESKTOP)) as connection:
            counts.append(connection.cursor().execute(COUNT).fetchone())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [(30,)] * 6 and office.grants() == ["authorization_code", "refresh_token"]


def test_C36_url_and_connect_args_send_the_same(office: Office) -> None:
    office.org.authority.add_client(Client(CUSTOM, "Custom application", (), ("a+b&c;d",)))
    given = {**APPLICATION, "OAuthClientSecret": '"a+b&c;d"'}
    assert office.count(**given) == 30
    office.forget()
    bare = sa.create_engine("dynamics://", connect_args=office.properties(**{**given, "OAuthClientSecret": "a+b&c;d"}))
    with bare.connect() as connection:
        assert connection.execute(sa.text(COUNT)).scalar() == 30
    encoded = office.properties(**{**given, "OAuthClientSecret": '"a%2Bb%26c%3Bd"'})
    semicolons = ";".join(f"{name}={value}" for name, value in encoded.items())
    office.forget()
    with sa.create_engine(f"dynamics:///?{semicolons}").connect() as connection:
        assert connection.execute(sa.text(COUNT)).scalar() == 30
    first, second, third = office.token_requests()
    assert first.values == second.values == third.values and first.status == second.status == third.status == 200


def test_D1_an_application_without_tenant_finds_it_at_the_organisation(office: Office) -> None:
    assert office.count(**{**APPLICATION, "Tenant": None}) == 30
    assert office.token_requests()[0].path.startswith(f"/{office.org.authority.tenant}/")
    assert office.grants() == ["client_credentials"] and office.person.opened == []


def test_D2_a_certificate_in_place_of_a_secret(office: Office) -> None:
    own = client_certificate()
    office.org.authority.add_client(Client(CUSTOM, "Custom", (), (SECRET,), certificates=(own.certificate_pem,)))
    path = office.folder / "own.pem"
    path.write_text(own.certificate_pem + own.key_pem)
    given = {**APPLICATION, "AuthScheme": "AzureServicePrincipalCert", "OAuthClientSecret": None}
    assert office.count(**given, OAuthJWTCert=str(path)) == 30
    assert "client_assertion" in office.token_requests()[0].parameters


def test_D3_a_managed_identity_goes_past_the_proxy(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ConnectProxy()
    with ManagedIdentity(office.org.authority) as machine, listener(proxy) as port:
        for name, value in machine.machine_environment.items():
            monkeypatch.setenv(name, value)
        given = {"AuthScheme": "AzureMSI", "OAuthSettingsLocation": None, "CallbackURL": None, "AuthorityUrl": None}
        assert office.count(**given, ProxyServer="127.0.0.1", ProxyPort=port) == 30
    assert {target for target, _ in proxy.seen} == {office.org.url.removeprefix("http://")}


def test_D6_device_code_prints_where_to_go(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    office.org.authority.device_interval = 1
    assert office.count(**DESKTOP, AuthScheme="DeviceCode") == 30
    assert f"{office.org.authority.url}/devicelogin" in capfd.readouterr().err
    assert office.person.opened == [] and Path(office.file).exists()


def test_C34_C35_nothing_secret_in_logs_errors_and_reprs(office: Office) -> None:
    log = office.folder / "driver.log"
    logged: dict[str, Any] = {"Logfile": str(log), "Verbosity": 5}
    with office.engine(**DESKTOP, **office.custom, **logged) as engine:
        with engine.connect() as connection:
            connection.execute(sa.text(COUNT)).scalar()
        office.later(7200)
        office.org.authority.faults.add("AADSTS70008")
        office.org.authority.consent = "deny"
        with pytest.raises(sa.exc.DBAPIError) as caught, engine.connect() as connection:
            connection.execute(sa.text(COUNT)).scalar()
        shown = [repr(engine), repr(engine.url), str(caught.value), repr(caught.value), repr(caught.value.orig)]
    text = log.read_text()
    assert "/oauth2/v2.0/token" in text and "AADSTS70008" in text and "SELECT count(*)" in text
    for said in (text, *shown):
        assert "eyJhbGciOi" not in said and SECRET not in said and "se%2Bcret" not in said
