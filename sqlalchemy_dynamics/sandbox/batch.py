"""`POST $batch` (section 6.2): requests one after the other, change sets all or nothing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import nullcontext

from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused, no_such_segment
from sqlalchemy_dynamics.sandbox.multipart import Part, http_part, join_parts, malformed, read_batch
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.router import answer, error_reply
from sqlalchemy_dynamics.sandbox.wire import API_PATHS, Reply, Request, Service

__all__ = ["ENTITY", "REFERENCE", "batch"]

REFERENCE = ":ref:"
"""Prefix of the request header that tells what ``$n`` stands for (`binding` reads it); never on the wire."""
ENTITY = ":entity"
"""Reply header with the address of the row written, relative to the service root; never on the wire."""
BATCH_LIMIT = 1000
_CONTINUE = "odata.continue-on-error"
_TO_ROOT = re.compile(r"^[^?]*/api/data/v\d\.\d/")
_REFERRED = re.compile(r"^\$([\w-]+)")
_INHERITED = ("callerobjectid", "mscrmcallerid")


class _Undone(Exception):
    """A change set failed: leaves its transaction and carries the reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def batch(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer a batch: 200 with every reply, or 400 that ends with the first failed one.

    Raises ODataError 400 for what makes the batch as a whole unreadable, 1001 requests included.
    """
    if request.batched:
        raise malformed("A batch must not contain another batch.")
    items = read_batch(request.headers.get("content-type", ""), request.body)
    count = sum(len(item) if isinstance(item, list) else 1 for item in items)
    if count > BATCH_LIMIT:
        raise Refused(service.switches.batch_too_large, limit=BATCH_LIMIT)
    parts, failed = _run(service, request, items)
    boundary = f"batchresponse_{uuid.uuid4()}"
    headers = {"Content-Type": f"multipart/mixed; boundary={boundary}", ":parts": str(count)}
    if _CONTINUE in request.prefer:
        headers["Preference-Applied"] = _CONTINUE
    return Reply(400 if failed else 200, headers, join_parts(parts, boundary))


def _run(service: Service, request: Request, items: list[Part | list[Part]]) -> tuple[list[bytes], bool]:
    goes_on = _CONTINUE in request.prefer
    parts: list[bytes] = []
    for item in items:
        if isinstance(item, list):
            text, failed = _change_set(service, request, item)
        else:
            reply = _answer(service, request, item, {})
            text, failed = http_part(reply, item.content_id), reply.status >= 400
        parts.append(text)
        if failed and not goes_on:
            return parts, True
    return parts, False


def _change_set(service: Service, request: Request, items: list[Part]) -> tuple[bytes, bool]:
    unit = nullcontext() if _all_elastic(service, items) else service.store.transaction()
    try:
        with unit:
            parts = list(_in_order(service, request, items))
    except _Undone as undone:
        return http_part(undone.reply), True
    boundary = f"changesetresponse_{uuid.uuid4()}"
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    return head + join_parts(parts, boundary), False


def _all_elastic(service: Service, items: list[Part]) -> bool:
    """Tell whether a change set writes elastic rows only, which it does not hold together (section 6.2)."""
    heads = (re.split(r"[(/?]", _TO_ROOT.sub("", item.url), maxsplit=1)[0] for item in items)
    tables = [service.organisation.table_of_set(head) for head in heads]
    return bool(tables) and all(table is not None and table.table_type == "Elastic" for table in tables)


def _in_order(service: Service, request: Request, items: list[Part]) -> Iterator[bytes]:
    references: dict[str, str] = {}
    for item in items:
        if item.method == "GET":
            raise _Undone(_finished(error_reply(malformed("A change set must not contain a GET request."))))
        reply = _answer(service, request, item, references)
        if reply.status >= 400:
            raise _Undone(reply)
        if item.content_id:
            references[item.content_id] = reply.headers.pop(ENTITY, "")
        yield http_part(reply, item.content_id)


def _answer(service: Service, outer: Request, item: Part, references: Mapping[str, str]) -> Reply:
    inherited = {name: outer.headers[name] for name in _INHERITED if name in outer.headers}
    try:
        path, query, root = _address(outer, referred(item.url, references))
    except ODataError as refusal:
        return _finished(error_reply(refusal))
    headers = {**inherited, **item.headers, **{f"{REFERENCE}{name}": address for name, address in references.items()}}
    return _finished(answer(service, Request(item.method, path, query, headers, item.body, root, True, outer.user)))


def referred(url: str, references: Mapping[str, str]) -> str:
    """Return an address with its leading ``$n`` replaced; other addresses as they are. Raises ODataError 400."""
    match = _REFERRED.match(url.removeprefix("/"))
    if match is None or match[1] in ("metadata", "batch"):
        return url
    if not references.get(match[1]):
        raise ODataError(400, "0x80048d19", f"Content-ID Reference: '{match[0]}' does not exist in the batch context.")
    return references[match[1]] + url.removeprefix("/")[match.end() :]


def _address(outer: Request, url: str) -> tuple[str, str, str]:
    """Return path (relative to the service root), query and root of an inner URL."""
    whole, _, query = url.partition("?")
    if re.match(r"https?://", whole, re.IGNORECASE):
        whole = re.sub(r"^https?://[^/]*", "", whole, flags=re.IGNORECASE)
    elif not whole.startswith("/"):
        return whole, query, outer.root
    prefix = next((prefix for prefix in API_PATHS if f"{whole}/".startswith(prefix)), None)
    if prefix is None:
        raise no_such_segment(whole.strip("/").partition("/")[0])
    origin = "/".join(outer.root.split("/", 3)[:3])
    return whole[len(prefix) :], query, f"{origin}{prefix}"


def _finished(reply: Reply) -> Reply:
    headers = {"OData-Version": "4.0", **reply.headers}
    if reply.status >= 400:
        headers.setdefault("REQ_ID", str(uuid.uuid4()))
    if headers.get("Content-Type", "").startswith("application/json;"):
        headers["Content-Type"] += "; odata.streaming=true"
    return Reply(reply.status, headers, reply.body)
