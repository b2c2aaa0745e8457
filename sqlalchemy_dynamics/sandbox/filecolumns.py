"""File and image columns: whole and chunked uploads, downloads with ranges, deletion (section 5.7)."""

from __future__ import annotations

import base64
import re
import time
import uuid
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sqlalchemy_dynamics.sandbox import reads
from sqlalchemy_dynamics.sandbox.callers import caller_of
from sqlalchemy_dynamics.sandbox.defaults import complete_update
from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request
from sqlalchemy_dynamics.sandbox.resources import Resource, find_row, key_error
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.thumbnails import thumbnail
from sqlalchemy_dynamics.sandbox.validation import checked_value
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service

__all__ = [
    "CHUNK",
    "File",
    "FileSlot",
    "check_name",
    "delete_file",
    "download",
    "load_file",
    "save_file",
    "settle_images",
    "upload",
]

CHUNK = 4_194_304
_MOST_AT_ONCE = 128 * 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class File:
    """The content of a file column."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True)
class FileSlot:
    """Where a file goes: a column of a row."""

    table: Table
    row_id: str
    column: Column


def settle_images(service: Service, table: Table, values: dict[str, object]) -> None:
    """Leave a thumbnail of each image among the values, the whole beside the rows where the column keeps it, and add
    url, timestamp and id."""
    for column in table.columns.values():
        if column.kind != "Image" or column.name not in values:
            continue
        stamp = time.time_ns() // 1_000_000
        given = values[column.name] is not None
        image_id = str(uuid.uuid4())
        if given:
            content = base64.b64decode(str(values[column.name]))
            values[column.name] = base64.b64encode(thumbnail(content)).decode()
            if column.full_image:
                _keep(service, image_id, File(f"{column.name}.png", "application/octet-stream", content))
        url = f"/Image/download.aspx?Entity={table.name}&Attribute={column.name}&Timestamp={stamp}"
        parts = {"_url": url, "_timestamp": stamp, "id": image_id}
        for suffix, value in parts.items():
            if f"{column.name}{suffix}" in table.columns:
                values[f"{column.name}{suffix}"] = value if given else None


def _touch(service: Service) -> None:
    service.store.execute(
        'CREATE TABLE IF NOT EXISTS "files:content" (id TEXT PRIMARY KEY, name TEXT, mime TEXT, content BLOB)',
        counts=False,
    )


def _keep(service: Service, file_id: str, file: File) -> None:
    _touch(service)
    service.store.execute(
        'INSERT INTO "files:content" VALUES (?, ?, ?, ?)', (file_id, file.name, file.mime_type, file.content)
    )


def load_file(service: Service, slot: FileSlot, full: bool = False) -> File | None:
    """Return what a file or image column holds, None when it is empty; of an image the thumbnail, or with `full` what
    was stored. Raises ODataError 404 for an image that is not kept in full size."""
    row = service.store.row(slot.table, slot.row_id) or {}
    held = row.get(slot.column.name)
    if held is None:
        return None
    if slot.column.kind == "Image":
        if full:
            return _full_image(service, slot, row.get(f"{slot.column.name}id"))
        return File(f"{slot.column.name}.png", "application/octet-stream", base64.b64decode(str(held)))
    return _kept(service, held)


def _full_image(service: Service, slot: FileSlot, image_id: object) -> File:
    found = _kept(service, image_id) if slot.column.full_image else None
    if found is None:
        raise ODataError(  # the words are UNVERIFIED
            404,
            "0x80040217",
            f"No FileAttachment records found for imagedescriptorId: {image_id} for image attribute: "
            f"{slot.column.name} of {slot.table.name} record with id {slot.row_id}",
        )
    return found


def _kept(service: Service, held: object) -> File | None:
    _touch(service)
    found = service.store.query('SELECT name, mime, content FROM "files:content" WHERE id = ?', (held,))
    if not found:
        return None
    name, mime_type, content = found[0]
    return File(str(name), str(mime_type), content if isinstance(content, bytes) else b"")


def check_name(service: Service, slot: FileSlot, name: str) -> None:
    """Raises ODataError 400 for a file whose ending the organisation blocks (organization.blockedattachments)."""
    table = service.organisation.tables.get("organization")
    row = service.store.row(table, service.organization_id) if table and slot.column.kind == "File" else None
    blocked = str((row or {}).get("blockedattachments") or "").lower().split(";")
    if "." in name and name.rpartition(".")[2].lower() in blocked:
        text = "The attachment is either not a valid type or is too large. It cannot be uploaded or downloaded."
        raise bad_request(text, "0x80043e09")


def save_file(service: Service, request: Request, slot: FileSlot, file: File | None) -> str:
    """Store or drop (None) the content of a column; returns the file's id. Raises ODataError 400 when it is too big."""
    if file is not None and len(file.content) > slot.column.max_size_kb * 1024:
        raise bad_request("Attachment file size is too big.", "0x80044a02")
    if file is not None:
        check_name(service, slot, file.name)
    values: dict[str, object] = {}
    file_id = str(uuid.uuid4()) if file is not None else ""
    with service.store.transaction():
        if slot.column.kind == "Image":
            text = None if file is None else base64.b64encode(file.content).decode()
            values[slot.column.name] = checked_value(service, slot.table, slot.column, text)
            settle_images(service, slot.table, values)
        else:
            _replace(service, slot, file_id, file)
            values = {slot.column.name: file_id or None}
            if f"{slot.column.name}_name" in slot.table.columns:
                values[f"{slot.column.name}_name"] = None if file is None else file.name
        complete_update(service, caller_of(service, request), slot.table, values)
        service.store.update(slot.table, slot.row_id, values)
    return file_id


def _replace(service: Service, slot: FileSlot, file_id: str, file: File | None) -> None:
    _touch(service)
    before = (service.store.row(slot.table, slot.row_id) or {}).get(slot.column.name)
    service.store.execute('DELETE FROM "files:content" WHERE id = ?', (before,))
    if file is not None:
        _keep(service, file_id, file)


def slot_of(service: Service, resource: Resource) -> FileSlot:
    """Return the column of a row that a path names; raises ODataError 404 for a missing row, 405 for other columns."""
    if resource.column is None or resource.column.kind not in ("File", "Image"):
        raise key_error(resource)
    return FileSlot(resource.rows, find_row(service, resource), resource.column)


def upload(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer PATCH on a file or image column: the whole content, the start of a chunked upload, or a chunk."""
    slot = slot_of(service, resource)
    if "sessiontoken" in request.options:
        return _chunk(service, request, slot)
    held = (service.store.row(slot.table, slot.row_id) or {}).get(slot.column.name)
    if request.headers.get("if-none-match", "").strip('"') in ("null", "*") and held is not None:
        raise ODataError(412, "0x80060882", "The file column already holds a file.")
    if request.headers.get("x-ms-transfer-mode", "").lower() == "chunked":
        return _start(service, request, slot)
    if len(request.body) > _MOST_AT_ONCE:
        raise bad_request("Attachment file size is too big.", "0x80044a02")
    save_file(service, request, slot, File(_file_name(request, slot), _mime(request), request.body))
    return Reply(204)


def _file_name(request: Request, slot: FileSlot) -> str:
    name = request.headers.get("x-ms-file-name") or request.options.get("x-ms-file-name", "")
    if not name and slot.column.kind == "File":
        raise bad_request("The file name is missing: send it as x-ms-file-name.", "0x80048d19")
    try:
        return unquote(name.encode("latin-1").decode("utf-8"))
    except UnicodeError:
        return unquote(name)


def _mime(request: Request) -> str:
    return request.headers.get("content-type", "application/octet-stream")


def _start(service: Service, request: Request, slot: FileSlot) -> Reply:
    token = str(uuid.uuid4())
    sessions = service.state.setdefault("uploads", {})
    name = _file_name(request, slot)
    check_name(service, slot, name)
    sessions[token] = (name, bytearray())
    location = f"{request.root}{request.path}?sessiontoken={token}"
    return Reply(200, {"Location": location, "x-ms-chunk-size": str(CHUNK), "Accept-Ranges": "bytes"})


def _chunk(service: Service, request: Request, slot: FileSlot) -> Reply:
    sessions = service.state.setdefault("uploads", {})
    token = request.options["sessiontoken"]
    if token not in sessions:
        raise bad_request("The upload session does not exist or has ended.", "0x80048d19")
    name, content = sessions[token]
    match = _CONTENT_RANGE.fullmatch(request.headers.get("content-range", "").strip())
    if match is None or int(match[2]) >= int(match[3]) or len(request.body) > CHUNK:
        raise bad_request("The Content-Range of a chunk must be 'bytes first-last/total'.", "0x80048d19")
    first, last, total = int(match[1]), int(match[2]), int(match[3])
    if first != len(content) or last - first + 1 != len(request.body):
        raise bad_request("The Content-Range of the chunk does not follow on the chunk before.", "0x80048d19")
    content += request.body
    if len(content) < total:
        return Reply(206)
    del sessions[token]
    save_file(service, request, slot, File(name, "application/octet-stream", bytes(content)))
    return Reply(204)


def download(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET …/column/$value: bytes of file and image columns, with `Range`; text of other columns."""
    if resource.column is None or resource.column.kind not in ("File", "Image"):
        return reads.raw_value(service, request, resource)
    file = load_file(service, slot_of(service, resource), request.options.get("size") == "full")
    if file is None:
        return Reply(204)
    headers = {
        "Content-Type": "application/octet-stream",
        "Accept-Ranges": "bytes",
        "x-ms-file-name": quote(file.name),
        "x-ms-file-size": str(len(file.content)),
        "mimetype": file.mime_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
    }
    span = _span(request.headers.get("range", ""), len(file.content))
    if span is None:
        return Reply(200, headers, file.content)
    first, last = span
    if first >= len(file.content):
        return Reply(416, {"Content-Range": f"bytes */{len(file.content)}"})
    part = file.content[first : last + 1]
    headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{len(file.content)}"
    return Reply(206, headers, part)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of a Range; None for one that is not understood, which is passed over (RFC 9110)."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    first, last = int(match[1]), int(match[2] or size - 1)
    return None if match[2] and first > last else (first, last)


def delete_file(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer DELETE on a file or image column."""
    save_file(service, request, slot_of(service, resource), None)
    return Reply(204)
