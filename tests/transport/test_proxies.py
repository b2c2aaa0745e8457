"""Every kind of proxy, right and wrong, against small ones in this process; TLS to the origin goes through all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.sandbox.authority.certificates import ServerIdentity
from sqlalchemy_dynamics.settings import from_string
from sqlalchemy_dynamics.transport.client import open_transport
from sqlalchemy_dynamics.transport.failures import ConnectionLost, TimedOut
from sqlalchemy_dynamics.transport.routes import SystemProxies, open_route
from tests.transport.peers import ConnectProxy, Origin, SocksProxy, listener

USER = {"ProxyUser": "usér", "ProxyPassword": "p:a@ss"}
ORG = "org.example"


@pytest.fixture
def send(secure_origin: Origin, server_certificate: ServerIdentity) -> Callable[..., int]:
    """Asks https://org.example:PORT, a name that only the proxies of these tests know."""

    def ask(**properties: object) -> int:
        given = {"SSLServerCert": server_certificate.ca_pem, "Timeout": 2, **properties}
        settings = from_string(f"OrganizationUrl=https://{ORG}", given, environ={})
        with closing(open_transport(settings)) as transport:
            url = f"https://{ORG}:{secure_origin.server_port}/plain"
            statuses = {transport.send(HttpRequest("GET", url)).status for _ in range(2)}
        assert not any("proxy-authorization" in headers for _, _, headers in secure_origin.requests)
        return statuses.pop()

    return ask


Send = Callable[..., int]


def test_connect_without_sign_in(send: Send) -> None:
    proxy = ConnectProxy()
    with listener(proxy) as port:
        assert send(ProxyServer="127.0.0.1", ProxyPort=port) == 200
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
@pytest.mark.parametrize("close", [False, True])
def test_digest(send: Send, algorithm: str, close: bool) -> None:
    proxy = ConnectProxy("Digest", algorithm, close)
    with listener(proxy) as port:
        assert send(ProxyServer="127.0.0.1", ProxyPort=port, ProxyAuthScheme="DIGEST", **USER) == 200
    assert [scheme for _, scheme in proxy.seen] == ["", "Digest"]


def test_basic(send: Send) -> None:
    proxy = ConnectProxy("Basic")
    with listener(proxy) as port:
        assert send(ProxyServer="127.0.0.1", ProxyPort=port, **USER) == 200
    assert [scheme for _, scheme in proxy.seen] == ["Basic"]


@pytest.mark.parametrize(
    ("proxy", "properties", "message"),
    [
        (ConnectProxy("Basic"), {"ProxyUser": "usér", "ProxyPassword": "canary"}, "refused ProxyUser.*offers Basic"),
        (ConnectProxy("Basic"), {}, "wants a sign-in .*offers Basic.*set ProxyUser"),
        (ConnectProxy("Digest"), USER, "refused ProxyUser.*ProxyAuthScheme=BASIC.*offers Digest"),
        (ConnectProxy("Digest"), {**USER, "ProxyPassword": "canary", "ProxyAuthScheme": "DIGEST"}, "refused ProxyUser"),
        (ConnectProxy("Basic"), {**USER, "ProxyAuthScheme": "DIGEST"}, "refused ProxyUser.*offers Basic"),
        (ConnectProxy("Basic"), {**USER, "ProxyAuthScheme": "NONE"}, "refused ProxyUser"),
        (ConnectProxy(status=403), {}, "answered 403"),
        (SocksProxy(), {}, "does not speak HTTP|hung up|reset"),
        (lambda connection: None, {}, "hung up|does not speak HTTP|reset"),
    ],
)
def test_a_refusal_says_what_to_set(send: Send, proxy: Any, properties: dict[str, str], message: str) -> None:
    with listener(proxy) as port, pytest.raises(ConnectionLost, match=message) as caught:
        send(ProxyServer="127.0.0.1", ProxyPort=port, **properties)
    assert caught.value.permanent and not caught.value.sent and "canary" not in str(caught.value)
    assert f"127.0.0.1:{port}" in str(caught.value)


def test_a_proxy_that_cannot_reach_the_host_may_be_asked_again(send: Send) -> None:
    with listener(ConnectProxy(status=503)) as port, pytest.raises(ConnectionLost, match="503") as caught:
        send(ProxyServer="127.0.0.1", ProxyPort=port)
    assert not caught.value.permanent


def test_a_missing_proxy_is_named(send: Send) -> None:
    with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1:1: cannot connect to it"):
        send(ProxyServer="127.0.0.1", ProxyPort=1)


def test_a_proxy_over_tls(secure_origin: Origin, server_certificate: ServerIdentity, send: Send) -> None:
    import ssl
    import tempfile

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w") as chain, tempfile.NamedTemporaryFile("w") as key:
        chain.write(server_certificate.chain_pem)
        key.write(server_certificate.key_pem)
        chain.flush()
        key.flush()
        context.load_cert_chain(chain.name, key.name)
    proxy = ConnectProxy()
    with listener(lambda connection: proxy(context.wrap_socket(connection, server_side=True))) as port:
        assert send(ProxyServer="https://127.0.0.1", ProxyPort=port) == 200
    assert len(proxy.seen) == 1


@pytest.mark.parametrize(("names", "versions"), [(True, ["4a"]), (False, ["4a", "4"])])
def test_socks4(send: Send, names: bool, versions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostbyname", lambda host: "127.0.0.1")
    proxy = SocksProxy("me", names=names)
    with listener(proxy) as port:
        assert send(FirewallType="SOCKS4", FirewallServer="127.0.0.1", FirewallPort=port, FirewallUser="me") == 200
    assert [version for version, _ in proxy.seen] == versions


@pytest.mark.parametrize("user", ["", "me"])
def test_socks5_leaves_the_name_to_the_proxy(send: Send, user: str) -> None:
    proxy = SocksProxy(user, "secret" if user else "")
    firewall = {"FirewallType": "SOCKS5", "FirewallServer": "127.0.0.1"}
    with listener(proxy) as port:
        assert send(**firewall, FirewallPort=port, FirewallUser=user, FirewallPassword="secret") == 200
    assert proxy.seen == [("5", ORG)]


def test_tunnel_firewall(send: Send) -> None:
    with listener(ConnectProxy("Basic")) as port:
        firewall = {"FirewallType": "TUNNEL", "FirewallServer": "127.0.0.1", "FirewallPort": port}
        assert send(**firewall, FirewallUser="usér", FirewallPassword="p:a@ss") == 200
        with pytest.raises(ConnectionLost, match="refused FirewallUser and FirewallPassword"):
            send(**firewall, FirewallUser="usér", FirewallPassword="wrong")


@pytest.mark.parametrize(
    ("kind", "proxy", "user", "message"),
    [
        ("SOCKS5", SocksProxy("me", "right"), "me", "refused FirewallUser and FirewallPassword"),
        ("SOCKS5", SocksProxy("me", "right"), "", "wants a sign-in: set FirewallUser"),
        ("SOCKS4", SocksProxy("me", names=False), "you", "may want another FirewallUser"),
        ("SOCKS5", lambda connection: connection.sendall(b"HTTP/1.1 400 x\r\n\r\n"), "", "does not speak SOCKS5|reset"),
        ("SOCKS4", lambda connection: connection.sendall(b"HTTP/1.1 400 x\r\n\r\n"), "", "does not speak SOCKS4|reset"),
        ("SOCKS5", lambda connection: None, "", "hung up|reset"),
    ],
)
def test_socks_refusals(
    send: Send, kind: str, proxy: Any, user: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostbyname", lambda host: "127.0.0.1")
    with listener(proxy) as port, pytest.raises(ConnectionLost, match=message):
        send(FirewallType=kind, FirewallServer="127.0.0.1", FirewallPort=port, FirewallUser=user, FirewallPassword="x")


def test_socks5_at_an_http_proxy_ends(send: Send) -> None:
    with listener(ConnectProxy()) as port, pytest.raises((TimedOut, ConnectionLost)):
        send(FirewallType="SOCKS5", FirewallServer="127.0.0.1", FirewallPort=port, Timeout=0.3)


def test_exceptions_connect_straight(origin: Origin) -> None:
    properties = {"ProxyServer": "127.0.0.1", "ProxyPort": 1, "ProxyExceptions": "other.example; 127.0.0.*"}
    settings = from_string("OrganizationUrl=https://org.example", properties, environ={})
    with closing(open_transport(settings)) as transport:
        assert transport.send(HttpRequest("GET", f"{origin.url}/plain")).status == 200


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"FirewallType": "SOCKS5"}, "FirewallType=SOCKS5 needs FirewallServer"),
        ({"FirewallServer": "p"}, "FirewallServer is set without FirewallType"),
        ({"FirewallType": "TUNNEL", "FirewallServer": "p", "ProxyServer": "q"}, "cannot be set together"),
        ({"FirewallType": "TUNNEL", "FirewallServer": "p", "ProxyAutoDetect": True}, "cannot be set together"),
        ({"ProxyServer": "http://me:pw@p"}, "ProxyServer: expected a host name"),
        ({"ProxyServer": "socks5://p"}, "ProxyServer: expected a host name"),
        ({"ProxyServer": "p", "ProxyUser": "a:b"}, "ProxyUser: a colon"),
        ({"FirewallType": "SOCKS5", "FirewallServer": "p", "FirewallUser": "x" * 256}, "FirewallUser.*255 bytes"),
    ],
)
def test_contradictions_are_named(properties: dict[str, object], message: str) -> None:
    with pytest.raises(InterfaceError, match=message):
        open_route(from_string("OrganizationUrl=https://org.example", properties, environ={}))


def route_of(system: dict[str, str], host: str, bypass: bool = False, **properties: object) -> Any:
    settings = from_string("OrganizationUrl=https://org.example", properties, environ={})
    return open_route(settings, SystemProxies(lambda: system, lambda host: bypass))(host, 443)


def test_the_systems_proxy_is_used_unless_told_otherwise() -> None:
    system = {"https": "http://me:p%40ss@proxy.example:3128"}
    found = route_of(system, ORG)
    assert (found.kind, found.place, found.user, found.password) == ("connect", "proxy.example:3128", "me", "p@ss")
    assert "p@ss" not in repr(found)
    assert route_of(system, ORG, bypass=True) is None
    assert route_of(system, "127.0.0.1") is None and route_of(system, "localhost") is None
    assert route_of(system, ORG, ProxyAutoDetect=False) is None
    assert route_of(system, ORG, ProxyServer="own.example").place == "own.example:80"
    assert route_of({}, ORG) is None


@pytest.mark.parametrize(
    ("url", "kind", "place"),
    [
        ("proxy.example:3128", "connect", "proxy.example:3128"),
        ("https://proxy.example:8443", "connect", "proxy.example:8443"),
        ("socks5h://proxy.example", "socks5", "proxy.example:1080"),
        ("socks4://proxy.example:1081", "socks4", "proxy.example:1081"),
    ],
)
def test_kinds_of_system_proxies(url: str, kind: str, place: str) -> None:
    found = route_of({"all": url}, ORG, ProxyUser="me", ProxyPassword="x")
    assert (found.kind, found.place, found.user) == (kind, place, "me")


def test_an_unknown_kind_of_system_proxy_is_named() -> None:
    with pytest.raises(InterfaceError, match=r"unknown kind \(gopher\)"):
        route_of({"https": "gopher://proxy.example"}, ORG)


def test_the_sandbox_needs_no_proxy() -> None:
    from sqlalchemy_dynamics.settings import from_url

    settings = from_url("dynamics://sandbox", {"ProxyServer": "proxy.example"}, environ={})
    assert open_route(settings)("127.0.0.1", 80) is None


def test_no_proxy_variables_are_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    settings = from_string("OrganizationUrl=https://org.example", environ={})
    route = open_route(settings)
    assert route(ORG, 443) is not None and route("a.inside.example", 443) is None
