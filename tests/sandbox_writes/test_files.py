"""File and image columns: whole, chunked, by actions, ranges, deletion."""

from __future__ import annotations

import base64
import os

import pytest

from .conftest import Api

BYTES = {"Content-Type": "application/octet-stream"}
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG of that size: as much as is looked at."""
    return PIXEL[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + PIXEL[24:]


@pytest.fixture
def url(api: Api) -> str:
    return f"new_samples({api.create('new_samples', {'new_name': 'with file'})})/new_document"


def put(api: Api, url: str, content: bytes, **headers: str) -> int:
    return api.http.patch(url, content=content, headers={**BYTES, "x-ms-file-name": "a.txt", **headers}).status_code


def test_a_whole_file(api: Api, url: str) -> None:
    assert put(api, url, b"hello", **{"x-ms-file-name": "tw%C3%B6.txt"}) == 204
    reply = api("GET", f"{url}/$value")
    assert (reply.status_code, reply.content) == (200, b"hello")
    assert (reply.headers["x-ms-file-name"], reply.headers["x-ms-file-size"]) == ("tw%C3%B6.txt", "5")
    row = api("GET", url.removesuffix("/new_document") + "?$select=new_document,new_document_name").json()
    assert row["new_document_name"] == "twö.txt"
    assert len(row["new_document"]) == 36
    assert put(api, url, b"again", **{"If-None-Match": "null"}) == 412
    assert put(api, url, b"again", **{"If-Match": "*"}) == 204
    assert api("DELETE", url).status_code == 204
    assert api("GET", f"{url}/$value").status_code == 204


def test_ranges(api: Api, url: str) -> None:
    put(api, url, b"0123456789")
    part = api("GET", f"{url}/$value", Range="bytes=2-4")
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert api("GET", f"{url}/$value", Range="bytes=8-").content == b"89"
    assert api("GET", f"{url}/$value", Range="bytes=10-").status_code == 416


def test_chunks(api: Api, url: str) -> None:
    content = os.urandom(5_000_000)
    started = api.http.patch(f"{url}?x-ms-file-name=big.bin", headers={"x-ms-transfer-mode": "chunked"})
    assert (started.status_code, started.headers["Accept-Ranges"]) == (200, "bytes")
    size, place = int(started.headers["x-ms-chunk-size"]), started.headers["Location"]
    assert "sessiontoken=" in place
    found = []
    for start in range(0, len(content), size):
        chunk = content[start : start + size]
        span = f"bytes {start}-{start + len(chunk) - 1}/{len(content)}"
        found.append(put(api, place, chunk, **{"Content-Range": span}))
    assert found == [206, 204]
    assert api("GET", f"{url}/$value").content == content
    assert put(api, place, b"late", **{"Content-Range": "bytes 0-3/4"}) == 400


def test_chunks_must_follow_on_each_other(api: Api, url: str) -> None:
    place = api.http.patch(f"{url}?x-ms-file-name=b", headers={"x-ms-transfer-mode": "chunked"}).headers["Location"]
    assert put(api, place, b"56", **{"Content-Range": "bytes 5-6/9"}) == 400
    assert put(api, place, b"01") == 400
    assert put(api, place, b"01", **{"Content-Range": "bytes 0-1/2"}) == 204


def test_blocks(api: Api, url: str) -> None:
    row = {"@odata.type": "Microsoft.Dynamics.CRM.new_sample", "new_sampleid": url[12:48]}
    target = {"Target": row, "FileAttributeName": "new_document"}
    token = api("POST", "InitializeFileBlocksUpload", {**target, "FileName": "b.txt"}).json()["FileContinuationToken"]
    for name, block in (("two", b"world"), ("one", b"hello ")):
        body = {"BlockId": name, "BlockData": base64.b64encode(block).decode(), "FileContinuationToken": token}
        assert api("POST", "UploadBlock", body).status_code == 204
    commit = {
        "FileName": "b.txt",
        "MimeType": "text/plain",
        "BlockList": ["one", "two"],
        "FileContinuationToken": token,
    }
    done = api("POST", "CommitFileBlocksUpload", commit)
    assert (done.status_code, done.json()["FileSizeInBytes"]) == (200, 11)
    opened = api("POST", "InitializeFileBlocksDownload", target).json()
    assert (opened["FileName"], opened["FileSizeInBytes"]) == ("b.txt", 11)
    wanted = {"Offset": 6, "BlockLength": 100, "FileContinuationToken": opened["FileContinuationToken"]}
    assert base64.b64decode(api("POST", "DownloadBlock", wanted).json()["Data"]) == b"world"
    assert api("POST", "DeleteFile", {"FileId": done.json()["FileId"]}).status_code == 204
    assert api("GET", f"{url}/$value").status_code == 204


def test_refusals(api: Api, url: str, nobody: str) -> None:
    column = api.sandbox.service.organisation.tables["new_sample"].columns["new_document"]
    column.max_size_kb, before = 1, column.max_size_kb
    try:
        reply = api.http.patch(url, content=b"x" * 1025, headers={**BYTES, "x-ms-file-name": "a"})
    finally:
        column.max_size_kb = before
    assert reply.json()["error"] == {"code": "0x80044a02", "message": "Attachment file size is too big."}
    assert api.http.patch(url, content=b"x", headers=BYTES).status_code == 400
    assert api.http.patch(f"new_samples({nobody})/new_document", content=b"x", headers=BYTES).status_code == 404
    assert put(api, url.replace("new_document", "new_name"), b"x") == 405
    assert api.refused("POST", "new_samples", {"new_document": nobody})[0] == 400


def test_more_refusals(api: Api, url: str) -> None:
    assert put(api, url, b"x", **{"x-ms-file-name": "run.EXE"}) == 400
    row = {"@odata.type": "Microsoft.Dynamics.CRM.new_sample", "new_sampleid": url[12:48]}
    target = {"Target": row, "FileAttributeName": "new_document"}
    assert api.refused("POST", "InitializeFileBlocksUpload", {**target, "FileName": "a.js"}) == (400, "0x80043e09")
    token = api("POST", "InitializeFileBlocksUpload", {**target, "FileName": "a"}).json()["FileContinuationToken"]
    block = {"BlockId": "one", "FileContinuationToken": token}
    large = base64.b64encode(bytes(4 * 1024 * 1024 + 1)).decode()
    assert api.refused("POST", "UploadBlock", {**block, "BlockData": large}) == (400, "0x80044a02")
    assert api.refused("POST", "UploadBlock", {**block, "BlockData": "?"})[0] == 400
    assert api.refused("POST", "UploadBlock", {**block, "BlockData": "", "FileContinuationToken": "x"})[0] == 400
    commit = {"FileName": "a", "MimeType": "a/b", "BlockList": ["one"], "FileContinuationToken": token}
    assert api.refused("POST", "CommitFileBlocksUpload", commit)[0] == 400
    assert api("GET", f"{url}/$value").status_code == 204
    put(api, url, b"0123456789")
    opened = api("POST", "InitializeFileBlocksDownload", target).json()["FileContinuationToken"]
    assert api.refused("POST", "UploadBlock", {**block, "BlockData": "eA==", "FileContinuationToken": opened})[0] == 400
    for option in ("$filter=new_document%20ne%20null", "$orderby=new_document", "$filter=new_picture%20ne%20null"):
        assert api.refused("GET", f"new_samples?{option}") == (400, "0x80060888")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("bytes=-3", (206, b"789")), ("lines=0-1", (200, b"0123456789")), ("bytes=5-2", (200, b"0123456789"))],
)
def test_ranges_of_other_forms(api: Api, url: str, asked: str, answered: tuple[int, bytes]) -> None:
    put(api, url, b"0123456789")
    part = api("GET", f"{url}/$value", Range=asked)
    assert (part.status_code, part.content) == answered


def test_images_in_full_size_beside_their_thumbnails(api: Api) -> None:
    large = png(300, 200)
    row = api.create("new_samples", {"new_name": "seen", "new_picture": base64.b64encode(large).decode()})
    shown = base64.b64decode(api.row("new_samples", row, "new_picture")["new_picture"])
    assert shown != large and shown[16:24] == (144).to_bytes(4, "big") + (96).to_bytes(4, "big")
    assert api("GET", f"new_samples({row})/new_picture/$value").content == shown
    assert api("GET", f"new_samples({row})/new_picture/$value?size=full").content == large


def test_images_travel_in_the_body(api: Api, account: str) -> None:
    text = base64.b64encode(PIXEL).decode()
    assert api("PATCH", f"accounts({account})", {"entityimage": text}).status_code == 204
    row = api.row("accounts", account, "entityimage,entityimage_url,entityimage_timestamp,entityimageid")
    assert row["entityimage"] == text
    assert row["entityimage_url"].startswith("/Image/download.aspx?Entity=account&Attribute=entityimage")
    assert row["entityimage_timestamp"] > 0
    assert api("GET", f"accounts({account})/entityimage/$value").content == PIXEL
    assert api.refused("GET", f"accounts({account})/entityimage/$value?size=full") == (404, "0x80040217")
    assert api.refused("PATCH", f"accounts({account})", {"entityimage": "bm8="}) == (400, "0x80072553")
    assert api("PATCH", f"accounts({account})", {"entityimage": None}).status_code == 204
    assert api.row("accounts", account, "entityimage,entityimageid")["entityimageid"] is None
    assert api.http.patch(f"accounts({account})/entityimage", content=PIXEL, headers=BYTES).status_code == 204
    assert api("DELETE", f"accounts({account})/entityimage").status_code == 204
