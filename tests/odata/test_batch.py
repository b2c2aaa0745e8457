"""`$batch`: the bytes sent, the replies read, and that a torn reply never looks complete."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.errors import (
    DatabaseError,
    DataverseProgrammingError,
    InternalError,
    NotSupportedError,
    OperationalError,
)
from sqlalchemy_dynamics.odata.batch import ChangeSet, pack, unpack
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

GET = HttpRequest("GET", "accounts?$select=name", {"Prefer": "odata.maxpagesize=5"}, repeatable=True)
POST = HttpRequest("POST", "accounts", body='{"name":"Ü"}'.encode())
PATCH = HttpRequest("PATCH", "$1", {"If-Match": "*"}, b'{"telephone1":"1"}', repeatable=True)
DELETE = HttpRequest("DELETE", "accounts(7eb682f1-ca75-e511-80d4-00155d2a68d1)")

SENT = """\
--b
Content-Type: application/http
Content-Transfer-Encoding: binary

GET accounts?$select=name HTTP/1.1
Accept: application/json
Prefer: odata.maxpagesize=5


--b
Content-Type: multipart/mixed; boundary="b_2"

--b_2
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 1

POST accounts HTTP/1.1
Content-Type: application/json

{"name":"Ü"}
--b_2
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 2

PATCH $1 HTTP/1.1
Content-Type: application/json
If-Match: *

{"telephone1":"1"}
--b_2--

--b--
"""


def test_the_bytes_of_a_batch() -> None:
    packed = pack([GET, ChangeSet((POST, PATCH))], "b")
    assert packed.body is not None
    assert packed.body.decode() == SENT.replace("\n", "\r\n")
    assert (packed.method, packed.url, packed.repeatable) == ("POST", "$batch", False)
    assert packed.headers == {"Content-Type": 'multipart/mixed; boundary="b"', "Accept": "application/json"}


def test_continue_on_error_is_a_preference_and_reads_may_be_repeated() -> None:
    packed = pack([GET, GET], "b", continue_on_error=True)
    assert packed.headers["Prefer"] == "odata.continue-on-error"
    assert packed.repeatable


def test_what_cannot_be_packed() -> None:
    with pytest.raises(NotSupportedError, match="1000"):
        pack([GET] * 999 + [ChangeSet((POST, DELETE))], "b")
    with pytest.raises(InternalError, match="writes only"):
        pack([ChangeSet((GET,))], "b")
    with pytest.raises(InternalError, match="boundary"):
        pack([POST], "name")
    with pytest.raises(InternalError, match="line break"):
        pack([HttpRequest("GET", "accounts HTTP/1.1\r\nX: y")], "b")


RECEIVED = """\
--batchresponse_1
Content-Type: multipart/mixed; boundary=changesetresponse_2

--changesetresponse_2
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 1

HTTP/1.1 204 No Content
OData-Version: 4.0
OData-EntityId: https://host/api/data/v9.2/accounts(7eb682f1)


--changesetresponse_2
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 2

HTTP/1.1 204 No Content


--changesetresponse_2--
--batchresponse_1
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 200 OK
Content-Type: application/json; odata.metadata=minimal

{"value":[{"name":"Ü"}]}
--batchresponse_1--
"""
HEADERS = {"content-type": "multipart/mixed; boundary=batchresponse_1"}


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize("around", [("", ""), ("preamble\n", "epilogue\n--batchresponse_1\n")])
def test_replies_come_in_order(line_end: str, around: tuple[str, str]) -> None:
    body = RECEIVED.join(around).replace("\n", line_end).encode()
    written, read = unpack(HttpResponse(200, HEADERS, body), expected=2)
    assert isinstance(written, list) and isinstance(read, HttpResponse)
    assert [each.status for each in written] == [204, 204]
    assert written[0].header("OData-EntityId") == "https://host/api/data/v9.2/accounts(7eb682f1)"
    assert (read.status, read.body.decode()) == (200, '{"value":[{"name":"Ü"}]}')
    assert read.header("content-type") == "application/json; odata.metadata=minimal"


def test_no_torn_reply_looks_complete() -> None:
    whole = RECEIVED.replace("\n", "\r\n").encode()
    end = whole.rindex(b"--batchresponse_1--") + len(b"--batchresponse_1--")
    assert len(unpack(HttpResponse(200, HEADERS, whole[:end]))) == 2
    for length in range(end):
        with pytest.raises(OperationalError):
            unpack(HttpResponse(200, HEADERS, whole[:length]))


def test_a_missing_end_of_the_change_set_is_noticed() -> None:
    body = RECEIVED.replace("--changesetresponse_2--\n", "").encode()
    with pytest.raises(OperationalError, match="end is missing"):
        unpack(HttpResponse(200, HEADERS, body))


FAILED = """\
--b
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 404 Not Found
REQ_ID: 5e7f
Content-Length: 56

{"error":{"code":"0x80040217","message":"Not Existing"}}
--b--
"""


def test_replies_end_with_the_first_failure() -> None:
    response = HttpResponse(400, {"content-type": 'Multipart/Mixed; boundary="b"'}, FAILED.encode())
    (failed,) = unpack(response, expected=3)
    assert isinstance(failed, HttpResponse)
    assert (failed.status, failed.header("req_id"), len(failed.body)) == (404, "5e7f", 56)


@pytest.mark.parametrize(
    ("change", "why"),
    [(("56", "57"), "57 bytes"), (("56", "20"), "20 bytes"), (("HTTP/1.1 404 Not Found", "404"), "HTTP status")],
)
def test_damaged_parts(change: tuple[str, str], why: str) -> None:
    body = FAILED.replace(*change).encode()
    with pytest.raises(OperationalError, match=why):
        unpack(HttpResponse(400, {"content-type": "multipart/mixed; boundary=b"}, body))


def test_missing_or_surplus_replies_are_errors() -> None:
    response = HttpResponse(200, HEADERS, RECEIVED.encode())
    for expected in (1, 3):
        with pytest.raises(OperationalError, match=f"{expected} replies were due and 2 came"):
            unpack(response, expected)


def test_a_refused_batch_raises_the_services_error() -> None:
    body = b'{"error":{"code":"0x80048d19","message":"Stream was not readable."}}'
    with pytest.raises(DataverseProgrammingError, match="Stream was not readable"):
        unpack(HttpResponse(400, {"content-type": "application/json"}, body))
    with pytest.raises(DatabaseError, match="multipart"):
        unpack(HttpResponse(200, {"content-type": "text/html"}, b"<html>"))


BODIES = st.binary().filter(lambda body: b"--edge" not in body)


@given(st.lists(BODIES | st.lists(BODIES, min_size=1, max_size=3), min_size=1, max_size=4))
def test_what_a_server_writes_is_read_back(replies: list[bytes | list[bytes]]) -> None:
    def part(body: bytes) -> bytes:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return b"Content-Type: application/http\r\n\r\n" + head + body

    def join(parts: list[bytes], edge: bytes) -> bytes:
        return b"".join(b"--" + edge + b"\r\n" + each + b"\r\n" for each in parts) + b"--" + edge + b"--\r\n"

    nested = b"Content-Type: multipart/mixed; boundary=edge_in\r\n\r\n"
    parts = [nested + join([*map(part, r)], b"edge_in") if isinstance(r, list) else part(r) for r in replies]
    found = unpack(HttpResponse(200, {"content-type": "multipart/mixed; boundary=edge"}, join(parts, b"edge")))
    assert [[e.body for e in each] if isinstance(each, list) else each.body for each in found] == replies
