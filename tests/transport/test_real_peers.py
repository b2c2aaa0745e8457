"""The proxies people really have: squid, microsocks and dante, wherever they are installed."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.sandbox.authority.certificates import ServerIdentity
from sqlalchemy_dynamics.settings import from_string
from sqlalchemy_dynamics.transport.client import open_transport
from sqlalchemy_dynamics.transport.failures import ConnectionLost, TimedOut
from tests.transport.peers import Origin

pytestmark = pytest.mark.network_peers

SQUID = shutil.which("squid", path="/usr/sbin:/usr/bin:/usr/local/sbin")
MICROSOCKS = shutil.which("microsocks")
DANTE = shutil.which("danted", path="/usr/sbin:/usr/bin")
HELPERS = Path("/usr/lib/squid")
USER = {"ProxyUser": "usér", "ProxyPassword": "p:a@ss w"}

Send = Callable[..., int]


@pytest.fixture
def send(secure_origin: Origin, server_certificate: ServerIdentity) -> Send:
    def ask(**properties: object) -> int:
        given = {"SSLServerCert": server_certificate.ca_pem, "Timeout": 3, **properties}
        with closing(open_transport(from_string("OrganizationUrl=https://x.example", given, environ={}))) as transport:
            url = f"https://localhost:{secure_origin.server_port}/gzip"
            replies = [transport.send(HttpRequest("GET", url)) for _ in range(2)]
        assert all(reply.body == b"x" * 100_000 for reply in replies)
        assert not any("proxy-authorization" in headers for _, _, headers in secure_origin.requests)
        return replies[0].status

    return ask


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """A server process that accepts connections on `port`."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            assert process.poll() is None, f"{command[0]} did not start"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def folder() -> Iterator[Path]:
    """A place that an unprivileged server can read and write."""
    path = Path(tempfile.mkdtemp(prefix="peers-"))
    path.chmod(0o777)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def squid_schemes(place: Path) -> dict[str, str]:
    user, password = USER["ProxyUser"], USER["ProxyPassword"]
    apr = subprocess.run(["openssl", "passwd", "-apr1", password], capture_output=True, text=True, check=True).stdout
    (place / "basic").write_text(f"{user}:{apr}")
    secret = hashlib.md5(f"{user}:the realm:{password}".encode()).hexdigest()
    (place / "digest").write_text(f"{user}:the realm:{secret}\n")
    return {
        "BASIC": f"auth_param basic program {HELPERS}/basic_ncsa_auth {place}/basic",
        "DIGEST": f"auth_param digest program {HELPERS}/digest_file_auth -c {place}/digest\n"
        "auth_param digest realm the realm",
        "NTLM": f"auth_param ntlm program {HELPERS}/ntlm_fake_auth",
    }


@contextmanager
def squid(*schemes: str) -> Iterator[int]:
    port = free_port()
    with folder() as place:
        known = squid_schemes(place)
        lines = [
            f"http_port 127.0.0.1:{port}",
            f"pid_filename {place}/pid",
            f"cache_log {place}/cache.log",
            f"access_log {place}/access.log",
            f"coredump_dir {place}",
            "cache deny all",
            "shutdown_lifetime 0 seconds",
            *(known[scheme] for scheme in schemes),
            "acl known proxy_auth REQUIRED" if schemes else "",
            "http_access allow known" if schemes else "http_access allow all",
            "http_access deny all",
        ]
        (place / "squid.conf").write_text("\n".join(lines) + "\n")
        with running([str(SQUID), "-N", "-f", f"{place}/squid.conf"], port):
            yield port


needs_squid = pytest.mark.skipif(not SQUID, reason="squid is not installed")
needs_microsocks = pytest.mark.skipif(not MICROSOCKS, reason="microsocks is not installed")
needs_dante = pytest.mark.skipif(not DANTE, reason="dante is not installed")
needs_spnego = pytest.mark.skipif(find_spec("spnego") is None, reason="pyspnego is not installed")


@needs_squid
def test_squid_open_to_all(send: Send) -> None:
    with squid() as port:
        assert send(ProxyServer="127.0.0.1", ProxyPort=port) == 200
        assert send(FirewallType="TUNNEL", FirewallServer="127.0.0.1", FirewallPort=port) == 200
        with pytest.raises((ConnectionLost, TimedOut)):
            send(FirewallType="SOCKS5", FirewallServer="127.0.0.1", FirewallPort=port)


@needs_squid
@pytest.mark.parametrize("scheme", ["BASIC", "DIGEST", pytest.param("NTLM", marks=needs_spnego)])
def test_squid_with_a_sign_in(send: Send, scheme: str) -> None:
    with squid(scheme) as port:
        proxy = {"ProxyServer": "127.0.0.1", "ProxyPort": port, "ProxyAuthScheme": scheme}
        assert send(**proxy, **USER) == 200
        with pytest.raises(ConnectionLost, match=rf"wants a sign-in|refused.*offers {scheme.title()}"):
            send(ProxyServer="127.0.0.1", ProxyPort=port)
        if scheme != "NTLM":
            with pytest.raises(ConnectionLost, match=r"refused ProxyUser and ProxyPassword") as caught:
                send(**proxy, ProxyUser="usér", ProxyPassword="canary")
            assert "canary" not in str(caught.value)


@needs_squid
def test_squid_that_offers_several_schemes(send: Send) -> None:
    with squid("BASIC", "DIGEST") as port:
        for scheme in ("BASIC", "DIGEST"):
            assert send(ProxyServer="127.0.0.1", ProxyPort=port, ProxyAuthScheme=scheme, **USER) == 200
        with pytest.raises(ConnectionLost, match=r"offers (Digest, Basic|Basic, Digest)"):
            send(ProxyServer="127.0.0.1", ProxyPort=port)


@needs_microsocks
def test_microsocks(send: Send) -> None:
    port = free_port()
    firewall = {"FirewallType": "SOCKS5", "FirewallServer": "127.0.0.1", "FirewallPort": port}
    with running([str(MICROSOCKS), "-i", "127.0.0.1", "-p", str(port)], port):
        assert send(**firewall) == 200
        with pytest.raises(ConnectionLost, match=r"HTTP|hung up|reset"):
            send(ProxyServer="127.0.0.1", ProxyPort=port)


@needs_microsocks
def test_microsocks_with_a_sign_in(send: Send) -> None:
    port = free_port()
    firewall = {"FirewallType": "SOCKS5", "FirewallServer": "127.0.0.1", "FirewallPort": port}
    with running([str(MICROSOCKS), "-i", "127.0.0.1", "-p", str(port), "-u", "me", "-P", "se cret"], port):
        assert send(**firewall, FirewallUser="me", FirewallPassword="se cret") == 200
        with pytest.raises(ConnectionLost, match=r"refused FirewallUser"):
            send(**firewall, FirewallUser="me", FirewallPassword="wrong")
        with pytest.raises(ConnectionLost, match=r"wants a sign-in"):
            send(**firewall)


@needs_dante
@pytest.mark.parametrize("kind", ["SOCKS4", "SOCKS5"])
def test_dante(send: Send, kind: str) -> None:
    port = free_port()
    with folder() as place:
        (place / "danted.conf").write_text(
            f"logoutput: {place}/log\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\n"
            "clientmethod: none\nsocksmethod: none\nuser.privileged: root\nuser.unprivileged: nobody\n"
            "client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }\n"
            "socks pass {\n from: 0.0.0.0/0 to: 0.0.0.0/0\n protocol: tcp\n command: connect\n}\n"
        )
        with running([str(DANTE), "-f", f"{place}/danted.conf"], port):
            assert send(FirewallType=kind, FirewallServer="127.0.0.1", FirewallPort=port) == 200
