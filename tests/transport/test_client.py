"""One request, one complete reply, or an error that says what happened."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable

import pytest

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.transport.client import Transport
from sqlalchemy_dynamics.transport.failures import ConnectionLost, TimedOut
from tests.transport.peers import Origin, pool_of

Open = Callable[..., Transport]


def get(origin: Origin, path: str, **headers: str) -> HttpRequest:
    return HttpRequest("GET", f"{origin.url}/{path}", headers)


def test_a_reply_comes_back_whole(origin: Origin, transport: Open) -> None:
    reply = transport().send(get(origin, "plain?$select=name%20x", X="1"))
    assert (reply.status, reply.body, reply.header("content-type")) == (200, b'{"value": []}', "application/json")
    method, path, headers = origin.requests[0]
    assert (method, path, headers["x"], headers["accept-encoding"]) == ("GET", "/plain?$select=name%20x", "1", "gzip")


def test_bodies_are_sent(origin: Origin, transport: Open) -> None:
    transport().send(HttpRequest("POST", f"{origin.url}/plain", {"Content-Type": "application/json"}, b'{"a":1}'))
    transport().send(HttpRequest("DELETE", f"{origin.url}/plain"))
    assert origin.bodies == [b'{"a":1}', b""]


def test_gzip_is_taken_off(origin: Origin, transport: Open) -> None:
    sender = transport()
    assert sender.send(get(origin, "gzip")).body == b"x" * 100_000
    assert sender.send(get(origin, "members")).body == b"one two"


def test_no_cookie_is_kept_and_no_redirect_followed(origin: Origin, transport: Open) -> None:
    sender = transport()
    sender.send(get(origin, "plain"))
    assert sender.send(get(origin, "redirect")).status == 302
    assert [path for _, path, _ in origin.requests] == ["/plain", "/redirect"]
    assert "cookie" not in origin.requests[1][2]


@pytest.mark.parametrize("path", ["truncate", "tornchunks", "drop", "torngzip", "badgzip", "brotli"])
def test_half_a_reply_is_no_reply(origin: Origin, transport: Open, path: str) -> None:
    with pytest.raises(ConnectionLost) as caught:
        transport().send(get(origin, path))
    assert caught.value.sent and "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize("path", ["silence", "drip", "driphead"])
@pytest.mark.parametrize("limits", [{"Timeout": 0.3}, {"Timeout": 0, "TotalTimeout": 0.3}])
def test_slow_servers_run_out_of_time(origin: Origin, transport: Open, path: str, limits: dict[str, float]) -> None:
    limits.setdefault("TotalTimeout", 0.6)
    with pytest.raises(TimedOut, match="Timeout") as caught:
        transport(**limits).send(get(origin, path))
    assert caught.value.sent


def test_a_silent_handshake_runs_out_of_time(transport: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimedOut) as caught:
        transport(Timeout=0.2).send(HttpRequest("GET", f"https://127.0.0.1:{silent.getsockname()[1]}/"))
    assert not caught.value.sent


def test_zero_means_no_limit(origin: Origin, transport: Open) -> None:
    assert transport(Timeout=0, TotalTimeout=0).send(get(origin, "plain")).status == 200


def test_the_callers_own_limit(origin: Origin, transport: Open) -> None:
    with pytest.raises(TimedOut):
        transport().send(get(origin, "silence"), total=0.2)


def test_nobody_there(transport: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionLost, match=r"cannot connect to 127\.0\.0\.1") as caught:
        transport().send(HttpRequest("GET", f"http://127.0.0.1:{port}/"))
    assert not caught.value.sent and not caught.value.permanent


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1/", {"Authorization": "Bearer can\r\nary"}),
        ("http://127.0.0.1/", {"Authorization": "Bearer canäry"}),
        ("http://127.0.0.1:x/canary", {}),
        ("http://127.0.0.1/\x00canary", {}),
        ("ftp://127.0.0.1/canary", {}),
    ],
)
def test_what_http_forbids_is_not_sent_nor_shown(transport: Open, url: str, headers: dict[str, str]) -> None:
    with pytest.raises(InterfaceError) as caught:
        transport().send(HttpRequest("GET", url, headers))
    assert "ary" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_the_environment_has_no_say(origin: Origin, transport: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    assert transport(ProxyAutoDetect=False).send(get(origin, "plain")).status == 200


def test_connections_are_used_again_and_closed_with_the_last_reference(origin: Origin, transport: Open) -> None:
    from sqlalchemy_dynamics.settings import from_string
    from sqlalchemy_dynamics.transport.client import open_transport

    sender = open_transport(from_string("OrganizationUrl=https://org.example", environ={}))
    sender.send(get(origin, "plain"))
    sender.send(get(origin, "plain"))
    pool = pool_of(sender)
    assert len(pool.connections) == 1
    del sender
    gc.collect(0)
    assert pool.connections == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_uses_its_own_connections(origin: Origin, transport: Open) -> None:
    sender = transport()
    sender.send(get(origin, "plain"))
    child = os.fork()
    if child == 0:
        os._exit(0 if sender.send(get(origin, "gzip")).status == 200 else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0 and sender.send(get(origin, "plain")).body == b'{"value": []}'
