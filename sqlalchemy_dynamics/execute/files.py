"""Contents of file and image columns on their way to the service: whole when small, in blocks when large.

A file is there when its last request is answered, and only then: until it, the cell holds what it held. So what is lost
on the way is sent again, and a file that could not be sent in full is not there in part.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy_dynamics.errors import DataError, OperationalError
from sqlalchemy_dynamics.execute.existing import row_of
from sqlalchemy_dynamics.execute.persisting import Persistence
from sqlalchemy_dynamics.execute.sources import Source, source_of, whole
from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.odata import changes
from sqlalchemy_dynamics.odata.changes import remove_value, row_address
from sqlalchemy_dynamics.odata.messages import HttpRequest

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["Cell", "Content", "Upload", "content_of", "image_of", "send_file"]

_NAMESPACE = "Microsoft.Dynamics.CRM"


@dataclass(frozen=True)
class Cell:
    """A file or image column of a row."""

    table: Table
    column: Column
    key: str

    @property
    def row(self) -> str:
        """The row's address below the service root."""
        return row_address(self.table.entity_set, self.key)


@dataclass(frozen=True)
class Content:
    """What a file column is set to; without a `source` it is emptied."""

    column: Column
    name: str
    source: Source | None


def content_of(column: Column, value: object, name: object = None) -> Content:
    """Return the content that a value stands for: a source, a pair of file name and source, or None.

    Raises DataError for anything else, and for a content that is known to be too large.
    """
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        name, value = value
    source = None if value is None else _source(column, value)
    return Content(column, "" if name is None else str(name), source)


def image_of(column: Column, value: object) -> object:
    """Return an image, which travels in the row, as bytes; other values as they are."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        value = value[1]
    if value is None or isinstance(value, str):
        return value
    found = whole(_source(column, value))
    _check_size(column, len(found))
    return found


def _source(column: Column, value: object) -> Source:
    source = source_of(value)
    if source is None:
        raise DataError(
            f"{column.name} holds files: give bytes, a binary file object, an iterator of bytes, or a pair of file "
            f"name and one of these, not {type(value).__name__}"
        )
    _check_size(column, source.size or 0)
    return source


def _check_size(column: Column, size: int) -> None:
    if column.max_kb is not None and size > column.max_kb * 1024:
        raise DataError(
            f"{column.name} takes files of up to {column.max_kb:,} KB, this one has {-(-size // 1024):,} KB"
        )


def send_file(session: Session, cell: Cell, content: Content, headers: Mapping[str, str]) -> None:
    """Set a file column of a row that exists. Doing so twice changes nothing more: lost answers are asked for anew."""
    if content.source is None:
        session.send(replace(remove_value(cell.row, cell.column.wire), headers=headers, repeatable=True))
        return
    upload = Upload(session, cell, content.name, headers)
    for piece in content.source.pieces():
        upload.name = upload.name or content.source.name
        upload.add(piece)
    upload.finish()


class Upload:
    """One content, sent piece by piece: `add` each piece, of full length but for the last, then `finish`.

    Blocks carry ids of their own, so that one sent twice is there once. An upload that is not finished leaves nothing.
    """

    def __init__(self, session: Session, cell: Cell, name: str, headers: Mapping[str, str]) -> None:
        self._session, self._cell, self._headers = session, cell, headers
        self.name = name
        self._held: bytes | None = None
        self._image = bytearray()
        self._token = ""
        self._blocks: list[str] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Send a piece; the first one waits for a second. Raises DataError once it is too much for the column."""
        self._size += len(piece)
        _check_size(self._cell.column, self._size)
        if self._cell.column.kind is Kind.IMAGE:
            self._image += piece
            return
        if self._held is None and not self._blocks:
            self._held = piece
            return
        if self._held is not None:
            self._send_block(self._held)
            self._held = None
        self._send_block(piece)

    def finish(self) -> None:
        """Send what is left; now the cell holds the content."""
        if self._cell.column.kind is Kind.IMAGE:
            self._send_image()
        elif self._blocks:
            self._commit()
        else:
            self._send_whole(self._held or b"")

    @property
    def _file_name(self) -> str:
        return self.name or f"{self._cell.column.name}.bin"

    def _send_image(self) -> None:
        body = {self._cell.column.wire: base64.b64encode(self._image).decode()}
        request = changes.update(self._cell.row, body)
        self._session.send(replace(request, headers={**self._headers, **request.headers}, repeatable=True))

    def _send_whole(self, data: bytes) -> None:
        given = {"Content-Type": "application/octet-stream", "x-ms-file-name": quote(self._file_name)}
        url = f"{self._cell.row}/{self._cell.column.wire}"
        self._session.send(HttpRequest("PATCH", url, {**self._headers, **given}, data, repeatable=True))

    def _send_block(self, data: bytes) -> None:
        if not self._token:
            self._token = self._begun()
        block = base64.b64encode(f"{len(self._blocks):08}".encode()).decode()
        head = json.dumps({"FileContinuationToken": self._token, "BlockId": block})[:-1].encode()
        body = b"".join((head, b',"BlockData":"', base64.b64encode(data), b'"}'))
        self._session.send(self._action("UploadBlock", body))
        self._blocks.append(block)

    def _begun(self) -> str:
        column, table = self._cell.column, self._cell.table
        target = {"@odata.type": f"{_NAMESPACE}.{table.name}", table.columns[table.primary_key].wire: self._cell.key}
        body = {"Target": target, "FileAttributeName": column.wire, "FileName": self._file_name}
        reply = self._session.send(self._action("InitializeFileBlocksUpload", json.dumps(body).encode()))
        token = _members(reply.body).get("FileContinuationToken")
        if not token:
            raise OperationalError("the service began an upload and gave no token to go on with; try again")
        return str(token)

    def _commit(self) -> None:
        """The one request that may not be repeated blindly: after it, its token is gone."""
        before = self._file_id()
        body = {
            "FileName": self._file_name,
            "MimeType": "application/octet-stream",
            "BlockList": self._blocks,
            "FileContinuationToken": self._token,
        }
        request = replace(self._action("CommitFileBlocksUpload", json.dumps(body).encode()), repeatable=False)
        answer = Persistence(self._session).send(request)
        if answer.reply is not None:
            self._check_stored(_members(answer.reply.body).get("FileSizeInBytes"))
        elif answer.lost and self._file_id() not in (before, None):
            return
        elif answer.unknown:
            raise OperationalError(f"outcome unknown: the answer to the last request was lost ({answer.error})")
        elif answer.error is not None:
            raise answer.error

    def _check_stored(self, size: object) -> None:
        if isinstance(size, int) and size != self._size:
            raise OperationalError(f"the service stored {size:,} bytes of {self._size:,}; send the file again")

    def _file_id(self) -> object:
        row = row_of(self._session.send, self._cell.table, self._cell.key, (self._cell.column,))
        return None if row is None else row.get(self._cell.column.wire)

    def _action(self, name: str, body: bytes) -> HttpRequest:
        return HttpRequest("POST", name, {**self._headers, "Content-Type": "application/json"}, body, repeatable=True)


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise OperationalError("the service answered an upload with something else than JSON; check the proxy")
    return found
