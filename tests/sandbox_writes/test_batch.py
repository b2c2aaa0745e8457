"""`$batch`: order, change sets, references, failures, and what makes a whole batch unreadable."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from .conftest import Api

Piece = tuple[str, str, object]
GOES_ON = {"Prefer": "odata.continue-on-error"}


def http(method: str, url: str, body: object = None, content_id: str = "") -> str:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {content_id}"] if content_id else []
    lines += ["", f"{method} {url} HTTP/1.1", "Content-Type: application/json", ""]
    return "\r\n".join([*lines, "" if body is None else json.dumps(body)])


def change_set(*parts: str) -> str:
    inner = "".join(f"--cs\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/mixed; boundary="cs"\r\n\r\n{inner}--cs--\r\n'


def packed(*parts: str) -> str:
    return "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"


def send(api: Api, content: str | bytes, **headers: str) -> httpx.Response:
    given = {"Content-Type": "multipart/mixed; boundary=b", **headers}
    return api.http.post("$batch", content=content, headers=given)


def statuses(reply: httpx.Response) -> list[int]:
    return [int(code) for code in re.findall(r"HTTP/1\.1 (\d+)", reply.text)]


def test_requests_run_in_order_and_answers_come_in_order(api: Api, account: str) -> None:
    reply = send(
        api,
        packed(
            http("PATCH", f"/api/data/v9.2/accounts({account})", {"name": "first"}),
            http("GET", f"{api.root}accounts({account})?$select=name"),
            http("PATCH", f"accounts({account})", {"name": "second"}),
            http("GET", f"accounts({account})/name"),
        ),
    )
    assert reply.status_code == 200
    assert statuses(reply) == [204, 200, 204, 200]
    assert re.findall(r'"(?:name|value)":"(\w+)"', reply.text) == ["first", "second"]
    assert reply.headers["Content-Type"].startswith("multipart/mixed; boundary=batchresponse_")
    assert "Content-Type: application/json; odata.metadata=minimal; odata.streaming=true" in reply.text


def test_a_change_set_refers_to_what_it_made(api: Api) -> None:
    reply = send(
        api,
        packed(
            change_set(
                http("POST", "contacts", {"lastname": "Ref"}, "1"),
                http("POST", "accounts", {"name": "Made", "primarycontactid@odata.bind": "$1"}, "2"),
                http("PATCH", "$2", {"telephone1": "5"}, "3"),
                http("PUT", "$1/jobtitle", {"value": "CTO"}, "4"),
                http("POST", "$2/contact_customer_accounts/$ref", {"@odata.id": "$1"}, "5"),
            )
        ),
    )
    assert reply.status_code == 200
    assert statuses(reply) == [204] * 5
    assert re.findall(r"Content-ID: (\d)", reply.text) == ["1", "2", "3", "4", "5"]
    assert "boundary=changesetresponse_" in reply.text
    account = re.search(r"OData-EntityId: \S+accounts\(([^)]+)\)", reply.text)
    assert account is not None
    row = api(
        "GET",
        f"accounts({account[1]})?$select=telephone1&$expand=primarycontactid($select=jobtitle,_parentcustomerid_value)",
    ).json()
    assert row["telephone1"] == "5"
    assert row["primarycontactid"]["jobtitle"] == "CTO"
    assert row["primarycontactid"]["_parentcustomerid_value"] == account[1]


def test_a_reference_works_for_a_representation_too(api: Api) -> None:
    first = http("POST", "contacts", {"lastname": "R"}, "1").replace(
        "Content-Type: application/json", "Content-Type: application/json\r\nPrefer: return=representation"
    )
    reply = send(api, packed(change_set(first, http("PATCH", "$1", {"jobtitle": "x"}, "2"))))
    assert statuses(reply) == [201, 204]
    assert ":entity" not in reply.text


def test_a_failed_change_set_is_undone_and_answers_with_one_part(api: Api, nobody: str) -> None:
    parts = (
        change_set(
            http("POST", "accounts", {"name": "undone"}, "1"),
            http("POST", "accounts", {"nosuch": 1}, "2"),
            http("POST", "accounts", {"name": "undone"}, "3"),
        ),
        http("POST", "accounts", {"accountid": nobody, "name": "after"}),
    )
    stopped = send(api, packed(*parts))
    assert (stopped.status_code, statuses(stopped)) == (400, [400])
    assert "changesetresponse" not in stopped.text
    assert api("GET", f"accounts({nobody})").status_code == 404
    went_on = send(api, packed(*parts), **GOES_ON)
    assert (went_on.status_code, statuses(went_on)) == (200, [400, 204])
    assert api("GET", "accounts/$count?$filter=name eq 'undone'").text.lstrip("\ufeff") == "0"
    assert "REQ_ID: " in stopped.text


def test_a_failure_outside_a_change_set_keeps_what_was_done_before(api: Api, nobody: str) -> None:
    parts = (
        http("POST", "accounts", {"accountid": nobody, "name": "kept"}),
        http("GET", f"contacts({nobody})"),
        http("DELETE", f"accounts({nobody})"),
    )
    reply = send(api, packed(*parts))
    assert (reply.status_code, statuses(reply)) == (400, [204, 404])
    assert api("GET", f"accounts({nobody})").status_code == 200


def test_an_undeclared_reference(api: Api) -> None:
    reply = send(api, packed(change_set(http("PATCH", "$1", {"name": "x"}, "1"))))
    assert reply.status_code == 400
    assert "Content-ID Reference: '$1' does not exist in the batch context." in reply.text
    reply = send(api, packed(http("POST", "accounts", {"primarycontactid@odata.bind": "$7"})))
    assert "Content-ID Reference: '$7' does not exist in the batch context." in reply.text


def test_no_get_in_a_change_set_and_no_batch_in_a_batch(api: Api) -> None:
    assert statuses(send(api, packed(change_set(http("GET", "accounts"))))) == [400]
    assert statuses(send(api, packed(http("POST", "$batch", {})))) == [400]


def test_line_ends(api: Api) -> None:
    content = packed(http("GET", "accounts?$top=1&$select=name"))
    assert send(api, content.replace("\r\n", "\n")).status_code == 200
    refused = send(api, content.removesuffix("\r\n"))
    assert refused.status_code == 400
    assert refused.json()["error"] == {"code": "0x80048d19", "message": "Stream was not readable."}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"--b\r\n",
        b"--b--\r\nno part at all",
        b"--other--\r\n",
        b"--b\r\nContent-Type: text/plain\r\n\r\nGET x HTTP/1.1\r\n\r\n--b--\r\n",
        b"--b\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b--\r\n",
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_as_a_whole(api: Api, content: bytes) -> None:
    reply = send(api, content)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "0x80048d19"


def test_the_content_type_must_name_a_boundary(api: Api) -> None:
    content = packed(http("GET", "accounts"))
    for content_type in ("application/json", "multipart/mixed"):
        assert send(api, content, **{"Content-Type": content_type}).json()["error"]["code"] == "0x80048d19"
    assert send(api, content, **{"Content-Type": 'multipart/mixed;charset=utf-8;boundary="b"'}).status_code == 200


def test_a_thousand_requests_and_no_more(api: Api) -> None:
    part = http("GET", "WhoAmI")
    api.http.delete(f"{api.sandbox.url}/_sandbox/requests")
    full = send(api, packed(*[part] * 1000))
    assert (full.status_code, len(statuses(full))) == (200, 1000)
    assert api.sandbox.requests[-1]["parts"] == 1000
    over = send(api, packed(*[part] * 600, change_set(*[http("POST", "accounts", {})] * 401)))
    assert over.status_code == 400
    assert "'1000'" in over.json()["error"]["message"]


def test_urls_may_be_longer_inside_a_batch(api: Api) -> None:
    url = "accounts?$select=name&$top=1&$filter=" + " or ".join(["name eq 'a long enough literal to count'"] * 1000)
    assert len(url) > 32_768
    assert statuses(send(api, packed(http("GET", url.replace(" ", "%20")[:60_000].rpartition("%20or%20")[0])))) == [200]
    assert api.http.get("accounts", params={"$filter": "name eq '" + "x" * 33_000 + "'"}).status_code == 414
    assert statuses(send(api, packed(http("GET", "accounts?$filter=name%20eq%20'" + "x" * 66_000 + "'")))) == [414]


def test_deletes_in_a_batch(api: Api) -> None:
    ids = [api.create("accounts", {"name": "many"}) for _ in range(3)]
    reply = send(api, packed(*[http("DELETE", f"accounts({row_id})") for row_id in ids]))
    assert statuses(reply) == [204] * 3
    assert api("GET", "accounts/$count?$filter=name eq 'many'").text.lstrip("\ufeff") == "0"
