"""Parts of a content put together: by whatever headers tell where they belong, never with a gap or an overlap."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sqlalchemy_dynamics.errors import DataverseError, OperationalError
from sqlalchemy_dynamics.execute.downloads import pieces, range_of, size_of
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

CONTENT = bytes(range(256)) * 20_000  # a little more than one part
Told = Callable[[int, int], dict[str, str]]


def serving(told: Told, content: bytes = CONTENT) -> Callable[[HttpRequest], HttpResponse]:
    """A service that answers with parts, and with the headers that `told` makes of their first byte and length."""

    def send(request: HttpRequest) -> HttpResponse:
        first, last = map(int, re.findall(r"\d+", request.headers["Range"]))
        part = content[first : last + 1]
        headers = {name.lower(): value for name, value in told(first, len(part)).items()}
        return HttpResponse(206, headers, part)

    return send


@pytest.mark.parametrize(
    "told",
    [
        lambda first, length: {"Content-Range": f"bytes {first}-{first + length - 1}/{len(CONTENT)}"},
        lambda first, length: {"x-ms-file-size": str(len(CONTENT))},
        lambda first, length: {} if first else {"x-ms-file-size": str(len(CONTENT))},
    ],
    ids=["range", "size", "size once"],
)
def test_parts_in_order(told: Told) -> None:
    found = list(pieces(serving(told), "x"))
    assert b"".join(part.data for part in found) == CONTENT and len(found) == 2
    assert range_of(serving(told), "x", 0) == found[0]


def test_a_service_without_ranges() -> None:
    found = list(pieces(lambda request: HttpResponse(200, {"x-ms-file-name": "a%20b"}, CONTENT), "x"))
    assert [part.data for part in found] == [CONTENT] and found[0].name == "a b"
    assert size_of(lambda request: HttpResponse(204), "x") is None
    assert list(pieces(lambda request: HttpResponse(204), "x")) == []


@pytest.mark.parametrize(
    "told",
    [
        lambda first, length: {},
        lambda first, length: {"Content-Range": "bytes 5-9/100"},
        lambda first, length: {"Content-Range": f"bytes {first}-{first + length}/{len(CONTENT)}"},
        lambda first, length: {"x-ms-file-size": str(len(CONTENT) + 7)},
    ],
    ids=["nothing told", "another part", "longer", "cut off"],
)
def test_parts_that_do_not_fit(told: Told) -> None:
    with pytest.raises(OperationalError, match="read it again"):
        list(pieces(serving(told), "x"))


@pytest.mark.parametrize("change", ["size", "tag"])
def test_another_content_on_the_way(change: str) -> None:
    def told(first: int, length: int) -> dict[str, str]:
        total = len(CONTENT) + (1 if first and change == "size" else 0)
        tag = "2" if first and change == "tag" else "1"
        return {"Content-Range": f"bytes {first}-{first + length - 1}/{total}", "ETag": tag}

    with pytest.raises(OperationalError, match="changed while it was read"):
        list(pieces(serving(told), "x"))


def test_an_image_without_its_full_size_gives_what_there_is() -> None:
    def send(request: HttpRequest) -> HttpResponse:
        if request.url.endswith("?size=full"):
            raise DataverseError("No FileAttachment records found for imagedescriptorId", status=404, code="0x80040217")
        return HttpResponse(200, {}, b"small")

    assert [part.data for part in pieces(send, "x/$value?size=full")] == [b"small"]
