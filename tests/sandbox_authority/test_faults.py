"""Faults: kinds, when they strike, and what the log says."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority
from tests.sandbox_authority.browser import Token


@pytest.fixture
def fetch(token: Token, secret_fields: dict[str, str], scope: str) -> Callable[[], httpx.Response]:
    return lambda: token("client_credentials", scope=scope, **secret_fields)


@pytest.mark.parametrize("kind", ["401", "429", "500", "502", "503", "504"])
def test_statuses(authority: Authority, fetch: Callable[[], httpx.Response], kind: str) -> None:
    authority.faults.add(kind, arg=7)
    response = fetch()
    assert (response.status_code, response.headers["retry-after"]) == (int(kind), "7")
    assert response.json()["error"]
    entry = authority.requests[-1]
    assert (entry.status, entry.fault, entry.grant) == (int(kind), kind, "client_credentials")


@pytest.mark.parametrize(
    ("when", "hit"),
    [
        ("#2", [False, True, False, False]),
        ("%2", [False, True, False, True]),
        ("3+", [False, False, True, True]),
        ("1.0", [True] * 4),
        ("0.0", [False] * 4),
    ],
)
def test_when(authority: Authority, fetch: Callable[[], httpx.Response], when: str, hit: list[bool]) -> None:
    authority.faults.add("503", when)
    assert [fetch().status_code == 503 for _ in range(4)] == hit


def test_broken_connections(authority: Authority, fetch: Callable[[], httpx.Response]) -> None:
    for kind, message in (("drop", "disconnected"), ("truncate", "incomplete|without sending complete")):
        authority.faults.clear()
        authority.faults.add(kind)
        with pytest.raises(httpx.RemoteProtocolError, match=message):
            fetch()
    authority.faults.clear()
    assert fetch().status_code == 200


def test_slow_bytes_arrive(authority: Authority, fetch: Callable[[], httpx.Response]) -> None:
    authority.faults.add("slow", arg="10000")
    assert fetch().json()["token_type"] == "Bearer"


def test_silence(authority: Authority, http: httpx.Client, fetch: Callable[[], httpx.Response]) -> None:
    authority.faults.add("delay", when="#1", arg=30)
    http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        fetch()
    http.timeout = httpx.Timeout(10)
    assert fetch().status_code == 200


def test_a_portal_and_any_answer(authority: Authority, fetch: Callable[[], httpx.Response]) -> None:
    authority.faults.add("html", "#1")
    authority.faults.answer(b"\xff{", status=302, headers={"location": "https://portal.test"}, when="2+")
    assert fetch().headers["content-type"].startswith("text/html")
    response = fetch()
    assert (response.status_code, response.content) == (302, b"\xff{")
    assert response.headers["location"] == "https://portal.test"


def test_any_refusal_of_the_table(authority: Authority, fetch: Callable[[], httpx.Response]) -> None:
    authority.faults.add("AADSTS50020")
    response = fetch()
    assert (response.status_code, response.json()["error_codes"]) == (400, [50020])


def test_only_their_path(authority: Authority, http: httpx.Client, fetch: Callable[[], httpx.Response]) -> None:
    metadata = f"{authority.address}/common/v2.0/.well-known/openid-configuration"
    authority.faults.add("503", path="openid-configuration")
    assert (http.get(metadata).status_code, fetch().status_code) == (503, 200)
    authority.faults.clear()
    authority.faults.add("500", path="")
    assert (http.get(metadata).status_code, fetch().status_code) == (500, 500)


@pytest.mark.parametrize(("kind", "when"), [("418", "1+"), ("AADSTS1", "1+"), ("503", "sometimes"), ("503", "")])
def test_nonsense_is_refused(authority: Authority, kind: str, when: str) -> None:
    with pytest.raises(ValueError, match=r"fault|when"):
        authority.faults.add(kind, when)
    assert authority.faults.active == []
