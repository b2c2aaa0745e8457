"""The metadata cache on disk: the `$metadata` document and the enriched tables of one organisation.

Nothing is pickled. Writers replace whole files, so readers and other writers never see half of one; a file that is
damaged, foreign or of another format counts as absent. What cannot be written is not kept.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from sqlalchemy_dynamics.metadata.model import Table

__all__ = ["DiskCache", "StoredDocument", "default_folder"]

_FORMAT = 2


class _Header(msgspec.Struct):
    format: int
    root: str
    version: str


class _StoredTable(msgspec.Struct):
    format: int
    edition: str
    table: Table


@dataclass(frozen=True)
class StoredDocument:
    """A `$metadata` document, the organisation's metadata version when it was fetched ("" unknown), and the time
    (seconds since 1970) when it was last known to be current."""

    document: bytes
    version: str
    checked: float


def default_folder() -> Path | None:
    """The user's cache folder for this package: XDG_CACHE_HOME, else where the platform keeps caches.

    None for users without a home, as containers run under.
    """
    try:
        return _base_folder() / "sqlalchemy-dynamics"
    except RuntimeError:
        return None


def _base_folder() -> Path:
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"])
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path.home() / ".cache"


class DiskCache:
    """The files of one organisation. `root` is its service root; `identity` tells whose labels the tables hold
    (labels come in the user's language), None keeps tables off the disk."""

    def __init__(self, folder: Path, root: str, identity: str | None) -> None:
        digest = hashlib.sha256(root.encode()).hexdigest()[:12]
        self._root = root
        self._folder = folder / f"{quote(urlsplit(root).hostname or '', safe='')}-{digest}"
        self._document = self._folder / "metadata.gz"
        self._tables = self._folder / f"tables-{identity[:16]}" if identity else None

    def document(self) -> StoredDocument | None:
        """The kept document, or None."""
        try:
            checked = self._document.stat().st_mtime
            head, _, body = gzip.decompress(self._document.read_bytes()).partition(b"\n")
            header = msgspec.json.decode(head, type=_Header)
        except (OSError, EOFError, zlib.error, msgspec.MsgspecError):
            return None
        if header.format != _FORMAT or header.root != self._root:
            return None
        return StoredDocument(body, header.version, checked)

    def keep_document(self, stored: StoredDocument) -> None:
        """Replace the kept document."""
        head = msgspec.json.encode(_Header(_FORMAT, self._root, stored.version))
        self._replace(self._document, gzip.compress(head + b"\n" + stored.document, compresslevel=4))
        self.keep_checked(stored.checked)

    def keep_checked(self, checked: float) -> None:
        """Note that the kept document was current at that time."""
        with contextlib.suppress(OSError):
            os.utime(self._document, (checked, checked))

    def table(self, name: str, edition: str) -> Table | None:
        """The kept table of that name and edition of the metadata, or None."""
        if self._tables is None:
            return None
        try:
            stored = msgspec.json.decode(self._file(self._tables, name).read_bytes(), type=_StoredTable)
        except (OSError, msgspec.MsgspecError):
            return None
        fits = (stored.format, stored.edition, stored.table.name) == (_FORMAT, edition, name)
        return stored.table if fits else None

    def keep_table(self, table: Table, edition: str) -> None:
        """Replace the kept table of that name."""
        if self._tables is not None:
            stored = _StoredTable(_FORMAT, edition, table)
            self._replace(self._file(self._tables, table.name), msgspec.json.encode(stored, enc_hook=dict))

    @staticmethod
    def _file(folder: Path, name: str) -> Path:
        return folder / f"{quote(name, safe='')}.json"

    @staticmethod
    def _replace(path: Path, content: bytes) -> None:
        """Write a new file (mode 0600) and rename it over the old one."""
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.replace(temporary, path)
            except OSError:
                os.unlink(temporary)
