"""The log: levels, modules, rotation, and not one secret in it."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.settings import from_string
from sqlalchemy_dynamics.transport.client import Transport
from sqlalchemy_dynamics.transport.logfile import LogFile
from sqlalchemy_dynamics.transport.tracing import Trace, open_trace
from tests.transport.peers import Origin

Open = Callable[..., Transport]
CANARY = "canary-31f9c2"
REQUEST = HttpRequest("GET", "https://org.example/api/data/v9.2/accounts", {"Authorization": f"Bearer {CANARY}"})


def trace_at(path: Path, **properties: object) -> Trace:
    return open_trace(from_string("OrganizationUrl=https://org.example", {"Logfile": path, **properties}, environ={}))


@pytest.mark.parametrize("verbosity", [1, 2, 3, 4, 5])
def test_levels_add_up(tmp_path: Path, verbosity: int) -> None:
    trace = trace_at(tmp_path / "log", Verbosity=verbosity)
    for level in range(1, 6):
        trace.log(level, "EXEC", f"line of {level}")
    text = (tmp_path / "log").read_text()
    assert re.findall(r"line of (\d)", text) == [str(level) for level in range(1, verbosity + 1)]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 1 EXEC line", text)


def test_what_each_level_tells_of_a_request(tmp_path: Path) -> None:
    reply = HttpResponse(200, {"x-ms-dop-hint": "4"}, b"b" * 5000)
    texts = []
    for verbosity in (1, 2, 3, 5):
        trace = trace_at(tmp_path / f"{verbosity}", Verbosity=verbosity)
        trace.request(REQUEST)
        trace.response(REQUEST, reply, 0.25)
        texts.append((tmp_path / f"{verbosity}").read_text())
    assert texts[0] == ""
    assert "GET https://org.example/api/data/v9.2/accounts -> 200, 250.0 ms, 5000 bytes" in texts[1]
    assert "dop-hint" not in texts[1] and "x-ms-dop-hint: 4" in texts[2] and "… of 5000 bytes" in texts[2]
    assert "b" * 5000 in texts[3] and CANARY not in "".join(texts)


def test_modules(tmp_path: Path) -> None:
    trace = trace_at(tmp_path / "log", Verbosity=5, LogModules="http; ssl")
    for module in ("EXEC", "HTTP", "SSL"):
        trace.log(1, module, module)
    assert re.findall(r"[A-Z]+$", (tmp_path / "log").read_text(), re.M) == ["HTTP", "SSL"]


def test_no_logfile_no_log() -> None:
    trace = open_trace(from_string("OrganizationUrl=https://org.example;Verbosity=5", environ={}))
    trace.log(1, "EXEC", "nobody reads this")
    assert not trace.wants(1, "EXEC")


def test_lines_cannot_be_forged(tmp_path: Path) -> None:
    trace_at(tmp_path / "log").log(1, "EXEC", "SELECT 1\n2026-01-01 1 EXEC forged\r\x85\u2028end")
    assert len((tmp_path / "log").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("POST", "https://login.example/t/oauth2/v2.0/token", {}, f"x={CANARY}".encode()),
        HttpRequest(
            "POST", "https://x.example/", {"content-type": "application/x-www-form-urlencoded"}, CANARY.encode()
        ),
        HttpRequest("GET", "http://169.254.169.254/metadata/identity/oauth2/token", {"X-IDENTITY-HEADER": CANARY}),
        HttpRequest("GET", "https://org.example/", {"Cookie": CANARY, "Proxy-Authorization": f"Basic {CANARY}"}),
        HttpRequest("GET", f"https://me:{CANARY}@org.example/"),
        HttpRequest("GET", f"https://login.example/t/oauth2/v2.0/authorize?x={CANARY}"),
    ],
)
def test_sign_in_bodies_and_secret_headers_stay_out(tmp_path: Path, request_: HttpRequest) -> None:
    trace = trace_at(tmp_path / "log", Verbosity=5)
    body = b"{}" if "org.example" in request_.url else CANARY.encode()
    trace.request(request_)
    trace.response(request_, HttpResponse(200, {"set-cookie": CANARY}, body), 0.1)
    trace.failure(request_, OSError("no"), 0.1)
    text = (tmp_path / "log").read_text()
    assert request_.method in text and CANARY not in text


def test_secrets_of_the_settings_are_masked_wherever_they_turn_up(tmp_path: Path) -> None:
    secrets = {"ProxyPassword": "pröxy-" + CANARY, "OAuthClientSecret": "x y-" + CANARY, "OAuthClientId": "id"}
    trace = trace_at(tmp_path / "log", Verbosity=5, **secrets)
    trace.log(1, "INFO", f"somebody wrote {secrets['ProxyPassword']} and {secrets['OAuthClientSecret']} here")
    assert (tmp_path / "log").read_text().count("***") == 2 and CANARY not in (tmp_path / "log").read_text()


def test_the_transport_writes_it(origin: Origin, transport: Open, tmp_path: Path) -> None:
    sender = transport(Logfile=tmp_path / "log", Verbosity=4)
    sender.send(HttpRequest("GET", f"{origin.url}/plain", {"Authorization": f"Bearer {CANARY}"}))
    with pytest.raises(Exception, match="lost"):
        sender.send(HttpRequest("GET", f"{origin.url}/drop"))
    text = (tmp_path / "log").read_text()
    assert "TCP connect to 127.0.0.1" in text and "-> 200" in text and "/drop failed after" in text
    assert "set-cookie: ***" in text and CANARY not in text


def test_a_logfile_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterfaceError, match=r"^Logfile: cannot write to .*No such file"):
        trace_at(tmp_path / "missing" / "log")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and links")
def test_only_the_owner_reads_it_and_links_are_not_followed(tmp_path: Path) -> None:
    trace_at(tmp_path / "log")
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    os.symlink(tmp_path / "log", tmp_path / "link")
    with pytest.raises(InterfaceError, match=r"^Logfile"):
        trace_at(tmp_path / "link")


@pytest.mark.parametrize(("count", "kept"), [(-1, 6), (0, 6), (1, 2), (2, 2), (3, 3)])
def test_full_files_are_followed_by_new_ones(tmp_path: Path, count: int, kept: int) -> None:
    moments = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(1000))
    log = LogFile(tmp_path / "driver.log", 1, count, lambda: next(moments))
    for number in range(6):
        log.write(f"{number}".ljust(99_000, "."))
    files = sorted(tmp_path.iterdir())
    assert len(files) == kept and all(path.stat().st_size <= 100 * 1024 for path in files)
    newest = max(files, key=lambda path: (path.name != "driver.log", path.name))
    assert " 5...." in newest.read_text()[:60] and re.fullmatch(r"driver_2026-01-01_[\d-]+\.log", newest.name)
    LogFile(tmp_path / "driver.log", 1, count).write("a later process goes on")
    assert newest.read_text().endswith("goes on\n")
