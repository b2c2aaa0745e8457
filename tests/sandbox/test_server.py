"""The skin: tokens, faults, log, control plane, compression, command line."""

from __future__ import annotations

import gzip
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.command import run
from sqlalchemy_dynamics.sandbox.faults import parse_fault
from tests.sandbox.conftest import Client


@pytest.fixture(autouse=True)
def calm(client: Any) -> Iterator[None]:
    client.control("DELETE", "faults")
    client.control("DELETE", "requests")
    yield
    client.control("DELETE", "faults")


def test_without_a_token_comes_the_tenant_challenge(client: Any, sandbox: Any) -> None:
    answer = client.get("accounts", Authorization="")
    assert (answer.status, answer.body) == (401, b"")
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer authorization_uri=https://") and "/oauth2/authorize" in challenge
    assert f"resource_id={sandbox.url}/" in challenge
    assert client.get("accounts", Authorization="Bearer nonsense").status == 401


def test_no_auth() -> None:
    with Sandbox(rows=1, auth=False) as running:
        assert Client(running).get("WhoAmI", Authorization="").status == 200


def test_other_versions_and_other_paths(client: Any, sandbox: Any) -> None:
    assert (
        client.get(f"{sandbox.url}/api/data/v9.0/accounts?$top=1&$select=name")
        .json["@odata.context"]
        .startswith(f"{sandbox.url}/api/data/v9.0/$metadata")
    )
    assert client.get(f"{sandbox.url}/elsewhere").status == 404


def test_the_log(client: Any) -> None:
    client.get("accounts?$select=name&$top=1")
    client.get("Accounts")
    entries = client.control("GET", "requests").json["requests"]
    assert [set(entry) for entry in entries] == [
        {"n", "method", "url", "status", "request_bytes", "response_bytes", "ms", "parts"}
    ] * 2
    assert [(e["n"], e["method"], e["url"], e["status"]) for e in entries] == [
        (1, "GET", "/api/data/v9.2/accounts?$select=name&$top=1", 200),
        (2, "GET", "/api/data/v9.2/Accounts", 404),
    ]
    assert client.control("DELETE", "requests").status == 204
    assert client.control("GET", "requests").json == {"requests": []}


def test_gzip_when_asked(client: Any) -> None:
    plain = client.get("accounts?$select=name")
    packed = client.get("accounts?$select=name", Accept_Encoding="gzip, deflate")
    again = client.get("accounts?$select=name", Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body == gzip.decompress(again.body)


def test_standard_headers(client: Any) -> None:
    answer = client.get("accounts?$top=1", Prefer='odata.maxpagesize=2,odata.include-annotations="*"')
    assert answer.headers["content-type"] == "application/json; odata.metadata=minimal"
    assert answer.headers["odata-version"] == "4.0"
    assert answer.headers["x-ms-service-request-id"] and answer.headers["req_id"]
    assert answer.headers["preference-applied"] == 'odata.maxpagesize=2,odata.include-annotations="*"'


def test_kept_replies_follow_changes(client: Any) -> None:
    path = "new_samples?$select=new_name&$filter=new_name eq 'kept'"
    assert client.get(path).rows == client.get(path).rows == []
    client.control("POST", "rows", {"table": "new_samples", "rows": [{"new_name": "kept", "new_customerid": None}]})
    assert len(client.get(path).rows) == 1
    client.control("POST", "reset")
    assert client.get(path).rows == []


@pytest.mark.parametrize(
    ("kind", "status"), [("429", 429), ("401", 401), ("500", 500), ("502", 502), ("503", 503), ("504", 504)]
)
def test_status_faults(client: Any, kind: str, status: int) -> None:
    client.control("POST", "faults", {"kind": kind, "when": "#2", "arg": 3})
    statuses = [client.get("accounts?$select=name&$top=1") for _ in range(3)]
    assert [answer.status for answer in statuses] == [200, status, 200]
    if kind in ("429", "503"):
        assert statuses[1].headers["retry-after"] == "3"
    if kind == "429":
        assert statuses[1].error[1] == "0x80072322"


def test_when_grammar(client: Any) -> None:
    client.control("POST", "faults", {"kind": "503", "when": "%3"})
    assert [client.get("WhoAmI").status for _ in range(6)] == [200, 200, 503, 200, 200, 503]
    client.control("DELETE", "faults")
    client.control("POST", "faults", {"kind": "502", "when": "3+"})
    assert [client.get("WhoAmI").status for _ in range(4)] == [200, 200, 502, 502]
    client.control("DELETE", "faults")
    client.control("POST", "faults", {"kind": "500", "when": "1.0", "path": "contacts"})
    assert client.get("accounts?$top=1").status == 200 and client.get("contacts?$top=1").status == 500


def test_broken_bodies(client: Any) -> None:
    whole = client.get("accounts?$select=name").body
    client.control("POST", "faults", {"kind": "drop", "when": "#1"})
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        client.get("accounts?$select=name")
    client.control("POST", "faults", {"kind": "truncate", "when": "#1"})
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.get("accounts?$select=name")
    client.control("POST", "faults", {"kind": "html", "when": "#1"})
    answer = client.get("accounts?$select=name")
    assert answer.headers["content-type"] == "text/html" and answer.status == 200
    client.control("POST", "faults", {"kind": "slow", "when": "#1", "arg": 100_000})
    assert client.get("accounts?$select=name").body == whole
    assert client.control("GET", "requests").json["requests"][1]["status"] == 0


def test_repeated_next_link(client: Any) -> None:
    client.control("POST", "faults", {"kind": "repeat", "when": "#2"})
    first = client.get("accounts?$select=name", Prefer="odata.maxpagesize=50").json["@odata.nextLink"]
    second = client.get(first, Prefer="odata.maxpagesize=50").json["@odata.nextLink"]
    assert second == first
    assert client.get(first, Prefer="odata.maxpagesize=50").json["@odata.nextLink"] != first


@pytest.mark.parametrize("text", ["nope:0.1", "429", "429:", "429:x", "429:#0", "429:#2:x"])
def test_bad_faults_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        parse_fault(text)


def test_control_plane_refuses_nonsense(client: Any) -> None:
    assert client.control("POST", "faults", {"kind": "nope", "when": "1.0"}).status == 400
    assert client.control("POST", "rows", {"table": "nope", "rows": []}).status == 400
    assert client.control("POST", "rows", {"table": "account", "rows": [{"nope": 1}]}).status == 400
    assert client.control("GET", "nothing").status == 404


def test_rows_by_the_control_plane(client: Any) -> None:
    given = [
        {
            "new_name": "a",
            "new_amount": 12.5,
            "new_customerid": "5f3e0f0c-0000-4000-8000-000000000001",
            "new_customerid:type": "contact",
            "new_moment": "2024-01-01T12:00:00+02:00",
            "new_flag": True,
        }
    ]
    assert client.control("POST", "rows", {"table": "new_sample", "rows": given}).json == {"inserted": 1}
    row = client.get(
        "new_samples?$filter=new_name eq 'a'&$select=new_amount,new_moment,new_flag,_new_customerid_value",
        Prefer='odata.include-annotations="*"',
    ).rows[0]
    assert (row["new_amount"], row["new_moment"], row["new_flag"]) == (12.5, "2024-01-01T10:00:00Z", True)
    assert row["_new_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert client.control("POST", "rows", {"table": "account", "count": 25, "seed": 3}).json == {"inserted": 25}
    assert int(client.get("accounts/$count").body.decode("utf-8-sig")) == 325
    client.control("POST", "reset")
    assert int(client.get("accounts/$count").body.decode("utf-8-sig")) == 300


def test_rows_do_not_depend_on_the_order_of_touching() -> None:
    def answers(*paths: str) -> dict[str, bytes]:
        with Sandbox(rows=50, seed=3) as running:
            client = Client(running)
            return {path: client.get(path).body.replace(running.url.encode(), b"") for path in paths}

    first, second = "accounts?$orderby=name", "contacts?$expand=parentcustomerid_account"
    assert answers(first, second) == answers(second, first)


def test_a_cookie_carries_what_looks_encoded() -> None:
    with Sandbox(rows=3) as running:
        client = Client(running)
        for name in ("100%25 a", "100%3C b", "100%\"<&' c", "<d> é+"):
            body = json.dumps({"name": f"cookie {name}"}).encode()
            assert client.send("POST", "accounts", body).status == 204
        path = "accounts?$select=name&$filter=startswith(name,'cookie ')&$orderby=name"
        paged = [row["name"] for row in client.every(path, Prefer="odata.maxpagesize=1")]
        assert paged == [row["name"] for row in client.get(path).rows] and len(paged) == 4


def test_a_database_file_keeps_the_rows(tmp_path: Any) -> None:
    path = tmp_path / "rows.db"
    with Sandbox(rows=10, database=path) as running:
        Client(running).control("POST", "rows", {"table": "account", "rows": [{"name": "kept"}]})
    with Sandbox(rows=10, database=path) as running:
        assert len(Client(running).get("accounts?$filter=name eq 'kept'").rows) == 1
        assert len(Client(running).get("accounts?$select=name").rows) == 11


def test_command_prints_one_line_and_stops_on_sigterm() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sqlalchemy_dynamics.sandbox.command", "--rows", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    info = json.loads(process.stdout.readline())
    assert set(info) == {
        "OrganizationUrl",
        "Url",
        "AccessToken",
        "AuthorityUrl",
        "CaFile",
        "Tenant",
        "PublicClientId",
        "ClientId",
        "ClientSecret",
        "CallbackURL",
        "pid",
    }
    assert info["pid"] == process.pid
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert process.communicate() == (b"", b"")


@pytest.mark.parametrize(
    "argv",
    [
        ["--nope"],
        ["--fault", "nope:1"],
        ["--metadata", "/no/such/file.xml"],
        ["--database", "/no/such/folder/rows.db"],
        ["--database", __file__],
        ["--rows", "x"],
        ["--rows", "-5"],
        ["--max-page-size", "0"],
        ["--latency", "-1"],
    ],
)
def test_command_usage_errors(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2
    assert capsys.readouterr().err


def test_a_port_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--port", "99999"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_affinity_cookie_is_set_once(client: Any) -> None:
    cookie = client.get("WhoAmI").headers["set-cookie"]
    assert cookie.startswith("ARRAffinity=")
    assert "set-cookie" not in client.get("WhoAmI", Cookie=cookie.split(";")[0]).headers
