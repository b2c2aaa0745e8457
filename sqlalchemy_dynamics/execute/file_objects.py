"""Files of rows as Python's binary file objects: read in ranges, written in blocks."""

from __future__ import annotations

import io
from types import TracebackType
from typing import Any

from sqlalchemy_dynamics.errors import DataError
from sqlalchemy_dynamics.execute.downloads import Range, next_range, range_of
from sqlalchemy_dynamics.execute.files import Upload
from sqlalchemy_dynamics.execute.sources import PIECE
from sqlalchemy_dynamics.odata.messages import Send

__all__ = ["FileReader", "FileWriter"]


class FileReader(io.BufferedIOBase):
    """A file of a row to read from, at any place; 4 MB of it are in memory. `name` is the file's own."""

    def __init__(self, send: Send, address: str, missing: str) -> None:
        self._send, self._address = send, address
        first = range_of(send, address, 0)
        if first is None:
            raise DataError(missing)
        self._part: Range = first
        self._place = 0
        self.name = first.name

    @property
    def size(self) -> int:
        """The size of the whole file in bytes."""
        return self._part.total

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is fetched."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError(f"there is no place {start + offset} in a file")
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, fewer only at the end; all that are left by default."""
        self._check_open()
        wanted = self.size - self._place if size is None or size < 0 else size
        parts: list[bytes] = []
        while wanted > 0 and (part := self.read1(wanted)):
            parts.append(part)
            wanted -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        """Return bytes with one request at most."""
        self._check_open()
        if self._place >= self.size:
            return b""
        part = self._part
        if not part.start <= self._place < part.start + len(part.data):
            part = self._part = next_range(self._send, self._address, self._place, part)
        start = self._place - part.start
        data = part.data[start : start + size] if size >= 0 else part.data[start:]
        self._place += len(data)
        return data

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the file is closed")


class FileWriter(io.BufferedIOBase):
    """A file of a row to write to. It is the row's once it is closed; after an error in ``with`` it is dropped."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._held = bytearray()

    @property
    def name(self) -> str:
        """The file's name."""
        return self._upload.name

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        """Take bytes, sending every 4 MB. Raises DataError once they are too many for the column."""
        if self.closed:
            raise ValueError("the file is closed")
        view = memoryview(data).cast("B")
        for start in range(0, len(view), PIECE):
            self._held += view[start : start + PIECE]
            while len(self._held) >= PIECE:
                with memoryview(self._held) as whole:
                    piece = bytes(whole[:PIECE])
                del self._held[:PIECE]
                self._upload.add(piece)
        return len(view)

    def close(self) -> None:
        """Send what is left. Closing twice does no harm."""
        if not self.closed:
            try:
                if self._held:
                    self._upload.add(bytes(self._held))
                self._upload.finish()
            finally:
                self.discard()

    def discard(self) -> None:
        """Close without sending the rest: the row keeps the file it had."""
        self._held.clear()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        self.discard()
