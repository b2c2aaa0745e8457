"""The link to the next page, found before the page's rows are decoded, so that the next request can leave at once."""

from __future__ import annotations

import msgspec

__all__ = ["next_link"]

_MEMBER = b'"@odata.nextLink":"'
_TAIL_BYTES = 1 << 16


class _Reply(msgspec.Struct):
    link: str | None = msgspec.field(default=None, name="@odata.nextLink")


_decoder = msgspec.json.Decoder(_Reply)


def next_link(body: bytes) -> str | None:
    """Return the next link of a page, None when it has none or the body is no JSON object.

    The service writes it behind the rows (dataverse-web-api: paging); only elsewhere is the whole body read for it.
    """
    start = body.rfind(_MEMBER, max(0, len(body) - _TAIL_BYTES))
    if start >= 0:
        link, quote, rest = body[start + len(_MEMBER) :].partition(b'"')
        outermost = b"]" not in rest and rest.count(b"}") == 1
        if quote and outermost and link.isascii() and b"\\" not in link:
            return link.decode()
    try:
        return _decoder.decode(body).link
    except msgspec.MsgspecError:
        return None
