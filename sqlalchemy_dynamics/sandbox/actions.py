"""Actions that read their body themselves: blocks of files, mass deletion (sections 5.7, 6.1)."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy_dynamics.sandbox.bulkdelete import bulk_delete
from sqlalchemy_dynamics.sandbox.failures import bad_request, no_such_row
from sqlalchemy_dynamics.sandbox.filecolumns import CHUNK, File, FileSlot, check_name, load_file, save_file
from sqlalchemy_dynamics.sandbox.targets import row_of
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Handler, Reply, Request, Service, json_reply, response_type

__all__ = ["WRITING_ACTIONS"]

Json = Mapping[str, Any]


def _parameter(body: Json, name: str) -> Any:
    if body.get(name) is None:
        raise bad_request(f"Required field '{name}' is missing.", "0x80040200")
    return body[name]


def _answer(request: Request, name: str, members: dict[str, object]) -> Reply:
    return json_reply({"@odata.context": f"{request.root}$metadata#{response_type(name)}", **members})


def _slot(service: Service, request: Request, body: Json) -> FileSlot:
    table, row_id = row_of(service, request, _parameter(body, "Target"))
    name = str(_parameter(body, "FileAttributeName"))
    column = table.columns.get(name)
    if column is None or column.kind not in ("File", "Image"):
        raise bad_request(f"'{name}' is no file column of '{table.name}'.", "0x80040203")
    return FileSlot(table, row_id, column)


def _session(service: Service, body: Json, purpose: str) -> dict[str, Any]:
    sessions = service.state.setdefault("blocks", {})
    found: dict[str, Any] | None = sessions.get(_parameter(body, "FileContinuationToken"))
    if found is None or purpose not in found:
        raise bad_request("The FileContinuationToken does not exist or has ended.", "0x80040203")
    return found


def _open(service: Service, **members: object) -> str:
    token = str(uuid.uuid4())
    service.state.setdefault("blocks", {})[token] = members
    return token


def start_upload(service: Service, request: Request) -> Reply:
    """Answer InitializeFileBlocksUpload."""
    body = request.json()
    name = str(_parameter(body, "FileName"))
    slot = _slot(service, request, body)
    check_name(service, slot, name)
    token = _open(service, slot=slot, blocks={}, name=name)
    return _answer(request, "InitializeFileBlocksUpload", {"FileContinuationToken": token})


def upload_block(service: Service, request: Request) -> Reply:
    """Answer UploadBlock: at most 4 MB of base64."""
    body = request.json()
    try:
        content = base64.b64decode(str(_parameter(body, "BlockData")), validate=True)
    except binascii.Error:
        raise bad_request("BlockData must be base64.", "0x80048d19") from None
    if len(content) > CHUNK:
        raise bad_request("Attachment file size is too big.", "0x80044a02")
    _session(service, body, "blocks")["blocks"][_parameter(body, "BlockId")] = content
    return Reply(204)


def commit_upload(service: Service, request: Request) -> Reply:
    """Answer CommitFileBlocksUpload: the blocks of the list, in its order, become the file."""
    body = request.json()
    session = _session(service, body, "blocks")
    blocks = session["blocks"]
    listed = _parameter(body, "BlockList")
    if any(block not in blocks for block in listed):
        raise bad_request("The BlockList names a block that was not uploaded.", "0x80040203")
    file = File(
        str(body.get("FileName") or session["name"]),
        str(body.get("MimeType") or "application/octet-stream"),
        b"".join(blocks[block] for block in listed),
    )
    file_id = save_file(service, request, session["slot"], file)
    del service.state["blocks"][body["FileContinuationToken"]]
    return _answer(request, "CommitFileBlocksUpload", {"FileId": file_id, "FileSizeInBytes": len(file.content)})


def start_download(service: Service, request: Request) -> Reply:
    """Answer InitializeFileBlocksDownload."""
    slot = _slot(service, request, request.json())
    file = load_file(service, slot)
    if file is None:
        raise bad_request(f"No file attachment found for attribute: {slot.column.name}.", "0x80040217")
    return _answer(
        request,
        "InitializeFileBlocksDownload",
        {
            "FileContinuationToken": _open(service, file=file),
            "FileSizeInBytes": len(file.content),
            "FileName": file.name,
            "IsChunkingSupported": True,
        },
    )


def download_block(service: Service, request: Request) -> Reply:
    """Answer DownloadBlock."""
    body = request.json()
    content: bytes = _session(service, body, "file")["file"].content
    offset, length = int(body.get("Offset") or 0), int(body.get("BlockLength") or CHUNK)
    return _answer(request, "DownloadBlock", {"Data": base64.b64encode(content[offset : offset + length]).decode()})


def delete_file(service: Service, request: Request) -> Reply:
    """Answer DeleteFile by the file's id."""
    file_id = str(_parameter(request.json(), "FileId")).lower()
    for table in service.organisation.tables.values():
        for column in (column for column in table.columns.values() if column.kind == "File" and not table.abstract):
            service.store.touch(table.name)
            sql = f"SELECT {sql_name(table.primary_id)} FROM {sql_name(table.name)} WHERE {sql_name(column.name)} = ?"
            for row in service.store.query(sql, (file_id,)):
                save_file(service, request, FileSlot(table, str(row[0]), column), None)
                return Reply(204)
    raise no_such_row("fileattachment", file_id)


WRITING_ACTIONS: dict[str, Handler] = {
    "InitializeFileBlocksUpload": start_upload,
    "UploadBlock": upload_block,
    "CommitFileBlocksUpload": commit_upload,
    "InitializeFileBlocksDownload": start_download,
    "DownloadBlock": download_block,
    "DeleteFile": delete_file,
    "BulkDelete": bulk_delete,
}
"""Unbound actions, for `operations.ACTIONS`."""
