"""Small servers for the other end of the wire: an origin that misbehaves by path, and proxies of every kind."""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

from sqlalchemy_dynamics.sandbox.authority.certificates import ServerIdentity, server_identity
from sqlalchemy_dynamics.transport.client import Transport


class Origin(ThreadingHTTPServer):
    """An HTTP(S) server on loopback. `requests` logs (method, path, headers) in order."""

    daemon_threads = True

    def __init__(self, tls: ServerIdentity | None = None, client_ca: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.scheme = "https" if tls else "http"
        if tls:
            context = _server_context(tls, client_ca)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what these tests are about."""

    def __exit__(self, *details: object) -> None:
        self.shutdown()
        self.server_close()


def _server_context(identity: ServerIdentity, client_ca: str) -> ssl.SSLContext:
    import tempfile

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_text(identity.chain_pem)
        key.write_text(identity.key_pem)
        context.load_cert_chain(chain, key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca)
    return context


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Origin

    def log_message(self, *values: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self.server.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        getattr(self, "_" + self.path.strip("/").split("?")[0], self._plain)()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _answer(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _plain(self) -> None:
        self._answer(b'{"value": []}', Content_Type="application/json", Set_Cookie="ARRAffinity=abc")

    def _gzip(self) -> None:
        self._answer(gzip.compress(b"x" * 100_000), Content_Encoding="gzip")

    def _members(self) -> None:
        self._answer(gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="gzip")

    def _torngzip(self) -> None:
        self._answer(gzip.compress(b"x" * 100_000)[:-20], Content_Encoding="gzip")

    def _badgzip(self) -> None:
        self._answer(b"this is no gzip at all", Content_Encoding="gzip")

    def _brotli(self) -> None:
        self._answer(b"...", Content_Encoding="br")

    def _redirect(self) -> None:
        self._answer(b"", 302, Location="/plain")

    def _truncate(self) -> None:
        self._answer(b"half", length=100)
        self.close_connection = True

    def _tornchunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"4\r\nhalf\r\n")
        self.close_connection = True

    def _drop(self) -> None:
        self.close_connection = True

    def _silence(self) -> None:
        time.sleep(1.5)
        self.close_connection = True

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self._dripping()

    def _driphead(self) -> None:
        self._dripping()

    def _dripping(self) -> None:
        for _ in range(60):
            self.wfile.write(b"H")
            self.wfile.flush()
            time.sleep(0.03)


Handler = Callable[[socket.socket], None]


@contextmanager
def listener(handle: Handler) -> Iterator[int]:
    """A TCP server on loopback that gives each connection to `handle` in a thread; yields its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=_guarded, args=(handle, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def _guarded(handle: Handler, connection: socket.socket) -> None:
    with connection:
        try:
            handle(connection)
        except OSError:
            return


def pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""

    def carry(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    back = threading.Thread(target=carry, args=(other, one), daemon=True)
    back.start()
    carry(one, other)
    back.join()


def read_head(connection: socket.socket) -> tuple[str, dict[str, str]]:
    """The request line and the headers of one HTTP request."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = connection.recv(1)
        if not more:
            raise OSError("hung up")
        data += more
    line, *rest = data.decode("latin-1").strip().split("\r\n")
    return line, {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in rest)}


class ConnectProxy:
    """CONNECT with no sign-in, Basic or Digest. `seen` logs (target, scheme of the credentials)."""

    def __init__(self, scheme: str = "", algorithm: str = "MD5", close: bool = False, status: int = 0) -> None:
        self.scheme, self.algorithm, self.close, self.status = scheme, algorithm, close, status
        self.seen: list[tuple[str, str]] = []

    def __call__(self, connection: socket.socket) -> None:
        while True:
            line, headers = read_head(connection)
            method, target, _ = line.split(" ")
            credentials = headers.get("proxy-authorization", "")
            self.seen.append((target, credentials.split(" ")[0]))
            if self.status:
                connection.sendall(f"HTTP/1.1 {self.status} No\r\nContent-Length: 4\r\n\r\noops".encode())
                return
            if method == "CONNECT" and self._accepts(target, credentials):
                break
            ending = "Connection: close\r\n" if self.close else ""
            connection.sendall(
                f"HTTP/1.1 407 Who are you\r\n{self._challenge()}{ending}Content-Length: 5\r\n\r\nhello".encode()
            )
            if self.close:
                return
        host, _, port = target.rpartition(":")
        with socket.create_connection((_resolved(host), int(port))) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pump(connection, upstream)

    def _challenge(self) -> str:
        if self.scheme == "Digest":
            return (
                f'Proxy-Authenticate: Digest realm="the \\"realm\\"", nonce="abc", qop="auth,auth-int", '
                f'opaque="xyz", algorithm={self.algorithm}\r\n'
            )
        return 'Proxy-Authenticate: Basic realm="x"\r\n'

    def _accepts(self, target: str, credentials: str) -> bool:
        if not self.scheme:
            return True
        if self.scheme == "Basic":
            return credentials == "Basic dXPDqXI6cDphQHNz"  # usér:p:a@ss
        return credentials.startswith("Digest ") and self._digest(target, credentials[7:])

    def _digest(self, target: str, parameters: str) -> bool:
        fields = parse_keqv_list(parse_http_list(parameters))
        function = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[self.algorithm.removesuffix("-sess")]

        def hashed(*parts: str) -> str:
            return function(":".join(parts).encode()).hexdigest()

        secret = hashed("usér", 'the "realm"', "p:a@ss")
        if self.algorithm.endswith("-sess"):
            secret = hashed(secret, "abc", fields["cnonce"])
        expected = hashed(secret, "abc", fields["nc"], fields["cnonce"], "auth", hashed("CONNECT", target))
        return fields["response"] == expected and fields["opaque"] == "xyz" and fields["uri"] == target


class SocksProxy:
    """SOCKS 4, 4a and 5. `user` wants a sign-in, `names` says whether 4a is known; `seen` logs (version, host)."""

    def __init__(self, user: str = "", password: str = "", names: bool = True) -> None:
        self.user, self.password, self.names = user, password, names
        self.seen: list[tuple[str, str]] = []

    def __call__(self, connection: socket.socket) -> None:
        version = connection.recv(1)
        if version in (b"\x04", b"\x05"):
            (self._five if version == b"\x05" else self._four)(connection)

    def _five(self, connection: socket.socket) -> None:
        methods = connection.recv(connection.recv(1)[0])
        if self.user and 2 not in methods:
            connection.sendall(b"\x05\xff")
            return
        connection.sendall(b"\x05\x02" if self.user else b"\x05\x00")
        if self.user:
            connection.recv(1)
            given = [connection.recv(connection.recv(1)[0]).decode() for _ in range(2)]
            right = given == [self.user, self.password]
            connection.sendall(b"\x01\x00" if right else b"\x01\x01")
            if not right:
                return
        kind = connection.recv(4)[3]
        host = connection.recv(connection.recv(1)[0]).decode() if kind == 3 else socket.inet_ntoa(connection.recv(4))
        port = int.from_bytes(connection.recv(2), "big")
        self.seen.append(("5", host))
        self._carry(
            connection, host, port, b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", b"\x05\x05\x00\x01" + b"\x00" * 6
        )

    def _four(self, connection: socket.socket) -> None:
        head = connection.recv(7)
        user, port, address = _until_nul(connection), int.from_bytes(head[1:3], "big"), head[3:7]
        named = address[:3] == b"\x00\x00\x00"
        host = _until_nul(connection) if named else socket.inet_ntoa(address)
        self.seen.append(("4a" if named else "4", host))
        if user != self.user or (named and not self.names):
            connection.sendall(b"\x00\x5b" + b"\x00" * 6)
            return
        self._carry(connection, host, port, b"\x00\x5a" + b"\x00" * 6, b"\x00\x5b" + b"\x00" * 6)

    @staticmethod
    def _carry(connection: socket.socket, host: str, port: int, success: bytes, failure: bytes) -> None:
        try:
            upstream = socket.create_connection((_resolved(host), port))
        except OSError:
            connection.sendall(failure)
            return
        with upstream:
            connection.sendall(success)
            pump(connection, upstream)


def _until_nul(connection: socket.socket) -> str:
    data = b""
    while (more := connection.recv(1)) != b"\x00":
        data += more
    return data.decode()


def _resolved(host: str) -> str:
    """Every made-up name is this machine."""
    return "127.0.0.1" if host.endswith(".example") else host


def identity(*hosts: str) -> ServerIdentity:
    """A server certificate with its own CA."""
    return server_identity(*(hosts or ("127.0.0.1", "localhost", "org.example")))


def pool_of(transport: Transport) -> Any:
    """The connections that a transport keeps open; nothing public shows them."""
    client: Any = transport._client
    return client._transport._pool
