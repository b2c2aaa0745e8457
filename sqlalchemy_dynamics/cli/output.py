"""Where rows go: a file or standard output, in one of the formats, with a progress line while they come."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TextIO

from sqlalchemy_dynamics.cli.grid import write_table
from sqlalchemy_dynamics.cli.usage import UsageError
from sqlalchemy_dynamics.cli.writers import (
    BINARY_WRITERS,
    Blocks,
    TextWriter,
    write_csv,
    write_json,
    write_jsonl,
)

if TYPE_CHECKING:
    from sqlalchemy_dynamics.dbapi import Cursor

__all__ = ["FORMATS", "TEXT_FORMATS", "Output", "Progress"]

_TEXT_WRITERS: dict[str, TextWriter] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
}
TEXT_FORMATS = tuple(_TEXT_WRITERS)
FORMATS = (*_TEXT_WRITERS, *BINARY_WRITERS)

_BLOCK = 1000


class Progress:
    """A line on stderr that counts rows; only when that is a terminal and the rows go elsewhere."""

    def __init__(self, stream: TextIO, shown: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if shown and stream.isatty() else None
        self._clock = clock
        self._next = 0.0
        self._rows = 0

    def counted(self, blocks: Iterable[Any], size: Callable[[Any], int] = len) -> Iterator[Any]:
        """Pass the blocks on, saying five times a second how many rows there were."""
        try:
            for block in blocks:
                self._rows += size(block)
                self._show()
                yield block
        finally:
            if self._stream is not None:
                self._stream.write("\r\x1b[K")
                self._stream.flush()

    def _show(self) -> None:
        if self._stream is not None and self._clock() >= self._next:
            self._next = self._clock() + 0.2
            self._stream.write(f"\r{self._rows:,} rows")
            self._stream.flush()


class Output:
    """Writes the rows of a command as its ``--format`` and ``--output`` say. The file is opened when rows are there."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._format: str = arguments.format
        self._file: str | None = arguments.output
        terminal = self._file is None and sys.stdout.isatty()
        if terminal and self._format in BINARY_WRITERS:
            raise UsageError(f"--format {self._format} is not for a terminal; add --output FILE, or pipe it")
        self._progress = Progress(sys.stderr, shown=not terminal)

    @property
    def aside(self) -> TextIO:
        """Where remarks about the rows go: below a printed table, otherwise to stderr."""
        return sys.stdout if self._format == "table" and self._file is None else sys.stderr

    def write_cursor(self, cursor: Cursor, shown: Callable[[Blocks], Blocks] | None = None) -> None:
        """Write a statement's rows, or say how many it changed. `shown` goes over rows that may hold secrets."""
        if cursor.description is None:
            print(f"{max(cursor.rowcount, 0):,} rows changed", file=self.aside)
        elif self._format in BINARY_WRITERS:
            if shown is not None:
                raise UsageError(f"--format {self._format} is not for rows that may hold secrets; use a text format")
            self._write_batches(cursor)
        else:
            names = [column[0] for column in cursor.description]
            blocks: Blocks = iter(lambda: cursor.fetchmany(_BLOCK), [])
            self.write_rows(names, blocks if shown is None else shown(blocks))

    def write_rows(self, names: Sequence[str], blocks: Blocks) -> None:
        """Write rows in a text format."""
        with self._text() as stream:
            _TEXT_WRITERS[self._format](names, self._progress.counted(blocks), stream)

    def _write_batches(self, cursor: Cursor) -> None:
        import pyarrow as pa

        reader = cursor.fetch_record_batch()
        batches = self._progress.counted(reader, lambda batch: int(batch.num_rows))
        with self._binary() as stream:
            BINARY_WRITERS[self._format](pa.RecordBatchReader.from_batches(reader.schema, batches), stream)

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        if self._file is None:
            yield sys.stdout
        else:
            with open(self._file, "w", encoding="utf-8", newline="") as stream:
                yield stream

    @contextmanager
    def _binary(self) -> Iterator[IO[bytes]]:
        if self._file is None:
            yield sys.stdout.buffer
        else:
            with open(self._file, "wb") as stream:
                yield stream
