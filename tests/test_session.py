"""Sessions against the sandbox: the fault table, renewal, hosts, long URLs, and what a process shares."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sqlalchemy_dynamics.dbapi import connect
from sqlalchemy_dynamics.errors import (
    AuthenticationError,
    DataverseError,
    DataverseProgrammingError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ThrottledError,
)
from sqlalchemy_dynamics.odata.batch import pack, unpack
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.authority import Authority
from sqlalchemy_dynamics.sandbox.faults import parse_fault
from sqlalchemy_dynamics.session import Session, TokenSource, open_session, opening
from sqlalchemy_dynamics.session import local as local_module
from sqlalchemy_dynamics.session.cache import ProcessCache
from sqlalchemy_dynamics.session.core import Timing
from sqlalchemy_dynamics.session.tokens import fixed
from sqlalchemy_dynamics.settings import from_string, from_url
from sqlalchemy_dynamics.transport.client import open_transport
from sqlalchemy_dynamics.transport.failures import ConnectionLost, TimedOut
from tests.transport.peers import ConnectProxy, Origin, identity, listener, pool_of

ROWS = 60
Open = Callable[..., Session]


class Waits(list[float]):
    """A clock that only `sleep` moves, and what was slept."""

    def timing(self) -> Timing:
        return Timing(clock=lambda: sum(self), sleep=self.append, random=lambda: 0.5)


@pytest.fixture(scope="module")
def shared_org() -> Iterator[Sandbox]:
    with Sandbox(rows=ROWS) as running:
        yield running


@pytest.fixture
def org(shared_org: Sandbox) -> Iterator[Sandbox]:
    shared_org.requests.clear()
    yield shared_org
    shared_org.faults.clear()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def session(org: Sandbox, waits: Waits) -> Iterator[Open]:
    """Sessions with the sandbox whose waiting takes no time."""
    transports = []

    def make(tokens: TokenSource | None = None, **properties: object) -> Session:
        settings = from_string(f"OrganizationUrl={org.url}", properties, environ={})
        transports.append(open_transport(settings))
        source = tokens or fixed(org.access_token)
        return Session(settings, org.url, transports[-1], source, ("key",), waits.timing())

    yield make
    for transport in transports:
        transport.close()


def scan(session: Session) -> list[str]:
    """The ids of all accounts, page by page as the next links say."""
    found: list[str] = []
    request = HttpRequest("GET", "accounts?$select=accountid", {"Prefer": "odata.maxpagesize=10"})
    while True:
        page = json.loads(session.send(request).body)
        found += [row["accountid"] for row in page["value"]]
        if "@odata.nextLink" not in page:
            return found
        request = HttpRequest("GET", page["@odata.nextLink"], request.headers)


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        ("429:%3:7", [7.05, 7.05]),
        ("429:0.2:2", None),
        ("502:#2", [0.375]),
        ("503:%2", None),
        ("504:#1", [0.375]),
        ("drop:%3", None),
        ("truncate:%3", None),
        ("401:#3", []),
    ],
)
def test_faults_cost_time_but_no_row(
    org: Sandbox, session: Open, waits: Waits, fault: str, waited: list[float] | None
) -> None:
    expected = scan(session())
    org.faults.add(parse_fault(fault))
    found = scan(session())
    assert found == expected and len(set(found)) >= ROWS
    assert waited is None or (waits == pytest.approx(waited[: len(waits)]) and bool(waits) == bool(waited))


@pytest.mark.parametrize(
    ("fault", "properties", "error"),
    [
        ("503:3+", {}, DataverseError),
        ("429:1+:2", {"MaxRetries": 2}, ThrottledError),
        ("429:1+:99999", {}, ThrottledError),
        ("500:#2", {}, DataverseError),
        ("drop:1+", {}, ConnectionLost),
        ("truncate:2+", {}, ConnectionLost),
        ("slow:2+:20", {"Timeout": 0.3, "TotalTimeout": 0.3}, TimedOut),
        ("html:#2", {}, OperationalError),
    ],
)
def test_faults_that_stay_are_errors(
    org: Sandbox, session: Open, fault: str, properties: dict[str, object], error: type[Exception]
) -> None:
    org.faults.add(parse_fault(fault))
    with pytest.raises(error) as caught:
        scan(session(**properties))
    assert not isinstance(caught.value, ThrottledError) or caught.value.retry_after in (2, 99999)


def test_a_hopeless_wait_is_not_begun(org: Sandbox, session: Open, waits: Waits) -> None:
    org.faults.add(parse_fault("429:1+:99999"))
    with pytest.raises(ThrottledError):
        session().who_am_i()
    assert waits == [] and len(org.requests) == 1


def test_creates_without_a_key_of_their_own_are_not_repeated(org: Sandbox, session: Open) -> None:
    create = HttpRequest("POST", "accounts", body=b'{"name": "once"}')
    org.faults.add(parse_fault("503:#1"))
    with pytest.raises(DataverseError, match="503"):
        session().send(create)
    assert len(org.requests) == 1
    org.faults.clear()
    org.faults.add(parse_fault("429:#1:1"))
    with contextlib.suppress(DataverseError):
        session().send(create)
    assert [entry["status"] == 429 for entry in org.requests[1:]] == [True, False]


def test_headers(org: Sandbox, session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[HttpRequest] = []
    sender = session(CallerObjectId="11111111-1111-1111-1111-111111111111")

    def noted(request: HttpRequest) -> HttpResponse:
        sent.append(request)
        return HttpResponse(200, {"content-type": "application/json"}, b"{}")

    monkeypatch.setattr(sender._transport, "send", noted)
    sender.send(HttpRequest("GET", "accounts?$top=1", {"accept": "application/json; odata.metadata=minimal"}))
    headers = sent[0].headers
    assert sent[0].url == f"{org.url}/api/data/v9.2/accounts?$top=1"
    assert headers["OData-Version"] == headers["OData-MaxVersion"] == "4.0" and "Accept" not in headers
    assert headers["CallerObjectId"].startswith("1111") and headers["Authorization"] == f"Bearer {org.access_token}"


def test_who_am_i(session: Open) -> None:
    who = session().who_am_i()
    assert len({who.user_id, who.business_unit_id, who.organization_id}) == 3 and len(who.user_id) == 36


def test_errors_of_the_service(session: Open) -> None:
    with pytest.raises(DataverseProgrammingError, match="404"):
        session().send(HttpRequest("GET", "nosuch"))


def test_not_modified_is_an_answer(org: Sandbox, session: Open) -> None:
    sender = session()
    row = json.loads(sender.send(HttpRequest("GET", "accounts?$select=accountid&$top=1")).body)["value"][0]
    path = f"accounts({row['accountid']})?$select=name"
    assert sender.send(HttpRequest("GET", path, {"If-None-Match": row["@odata.etag"]})).status == 304


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/data/v9.2/accounts",
        "http://127.0.0.1:1/api/data/v9.2/accounts",
        "https://127.0.0.1/api/data/v9.2/accounts",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:99999999/",
    ],
)
def test_the_token_goes_to_no_other_host(org: Sandbox, session: Open, link: str) -> None:
    with pytest.raises(OperationalError, match="another host"):
        session().send(HttpRequest("GET", link))
    assert org.requests == []


def test_links_within_the_organisation(org: Sandbox, session: Open) -> None:
    sender = session()
    for url in (f"{org.url.upper().replace('HTTP', 'http')}/api/data/v9.2/WhoAmI", "/api/data/v9.1/WhoAmI", "WhoAmI"):
        assert sender.send(HttpRequest("GET", url)).status == 200


def test_long_urls_travel_in_a_batch(org: Sandbox, session: Open) -> None:
    sender = session()
    name = json.loads(sender.send(HttpRequest("GET", "accounts?$select=name&$top=1")).body)["value"][0]["name"]
    quoted = name.replace("'", "''").replace("&", "%26").replace(" ", "%20")
    url = f"accounts?$select=name&$filter=name%20eq%20'{quoted}'%20or%20name%20eq%20'{'x' * 40_000}'"
    reply = sender.send(HttpRequest("GET", url, {"Prefer": "odata.maxpagesize=1"}))
    assert json.loads(reply.body)["value"][0]["name"] == name
    assert str(org.requests[-1]["url"]).endswith("$batch") and org.requests[-1]["method"] == "POST"
    with pytest.raises(DataverseProgrammingError, match="nosuch"):
        sender.send(HttpRequest("GET", f"accounts?$filter=nosuch%20eq%20'{'x' * 40_000}'"))
    with pytest.raises(NotSupportedError, match="65536"):
        sender.send(HttpRequest("GET", f"accounts?$filter=name%20eq%20'{'x' * 70_000}'"))


def test_long_urls_are_retried_too(org: Sandbox, session: Open, waits: Waits) -> None:
    org.faults.add(parse_fault("503:#1:3"))
    url = f"accounts?$select=name&$filter=name%20eq%20'{'x' * 40_000}'"
    assert session().send(HttpRequest("GET", url)).status == 200
    assert len(waits) == 1


def test_a_failed_batch_comes_back_for_its_sender(session: Open) -> None:
    reply = session().send(pack([HttpRequest("GET", "nosuch"), HttpRequest("GET", "WhoAmI")], "batch_x"))
    assert reply.status == 400
    replies = unpack(reply, 2)
    assert isinstance(replies[0], HttpResponse) and replies[0].status == 404


class Tokens:
    """A source that notes how it was asked; `answers` are the tokens that follow a refused one."""

    def __init__(self, first: str, *answers: str) -> None:
        self.current, self.answers, self.asked = first, list(answers), list[tuple[str | None, str | None]]()

    def __call__(self, refused: str | None, claims: str | None) -> str:
        self.asked.append((refused, claims))
        if refused == self.current or claims:
            self.current = self.answers.pop(0)
        return self.current


def test_a_refused_token_is_renewed_once(org: Sandbox, session: Open) -> None:
    tokens = Tokens("old", org.access_token)
    assert session(tokens).who_am_i()
    assert [refused for refused, _ in tokens.asked] == [None, "old"] and len(org.requests) == 2


def test_a_renewed_token_that_is_refused_is_an_error(org: Sandbox, session: Open) -> None:
    with pytest.raises(AuthenticationError, match="401"):
        session(Tokens("old", "newer")).who_am_i()
    assert len(org.requests) == 2


def test_a_given_token_that_is_refused_is_sent_once(org: Sandbox) -> None:
    session = open_session(from_url(f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken=wrong", environ={}))
    with pytest.raises(AuthenticationError, match="OAuthAccessToken has expired or was refused") as caught:
        session.who_am_i()
    assert len(org.requests) == 1 and caught.value.__cause__ is not None


def test_threads_renew_once(org: Sandbox, session: Open) -> None:
    tokens, lock = Tokens("old", *[org.access_token] * 8), threading.Lock()

    def source(refused: str | None, claims: str | None) -> str:
        with lock:
            return tokens(refused, claims)

    sender = session(source)
    threads = [threading.Thread(target=sender.who_am_i) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens.answers) == 7


def test_claims_reach_the_sign_in(org: Sandbox, session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens("old", org.access_token)
    sender = session(tokens)
    challenge = 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    replies = [HttpResponse(401, {"www-authenticate": challenge}), HttpResponse(200, {}, b"{}")]
    monkeypatch.setattr(sender._transport, "send", lambda request: replies.pop(0))
    assert sender.send(HttpRequest("GET", "accounts")).status == 200
    assert tokens.asked[-1] == ("old", '{"access_token":{}}')


def test_no_organisation_at_all(session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = session()
    monkeypatch.setattr(sender._transport, "send", lambda request: HttpResponse(200, {}, b"<html>hello</html>"))
    with pytest.raises(OperationalError, match="no Dataverse organisation"):
        sender.who_am_i()


def test_opening_sends_nothing_and_shares_pools_and_sign_ins(org: Sandbox) -> None:
    url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
    sessions = [open_session(from_url(url, environ={})) for _ in range(50)]
    for session in sessions:
        session.connect()
    assert org.requests == []
    assert (
        len({id(session._transport) for session in sessions}) == 1 and len({session.key for session in sessions}) == 1
    )
    assert all(session.who_am_i() for session in sessions)
    pool = pool_of(sessions[0]._transport)
    assert sum(org.url in repr(connection) for connection in pool.connections) == 1
    other = open_session(from_url(f"{url};Timeout=7", environ={}))
    assert other.key != sessions[0].key and other._transport is not sessions[0]._transport
    assert org.access_token not in repr(sessions[0].key)


def test_without_a_sign_in_the_error_says_what_to_set(org: Sandbox) -> None:
    session = open_session(from_url(f"dynamics:///?OrganizationUrl={org.url}", environ={}))
    with pytest.raises((AuthenticationError, InterfaceError), match=r"OAuthAccessToken.*InitiateOAuth"):
        session.who_am_i()
    assert org.requests == []


def test_a_credential_object(org: Sandbox) -> None:
    settings = from_url(f"dynamics:///?OrganizationUrl={org.url}", environ={})
    assert open_session(settings, credential=lambda *scopes: org.access_token).who_am_i()


def test_the_driver_takes_a_credential_and_names_wrong_properties_at_once(org: Sandbox) -> None:
    asked: list[object] = []

    def credential(*scopes: object) -> str:
        asked.append(scopes)
        return org.access_token

    with connect(OrganizationUrl=org.url, credential=credential) as known:
        assert asked == [] and org.requests == []
        assert known.ping() and len(asked) == 1
    with pytest.raises(InterfaceError, match=r"^SSLServerCert"):
        connect(OrganizationUrl=org.url, SSLServerCert="nonsense")


def test_sign_in_and_data_take_the_same_proxy_certificate_and_log(tmp_path: Path) -> None:
    certificate, proxy, log = identity("org.example"), ConnectProxy("Basic"), tmp_path / "log"
    with Origin(certificate) as origin, Authority("https://org.example") as authority, listener(proxy) as port:
        organization = f"https://org.example:{origin.server_port}"
        authority.resources.append(organization)
        settings = from_string(
            f"OrganizationUrl={organization};AuthScheme=AzureServicePrincipal;AuthorityUrl={authority.url}",
            {
                "Tenant": authority.tenant,
                "OAuthClientId": authority.client_id,
                "OAuthClientSecret": authority.client_secret,
                "SSLServerCert": certificate.ca_pem + Path(authority.ca_file).read_text(),
                "ProxyServer": "127.0.0.1",
                "ProxyPort": port,
                "ProxyUser": "usér",
                "ProxyPassword": "p:a@ss",
                "Logfile": log,
                "Verbosity": 5,
            },
            environ={},
        )
        assert open_session(settings).send(HttpRequest("GET", "accounts")).status == 200
    assert {target.split(":")[0] for target, _ in proxy.seen} == {"localhost", "org.example"}
    token = origin.requests[0][2]["authorization"].split()[1]
    text = log.read_text()
    assert "/oauth2/v2.0/token" in text and "TCP connect to localhost" in text
    assert not any(secret in text for secret in (token, authority.client_secret, "p:a@ss", "cDphQHNz"))


def test_the_sandbox_in_this_process_is_shared_by_its_options() -> None:
    sessions = [open_session(from_url(f"dynamics://sandbox/?rows={rows}", environ={})) for rows in (5, 5, 6)]
    assert sessions[0].root == sessions[1].root != sessions[2].root
    assert all(session.who_am_i() for session in sessions)
    assert sessions[0].sign_in is None


def test_wrong_sandbox_options_are_named() -> None:
    with pytest.raises(InterfaceError, match=r"^dynamics://sandbox: "):
        open_session(from_url("dynamics://sandbox/?fault=nonsense", environ={}))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")

    monkeypatch.setattr(local_module, "import_module", missing)
    with pytest.raises(InterfaceError, match=r"needs uvicorn: pip install 'sqlalchemy-dynamics\[sandbox\]'"):
        open_session(from_url("dynamics://sandbox/?rows=4711", environ={}))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_starts_anew() -> None:
    settings = from_url("dynamics://sandbox/?rows=5", environ={})
    before = open_session(settings).root
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            session = open_session(settings)
            session.who_am_i()
            os.write(writer, session.root.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    after = os.read(reader, 200).decode()
    assert after.startswith("http://127.0.0.1:") and after != before


class Thing:
    """Something a cache may hold."""


def test_the_cache_is_bounded_and_lets_go() -> None:
    cache: ProcessCache[Thing] = ProcessCache(2)
    first = cache.get("a", Thing)
    cache.get("b", Thing)
    assert cache.get("a", Thing) is first
    cache.get("c", Thing)
    assert len(cache) == 2 and cache.get("a", Thing) is first
    cache.clear()
    assert len(cache) == 0 and sys.getrefcount(first) == 2


def test_what_is_made_keeps_only_those_waiting_that_want_it() -> None:
    cache: ProcessCache[str] = ProcessCache(2)
    began, go_on, found = threading.Event(), threading.Event(), list[str]()

    def slowly() -> str:
        began.set()
        assert go_on.wait(30)
        return "a"

    threads = [threading.Thread(target=lambda: found.append(cache.get("a", slowly))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert began.wait(30) and cache.get("b", lambda: "b") == "b"
    began.clear()
    go_on.set()
    for thread in threads:
        thread.join()
    assert found == ["a"] * 3 and not began.is_set()


def test_evicted_pools_close_when_nobody_uses_them(org: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    cache: ProcessCache[object] = ProcessCache(1)
    monkeypatch.setattr(opening, "_TRANSPORTS", cache)
    monkeypatch.setattr(opening, "_PROVIDERS", ProcessCache(1))
    url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
    session = open_session(from_url(url, environ={}))
    session.who_am_i()
    pool = pool_of(session._transport)
    open_session(from_url(f"{url};Timeout=9", environ={}))
    assert session.who_am_i() and len(pool.connections) == 1
    del session
    gc.collect()
    assert pool.connections == []
