from __future__ import annotations

import gzip
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sqlalchemy_dynamics.catalog import Catalog, asking, live, open_catalog
from sqlalchemy_dynamics.catalog.disk import default_folder
from sqlalchemy_dynamics.errors import DataverseError, DataverseOperationalError, OperationalError
from sqlalchemy_dynamics.metadata.definitions import requests_for
from sqlalchemy_dynamics.odata.faults import check
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.settings import Settings, from_url
from tests.metadata.answers import ACCOUNT_DEFINITIONS, Definitions, attribute
from tests.metadata.documents import SMALL

CONTACT_DEFINITIONS = Definitions(
    {"LogicalName": "contact", "PrimaryNameAttribute": "fullname"}, [attribute("fullname", "String", MaxLength=50)]
)
PART = re.compile(rb"^GET (\S+) HTTP/1.1\r$", re.MULTILINE)
REFUSED = HttpResponse(403, body=b'{"error": {"code": "0x80040220", "message": "SecLib::AccessCheckEx failed."}}')


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Organisation:
    """What stands behind the sessions: its document, its metadata version, and what it was asked."""

    def __init__(self) -> None:
        self.document = SMALL
        self.version = "100"
        self.definitions = {"account": ACCOUNT_DEFINITIONS, "contact": CONTACT_DEFINITIONS}
        self.refusals: dict[str, HttpResponse] = {}
        self.asked: list[str] = []
        self.parts: list[str] = []

    def answer(self, request: HttpRequest) -> HttpResponse:
        what = re.match(r"\$?\w+", request.url)
        assert what is not None
        self.asked.append(what[0])
        if what[0] in self.refusals:
            return self.refusals[what[0]]
        return {"$metadata": self._metadata, "organizations": self._organizations, "$batch": self._batch}[what[0]](
            request
        )

    def _metadata(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {"content-type": "application/xml"}, self.document)

    def _organizations(self, request: HttpRequest) -> HttpResponse:
        assert "annotations" in request.headers["Prefer"]
        said = f'"@Microsoft.Dynamics.CRM.globalmetadataversion":"{self.version}",' if self.version else ""
        return HttpResponse(200, body=f'{{{said}"value":[{{"organizationid":"1"}}]}}'.encode())

    def _batch(self, request: HttpRequest) -> HttpResponse:
        urls = [url.decode() for url in PART.findall(request.body or b"")]
        self.parts += urls
        bodies = b"".join(b"--b\r\n" + self._part(url) + b"\r\n" for url in urls)
        return HttpResponse(200, {"content-type": "multipart/mixed; boundary=b"}, bodies + b"--b--\r\n")

    def _part(self, url: str) -> bytes:
        table = url.partition("'")[2].partition("'")[0]
        known = self.definitions.get(table)
        reply = known.answer(HttpRequest("GET", url)) if known else HttpResponse(404, body=b"{}")
        head = f"Content-Type: application/http\r\n\r\nHTTP/1.1 {reply.status} x\r\n\r\n"
        return head.encode() + reply.body


class Session:
    """One process's session with the organisation."""

    def __init__(self, organisation: Organisation, settings: Settings, root: str, key: str) -> None:
        self.settings = settings
        self.root = root
        self.key = (key, root)
        self._organisation = organisation

    def send(self, request: HttpRequest) -> HttpResponse:
        reply = self._organisation.answer(request)
        return reply if reply.header("content-type").startswith("multipart/") else check(reply)


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    live._SHARED.clear()
    yield
    live._SHARED.clear()


class Processes:
    """Catalogues as separate processes would have them: nothing shared but the organisation and the disk."""

    def __init__(self, organisation: Organisation, clock: Clock, folder: Path) -> None:
        self.organisation = organisation
        self.clock = clock
        self.folder = folder
        self.count = 0

    def start(self, host: str = "contoso.crm.dynamics.com", key: str = "", more: str = "") -> Catalog:
        self.count += 1
        settings = from_url(f"dynamics://{host}/?CacheLocation={self.folder}{more}", environ={})
        session = Session(self.organisation, settings, f"https://{host}/api/data/v9.2/", key or str(self.count))
        return open_catalog(session, clock=self.clock)

    @property
    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
def processes(organisation: Organisation, clock: Clock, tmp_path: Path) -> Processes:
    return Processes(organisation, clock, tmp_path / "cache")


def test_opening_sends_nothing(processes: Processes) -> None:
    processes.start()
    assert processes.organisation.asked == []


def test_tables_are_enriched_by_one_batch(processes: Processes) -> None:
    catalog = processes.start()
    account = catalog.table("account")
    assert account is not None and account.enriched and account.columns["name"].length == 160
    assert catalog.table("Accounts") is account
    assert processes.organisation.asked == ["organizations", "$metadata", "$batch"]


def test_names_are_those_of_tables_that_can_be_queried(processes: Processes) -> None:
    names = processes.start().names()
    assert names == ("account", "accountleads", "activitypointer", "contact", "systemuser", "task", "team")


def test_unknown_names_cost_nothing_more(processes: Processes) -> None:
    catalog = processes.start()
    assert catalog.table("SELECT * FROM account WHERE name = 'x'") is None
    assert catalog.tables(["nosuch"]) == {}
    assert "$batch" not in processes.organisation.asked


def test_many_tables_are_asked_for_together(processes: Processes) -> None:
    found = processes.start().tables(["accounts", "contact", "nosuch", "account"])
    assert list(found) == ["accounts", "contact", "account"]
    assert found["accounts"] is found["account"]
    assert processes.organisation.asked.count("$batch") == 1
    assert processes.organisation.parts[0].startswith("EntityDefinitions(LogicalName='account')?$select=")


def test_large_sets_of_tables_go_in_several_batches(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = processes.start()
    most = len(requests_for(catalog.model().tables["account"])) + 1
    monkeypatch.setattr(asking, "PARTS_PER_BATCH", most)
    found = catalog.tables(["account", "contact"])
    assert [table.enriched for table in found.values()] == [True, True]
    assert processes.organisation.asked.count("$batch") == 2


def test_several_threads_make_one_request(processes: Processes) -> None:
    catalogs = [processes.start(key="same") for _ in range(8)]
    threads = [threading.Thread(target=catalog.table, args=("account",)) for catalog in catalogs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert processes.organisation.asked == ["organizations", "$metadata", "$batch"]


def test_sessions_of_one_key_share_in_the_process(processes: Processes) -> None:
    first, second = processes.start(key="same"), processes.start(key="same")
    assert first.table("account") is second.table("account")
    assert first.stamp == second.stamp


@pytest.mark.parametrize("status", [403, 404, 501])
def test_a_refused_batch_leaves_tables_plain_and_is_not_repeated(processes: Processes, status: int) -> None:
    processes.organisation.refusals["$batch"] = HttpResponse(status, body=REFUSED.body)
    catalog = processes.start()
    tables = [catalog.table("account"), catalog.table("account")]
    assert all(table is not None and not table.enriched for table in tables)
    assert processes.organisation.asked.count("$batch") == 1
    assert not any("tables-" in str(path) for path in processes.files)


def test_a_definition_not_found_leaves_that_table_plain(processes: Processes) -> None:
    found = processes.start().tables(["account", "team"])
    assert (found["account"].enriched, found["team"].enriched) == (True, False)


def test_a_failed_batch_is_an_error_and_asked_again(processes: Processes) -> None:
    processes.organisation.refusals["$batch"] = HttpResponse(503)
    catalog = processes.start()
    with pytest.raises(DataverseOperationalError):
        catalog.table("account")
    del processes.organisation.refusals["$batch"]
    table = catalog.table("account")
    assert table is not None and table.enriched


def test_a_page_instead_of_metadata_is_an_error_and_not_kept(processes: Processes) -> None:
    processes.organisation.document = b"<!DOCTYPE html><html/>"
    with pytest.raises(OperationalError, match="HTML"):
        processes.start().model()
    assert processes.files == []


def test_metadata_that_is_refused_is_the_services_error(processes: Processes) -> None:
    processes.organisation.refusals["$metadata"] = REFUSED
    with pytest.raises(DataverseError) as caught:
        processes.start().model()
    assert caught.value.status == 403


def test_another_process_reads_the_disk(processes: Processes) -> None:
    first = processes.start().table("account")
    processes.organisation.asked.clear()
    second = processes.start().table("account")
    assert second == first and second is not first
    assert processes.organisation.asked == []


def test_the_document_comes_from_the_disk_where_it_is_kept(processes: Processes) -> None:
    catalog = processes.start()
    assert catalog.document() == SMALL
    assert processes.organisation.asked.count("$metadata") == 1
    assert processes.start("localhost").document() == SMALL


def test_old_metadata_is_validated_by_one_request(processes: Processes) -> None:
    processes.start().table("account")
    processes.organisation.asked.clear()
    processes.clock.now += 301
    processes.start().table("account")
    assert processes.organisation.asked == ["organizations"]
    processes.start().table("account")
    assert processes.organisation.asked == ["organizations"]


def test_a_running_process_validates_too(processes: Processes) -> None:
    catalog = processes.start()
    account, stamp = catalog.table("account"), catalog.stamp
    processes.organisation.asked.clear()
    processes.clock.now += 299
    assert catalog.table("account") is account and processes.organisation.asked == []
    processes.clock.now += 2
    assert catalog.table("account") is account and catalog.stamp == stamp
    assert processes.organisation.asked == ["organizations"]


def test_a_changed_version_fetches_everything_anew(processes: Processes) -> None:
    catalog = processes.start()
    catalog.table("account")
    stamp = catalog.stamp
    processes.organisation.version = "101"
    processes.organisation.document = SMALL.replace(b'"fullname"', b'"nickname"')
    processes.clock.now += 301
    contact = catalog.table("contact")
    assert contact is not None and "nickname" in contact.columns
    assert catalog.stamp != stamp
    processes.organisation.asked.clear()
    later = processes.start().table("account")
    assert later is not None and processes.organisation.asked == ["$batch"]


def test_an_unknown_version_fetches_anew(processes: Processes) -> None:
    processes.organisation.version = ""
    catalog = processes.start()
    catalog.model()
    processes.clock.now += 301
    catalog.model()
    assert processes.organisation.asked.count("$metadata") == 2


def test_a_refused_version_counts_as_unknown(processes: Processes) -> None:
    processes.organisation.refusals["organizations"] = REFUSED
    assert processes.start().table("account") is not None


def test_the_lifetime_comes_from_the_settings(processes: Processes) -> None:
    catalog = processes.start(more="&MetadataTTL=10")
    catalog.model()
    processes.organisation.asked.clear()
    processes.clock.now += 11
    catalog.model()
    assert processes.organisation.asked == ["organizations"]


def test_refresh_trusts_neither_memory_nor_disk(processes: Processes) -> None:
    catalog = processes.start()
    catalog.table("account")
    stamp = catalog.stamp
    processes.organisation.asked.clear()
    catalog.refresh()
    assert processes.organisation.asked == []
    catalog.table("account")
    assert "$metadata" in processes.organisation.asked
    assert catalog.stamp != stamp


def test_files_are_for_the_user_alone(processes: Processes) -> None:
    processes.start().table("account")
    assert len(processes.files) == 2
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in processes.files} == {0o600}


def damages(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content[: len(content) // 2]
    yield b""
    yield b"\x80\x04garbage"
    yield content[:20] + bytes([content[20] ^ 0xFF]) + content[21:]


def test_damaged_files_are_ignored_and_rewritten(processes: Processes) -> None:
    processes.start().table("account")
    for path in processes.files:
        for damage in damages(path):
            path.write_bytes(damage)
            os.utime(path, (processes.clock.now, processes.clock.now))
            processes.organisation.asked.clear()
            table = processes.start().table("account")
            assert table is not None and table.enriched
            assert processes.organisation.asked[-1] in ("$metadata", "$batch")
            processes.organisation.asked.clear()
            processes.start().table("account")
            assert processes.organisation.asked == []


def test_a_file_of_another_format_or_organisation_is_ignored(processes: Processes) -> None:
    processes.start().model()
    (path,) = processes.files
    head, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
    for other in (head.replace(b'"format":2', b'"format":1'), head.replace(b"contoso", b"fabrikam")):
        path.write_bytes(gzip.compress(other + b"\n" + body))
        os.utime(path, (processes.clock.now, processes.clock.now))
        processes.organisation.asked.clear()
        processes.start().model()
        assert "$metadata" in processes.organisation.asked


def test_a_kept_document_that_is_no_metadata_is_fetched_anew(processes: Processes) -> None:
    processes.start().model()
    (path,) = processes.files
    head, _, _ = gzip.decompress(path.read_bytes()).partition(b"\n")
    path.write_bytes(gzip.compress(head + b"\n<html/>"))
    os.utime(path, (processes.clock.now, processes.clock.now))
    assert "account" in processes.start().model().tables


def test_writers_at_once_leave_whole_files(processes: Processes) -> None:
    catalogs = [processes.start() for _ in range(6)]
    threads = [threading.Thread(target=catalog.table, args=("account",)) for catalog in catalogs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.name for path in processes.files) == ["account.json", "metadata.gz"]
    processes.organisation.asked.clear()
    processes.start().table("account")
    assert processes.organisation.asked == []


def test_a_folder_that_cannot_be_written_is_no_error(processes: Processes) -> None:
    processes.folder.write_text("a file where the folder should be")
    table = processes.start().table("account")
    assert table is not None and table.enriched


def test_loopback_organisations_keep_nothing(processes: Processes) -> None:
    for host in ("127.0.0.1:5001", "localhost:5002"):
        assert processes.start(host=host).table("account") is not None
    assert processes.files == []
    assert "organizations" not in processes.organisation.asked


def test_users_do_not_share_labels(processes: Processes) -> None:
    processes.start(more="&User=anna@contoso.com").table("account")
    processes.organisation.asked.clear()
    processes.start(more="&User=bert@contoso.com").table("account")
    assert processes.organisation.asked == ["$batch"]


def test_a_bare_token_keeps_no_labels_and_is_not_written(processes: Processes) -> None:
    processes.start(more="&OAuthAccessToken=verysecret").table("account")
    assert [path.name for path in processes.files] == ["metadata.gz"]
    assert all("verysecret" not in str(path) for path in processes.files)


def test_the_default_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "sqlalchemy-dynamics"
    monkeypatch.delenv("XDG_CACHE_HOME")
    folder = default_folder()
    assert folder is not None and folder.name == "sqlalchemy-dynamics" and folder.is_absolute()


def test_a_user_without_a_home_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert default_folder() is None
