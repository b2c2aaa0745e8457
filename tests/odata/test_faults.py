"""Error replies: their class, their facts and what they tell the reader to do."""

from __future__ import annotations

import json
import pickle

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.errors import DataverseError
from sqlalchemy_dynamics.odata.faults import CODES, STATUSES, check, error_of, normal_code
from sqlalchemy_dynamics.odata.messages import HttpResponse
from tests.shared import RECORDINGS


def reply(status: int, code: str, message: str = "Said so.", headers: dict[str, str] | None = None) -> HttpResponse:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return HttpResponse(status, headers or {}, body)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (reply(404, "0x80040217"), errors.IntegrityError),
        (reply(404, "0x8006088a"), errors.ProgrammingError),
        (reply(400, "0x0"), errors.ProgrammingError),
        (reply(400, ""), errors.ProgrammingError),
        (reply(400, "0x80044331"), errors.DataError),
        (reply(400, "0x8004E023"), errors.OperationalError),
        (reply(403, "0x80040220"), errors.OperationalError),
        (reply(403, "0x0"), errors.OperationalError),
        (reply(405, "0x80040227"), errors.IntegrityError),
        (reply(405, "0x80040315"), errors.NotSupportedError),
        (reply(405, ""), errors.NotSupportedError),
        (reply(412, "0x80040237"), errors.IntegrityError),
        (reply(412, "-2147220937"), errors.IntegrityError),
        (reply(412, "0x8fffffff"), errors.IntegrityError),
        (reply(429, "0x80072322"), errors.ThrottledError),
        (reply(429, "429"), errors.ThrottledError),
        (reply(401, ""), errors.AuthenticationError),
        (reply(500, "0x80040216"), errors.OperationalError),
        (reply(501, ""), errors.NotSupportedError),
        (HttpResponse(503), errors.OperationalError),
        (HttpResponse(302), errors.OperationalError),
    ],
)
def test_class(response: HttpResponse, kind: type[Exception]) -> None:
    error = error_of(response)
    assert isinstance(error, kind) and isinstance(error, DataverseError)
    with pytest.raises(type(error)):
        check(response)


def test_the_message_holds_every_fact() -> None:
    error = error_of(
        reply(412, "0X80040237", "A record exists.", {"x-ms-service-request-id": "ee87-cc3b", "retry-after": "7"})
    )
    assert str(error) == (
        "A record exists. (HTTP 412, 0x80040237, request ee87-cc3b)"
        " A row with this key exists: update it instead, or use other key values."
    )
    assert (error.status, error.code, error.request_id, error.retry_after) == (412, "0x80040237", "ee87-cc3b", 7.0)


def test_errors_travel_between_processes() -> None:
    original = error_of(reply(429, "0x80072322", headers={"req_id": "5e7f", "retry-after": "30"}))
    error = pickle.loads(pickle.dumps(original))
    assert isinstance(error, errors.ThrottledError)
    assert (error.request_id, error.retry_after) == ("5e7f", 30.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "Fri, 03 May 2024 14:39:59 GMT", "date": "Fri, 03 May 2024 14:38:59 GMT"}, 60.0),
        ({"retry-after": "Fri, 03 May 2024 14:37:59 GMT", "date": "Fri, 03 May 2024 14:38:59 GMT"}, 0.0),
        ({"retry-after": "Fri, 03 May 2024 14:39:59 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert error_of(HttpResponse(429, headers)).retry_after == seconds


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "No reason was given. (HTTP 502)"),
        (
            b"<html><head><TITLE>\n Access &amp; more\n denied</TITLE>",
            "'Access & more denied'. This answer is not from Dataverse",
        ),
        (b"bad gateway", "This answer is not from Dataverse"),
        (b'{"error":{"code":"0x0","mess', "This answer is not from Dataverse"),
        (b'{"Message":"The host is asleep."}', "The host is asleep. (HTTP 502)"),
        (b'{"error":"asleep"}', "asleep (HTTP 502)"),
        (b'\xef\xbb\xbf{"error":{"code":"","message":"With a mark."}}', "With a mark."),
        (b'{"error":{"code":null,"message":null}}', "This answer is not from Dataverse"),
        (b"\xff\xfe", "This answer is not from Dataverse"),
        (b"[" * 100_000, "This answer is not from Dataverse"),
    ],
)
def test_other_bodies(body: bytes, said: str) -> None:
    error = error_of(HttpResponse(502, {}, body))
    assert said in str(error)
    assert isinstance(error, errors.OperationalError)


def test_successes_pass() -> None:
    for status in (200, 204, 206, 304):
        response = HttpResponse(status)
        assert check(response) is response


def test_the_table_is_in_normal_form() -> None:
    assert all(code == normal_code(code) for code in CODES)
    assert {fault.error for fault in [*CODES.values(), *STATUSES.values()]} > {errors.DataverseDataError}


def test_a_genuine_error() -> None:
    path = RECORDINGS / "bad-request-with-headers.json"
    if not path.exists():
        pytest.skip("no recordings beside this checkout")
    record = json.loads(path.read_text())
    headers = {name.lower(): value for name, value in record["headers"].items()}
    error = error_of(HttpResponse(record["statusCode"], headers, json.dumps(record["body"]).encode()))
    assert isinstance(error, errors.ProgrammingError)
    assert error.code == "0x80060888"
    assert error.request_id == record["headers"]["x-ms-service-request-id"]
