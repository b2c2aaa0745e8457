"""The loopback receiver by itself: hostile cases 1-6 and 8, and the page a person ends on."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from dynamics_auth.failures import AuthError, SignInTimeout
from dynamics_auth.listener import Receiver
from dynamics_auth.pages import PAGES, render
from tests.auth.support import Log, free_port

STATE = "state-that-nobody-guesses"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(f"http://localhost:{free_port()}/cb", STATE, Log()) as running:
        yield running


def ask(
    receiver: Receiver,
    fields: Any,
    *,
    method: str = "GET",
    path: str = "/cb",
    host: str = "",
    address: str = "127.0.0.1",
) -> tuple[int, str, dict[str, str]]:
    text = fields if isinstance(fields, str) else urlencode(fields)
    connection = http.client.HTTPConnection(address, receiver.port, timeout=10)
    headers = {"Host": host or f"localhost:{receiver.port}"}
    if method == "GET":
        connection.request("GET", f"{path}?{text}", headers=headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body=text, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, {name.lower(): value for name, value in answer.getheaders()}


GOOD = {"code": "the-code", "state": STATE}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_both_methods_and_both_families(receiver: Receiver, method: str, address: str) -> None:
    status, body, headers = ask(receiver, GOOD, method=method, address=address)
    assert status == 200
    assert "the-code" not in body and STATE not in body
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert receiver.wait(5) == GOOD


def test_hostile_01_another_state(receiver: Receiver) -> None:
    for fields in ({"code": "c", "state": "other"}, {"code": "c"}, {"code": "c", "state": ""}):
        assert ask(receiver, fields)[0] == 400
    assert ask(receiver, GOOD)[0] == 200
    assert receiver.wait(5) == GOOD


def test_hostile_02_access_denied_ends_at_once(receiver: Receiver) -> None:
    fields = {"error": "access_denied", "error_description": "<script>alert(1)</script>", "state": STATE}
    status, body, _ = ask(receiver, fields)
    assert status == 200
    assert "did not grant access" in body
    assert "alert" not in body
    assert receiver.wait(5)["error"] == "access_denied"


def test_hostile_03_twice(receiver: Receiver) -> None:
    assert ask(receiver, GOOD)[0] == 200
    status, body, _ = ask(receiver, {**GOOD, "code": "second"})
    assert (status, "already done" in body) == (409, True)
    assert receiver.wait(5) == GOOD
    with pytest.raises(SignInTimeout):
        receiver.wait(0.01)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"fields": f"code=a&code=b&state={STATE}"}, 400),
        ({"fields": f"code=a&state={STATE}&state={STATE}"}, 400),
        ({"fields": {**GOOD, "x": "y" * 70_000}, "method": "POST"}, 400),
        ({"fields": "&".join(f"f{n}=1" for n in range(60)) + f"&code=a&state={STATE}"}, 400),
        ({"fields": ""}, 400),
        ({"fields": GOOD, "path": "/"}, 404),
        ({"fields": GOOD, "path": "/cb/"}, 404),
        ({"fields": GOOD, "path": "/cb2"}, 404),
        ({"fields": GOOD, "host": "evil.example"}, 421),
        ({"fields": GOOD, "host": "evil.example:33333"}, 421),
        ({"fields": GOOD, "method": "PUT"}, 404),
    ],
)
def test_hostile_04_malformed_misdirected(receiver: Receiver, how: dict[str, Any], status: int) -> None:
    assert ask(receiver, **how)[0] == status
    assert ask(receiver, GOOD)[0] == 200
    assert receiver.wait(5) == GOOD


def test_hostile_05_a_stalled_connection_delays_nobody(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port)) as stalled:
        stalled.sendall(b"POST /cb HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\ncode=")
        assert ask(receiver, GOOD)[0] == 200
        assert receiver.wait(5) == GOOD


def test_hostile_06_a_taken_port_frees_the_other_family() -> None:
    port = free_port()
    with socket.socket(socket.AF_INET6) as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("::1", port))
        squatter.listen()
        with pytest.raises(AuthError, match=f"::1 port {port}"), Receiver(f"http://localhost:{port}", STATE, Log()):
            pass
        with Receiver(f"http://127.0.0.1:{port}", STATE, Log()) as alone:
            assert alone.port == port


def test_hostile_07_the_port_is_free_at_once() -> None:
    callback = f"http://localhost:{free_port()}"
    for _ in range(3):
        with Receiver(callback, STATE, Log()) as running, pytest.raises(SignInTimeout, match="CallbackURL"):
            running.wait(0.01)


@pytest.mark.parametrize(
    "callback",
    [
        "https://localhost:33333",
        "http://0.0.0.0:33333",
        "http://192.168.1.2:33333",
        "http://user@localhost:33333",
        "http://localhost:33333/#fragment",
        "http://localhost:99999",
        "localhost:33333",
        "http://localhost:33333/\r\nX: y",
    ],
)
def test_hostile_08_callbacks_nobody_listens_on(callback: str) -> None:
    with pytest.raises(AuthError, match="CallbackURL") as caught:
        Receiver(callback, STATE, Log())
    assert caught.value.kind == "interface"


class Outline(HTMLParser):
    """Tags and attributes of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_small_and_accessible(name: str) -> None:
    status, body = render(name)
    outline = Outline()
    outline.feed(body.decode())
    tags = dict(outline.tags)
    assert tags["html"]["lang"] == "en"
    assert [tag for tag, _ in outline.tags].count("h1") == 1
    assert {"title", "main", "p"} <= set(tags)
    assert any(attributes.get("role") in ("status", "alert") for _, attributes in outline.tags)
    assert "script" not in tags and len(body) < 2000
    assert status == PAGES[name][0]
