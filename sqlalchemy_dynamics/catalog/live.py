"""The catalogue of one organisation, shared by all sessions of the process that see it the same way."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from sqlalchemy_dynamics.catalog.asking import enriched, is_refusal
from sqlalchemy_dynamics.catalog.disk import DiskCache, StoredDocument, default_folder
from sqlalchemy_dynamics.errors import DataverseError, OperationalError
from sqlalchemy_dynamics.metadata import csdl
from sqlalchemy_dynamics.metadata.model import Model, Table
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.session.cache import ProcessCache
from sqlalchemy_dynamics.settings import Settings

__all__ = ["Catalog", "open_catalog"]

_METADATA = HttpRequest("GET", "$metadata", {"Accept": "application/xml"}, repeatable=True)
# The cheapest reply that carries the version (dataverse-web-api 1.4: it changes on any schema change).
_VERSION = HttpRequest(
    "GET",
    "organizations?$select=organizationid&$top=1",
    {"Prefer": 'odata.include-annotations="*"'},
    repeatable=True,
)
# What tells one user's labels from another's; a bare token does not tell whose it is.
_IDENTITY = ("User", "OAuthClientId", "OAuthSettingsLocation", "CallerObjectId")


class Session(Protocol):
    """What the catalogue needs of a session."""

    @property
    def root(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def settings(self) -> Settings: ...
    def send(self, request: HttpRequest) -> HttpResponse: ...


class _VersionReply(msgspec.Struct):
    version: str = msgspec.field(name="@Microsoft.Dynamics.CRM.globalmetadataversion", default="")


@dataclass
class _Edition:
    """One state of the organisation's metadata; `checked` is when it was last known to be current."""

    model: Model
    version: str
    checked: float
    number: int
    enriched: dict[str, Table] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What tables on disk must agree with."""
        return f"{self.version}:{self.model.stamp}"


@dataclass
class _Shared:
    """What all catalogues of one key share. `lock` guards everything: several threads asking make one request."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    edition: _Edition | None = None
    loads: int = 0
    distrusted: bool = False


_SHARED: ProcessCache[_Shared] = ProcessCache(64)


def open_catalog(session: Session, *, clock: Callable[[], float] = time.time) -> Catalog:
    """Return the catalogue the session sees; sends nothing. `clock` gives seconds since 1970."""
    return Catalog(session, _SHARED.get(session.key, _Shared), clock)


class Catalog:
    """The organisation's tables. Thread-safe.

    Metadata younger than MetadataTTL is used as it is; older is re-validated by one cheap request, and fetched anew
    when it changed or cannot tell. Methods raise what `session.send` raises, and OperationalError when the
    organisation answers with something that is not metadata.
    """

    def __init__(self, session: Session, shared: _Shared, clock: Callable[[], float]) -> None:
        self._session = session
        self._shared = shared
        self._clock = clock
        self._lifetime = session.settings.seconds("MetadataTTL")
        self._disk = _disk_cache(session)

    @property
    def stamp(self) -> str:
        """Changes whenever the model or the enriched tables may have changed."""
        edition = self._current()
        return f"{edition.model.stamp}.{edition.number}"

    def model(self) -> Model:
        """The tables as `$metadata` tells them, not enriched."""
        return self._current().model

    def document(self) -> bytes:
        """The `$metadata` document itself: from the disk where it is kept there, else fetched again."""
        edition = self._current()
        stored = self._disk.document() if self._disk else None
        if stored is not None and stored.version == edition.version:
            return stored.document
        return self._session.send(_METADATA).body

    def names(self) -> tuple[str, ...]:
        """The logical names of the tables that can be queried, sorted."""
        return tuple(sorted(set(self.model().entity_sets.values())))

    def table(self, name: str) -> Table | None:
        """The enriched table of that logical or entity set name in any case, or None."""
        return self.tables([name]).get(name)

    def tables(self, names: Iterable[str]) -> dict[str, Table]:
        """The enriched tables of those names, by the names as given; unknown names are left out.

        All that are not known yet are asked for together. A table whose definition is refused stays plain.
        """
        with self._shared.lock:
            edition = self._current()
            plain = {name: table for name in names if (table := edition.model.table(name))}
            missing = {table.name: table for table in plain.values() if table.name not in edition.enriched}
            self._enrich(edition, list(missing.values()))
            return {name: edition.enriched[table.name] for name, table in plain.items()}

    def refresh(self) -> None:
        """Forget everything: the next question fetches the metadata anew. Sends nothing."""
        with self._shared.lock:
            self._shared.edition = None
            self._shared.distrusted = True

    def _current(self) -> _Edition:
        with self._shared.lock:
            edition = self._shared.edition
            if edition is None:
                edition = self._load()
            elif not self._is_fresh(edition.checked):
                edition = self._revalidated(edition)
            self._shared.edition = edition
            return edition

    def _is_fresh(self, checked: float) -> bool:
        return 0 <= self._clock() - checked < self._lifetime

    def _load(self) -> _Edition:
        kept = None if self._shared.distrusted else self._kept()
        if kept is None:
            return self._fetch(self._version())
        return kept if self._is_fresh(kept.checked) else self._revalidated(kept)

    def _kept(self) -> _Edition | None:
        """The edition on disk, or None when there is none that can be read."""
        stored = self._disk.document() if self._disk else None
        if stored is None:
            return None
        with contextlib.suppress(OperationalError):
            return self._edition(stored)
        return None

    def _revalidated(self, edition: _Edition) -> _Edition:
        version = self._version()
        if not version or version != edition.version:
            return self._fetch(version)
        edition.checked = self._clock()
        if self._disk:
            self._disk.keep_checked(edition.checked)
        return edition

    def _fetch(self, version: str) -> _Edition:
        """`version` was asked for before: a change in between makes the document look older than it is, never newer."""
        stored = StoredDocument(self._session.send(_METADATA).body, version, self._clock())
        edition = self._edition(stored)
        if self._disk:
            self._disk.keep_document(stored)
        self._shared.distrusted = False
        return edition

    def _edition(self, stored: StoredDocument) -> _Edition:
        self._shared.loads += 1
        return _Edition(csdl.parse(stored.document), stored.version, stored.checked, self._shared.loads)

    def _version(self) -> str:
        """The organisation's metadata version, "" when it does not tell. Not asked of loopback hosts."""
        if self._disk is None:
            return ""
        try:
            return msgspec.json.decode(self._session.send(_VERSION).body, type=_VersionReply).version
        except msgspec.MsgspecError:
            return ""
        except DataverseError as error:
            if is_refusal(error):
                return ""
            raise

    def _enrich(self, edition: _Edition, tables: Sequence[Table]) -> None:
        kept = {table.name: self._disk.table(table.name, edition.name) if self._disk else None for table in tables}
        edition.enriched.update((name, table) for name, table in kept.items() if table)
        for table in enriched(self._session.send, [table for table in tables if not kept[table.name]]):
            edition.enriched[table.name] = table
            if self._disk and table.enriched:
                self._disk.keep_table(table, edition.name)


def _disk_cache(session: Session) -> DiskCache | None:
    """None for organisations on this machine, whose ports are used again by others, and without any folder."""
    host = urlsplit(session.root).hostname or ""
    if _is_loopback(host):
        return None
    settings = session.settings
    location = settings.text("CacheLocation")
    folder = Path(location) if location else default_folder()
    if folder is None:
        return None
    identity = None if settings.text("OAuthAccessToken") else settings.digest(_IDENTITY)
    return DiskCache(folder, session.root, identity)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
