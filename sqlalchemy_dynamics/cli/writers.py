"""Rows as CSV, JSON, JSON lines; Arrow batches as Parquet and Arrow streams. All stream. (Tables: grid.py)"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, TextIO

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BINARY_WRITERS", "Blocks", "TextWriter", "cell", "unique", "write_csv", "write_json", "write_jsonl"]

Blocks = Iterable[Sequence[Sequence[Any]]]
TextWriter = Callable[[Sequence[str], Blocks, TextIO], None]
BinaryWriter = Callable[["pa.RecordBatchReader", IO[bytes]], None]

_TEXTS: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    Decimal: lambda value: format(value, "f"),
    bytes: lambda value: base64.b64encode(value).decode(),
}


def cell(value: object) -> str:
    """A value as text: ISO times, exact decimals, true and false, base64 for bytes; "" for NULL."""
    return "" if value is None else _TEXTS.get(type(value), str)(value)


def write_csv(names: Sequence[str], blocks: Blocks, stream: TextIO) -> None:
    """A header and one line per row; NULL is an empty field."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    for block in blocks:
        writer.writerows([cell(value) for value in row] for row in block)


def write_json(names: Sequence[str], blocks: Blocks, stream: TextIO) -> None:
    """An array of objects, one on each line; decimals are numbers with all their digits."""
    before = "["
    for line in _objects(names, blocks):
        stream.write(f"{before}\n{line}")
        before = ","
    stream.write("[]\n" if before == "[" else "\n]\n")


def write_jsonl(names: Sequence[str], blocks: Blocks, stream: TextIO) -> None:
    """One object per line."""
    for line in _objects(names, blocks):
        stream.write(line + "\n")


def _objects(names: Sequence[str], blocks: Blocks) -> Iterator[str]:
    encoder = msgspec.json.Encoder(decimal_format="number")
    keys = unique(names)
    for block in blocks:
        for row in block:
            yield encoder.encode(dict(zip(keys, row, strict=True))).decode()


def unique(names: Sequence[str]) -> list[str]:
    """The names, a repeated one with a number behind it: ``name``, ``name_2``."""
    found: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found.append(candidate)
    return found


def _write_parquet(reader: pa.RecordBatchReader, stream: IO[bytes]) -> None:
    from pyarrow import parquet

    with parquet.ParquetWriter(_Counting(stream), reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def _write_arrow(reader: pa.RecordBatchReader, stream: IO[bytes]) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(_Counting(stream), reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


class _Counting(io.RawIOBase):
    """A sink that knows its position, which a pipe does not; pyarrow asks for it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        written = len(memoryview(data).cast("B"))
        self._stream.write(data)
        self._position += written
        return written

    def tell(self) -> int:
        return self._position


BINARY_WRITERS: dict[str, BinaryWriter] = {"parquet": _write_parquet, "arrow": _write_arrow}
