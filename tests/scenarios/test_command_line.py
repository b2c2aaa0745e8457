"""The command line of sign-in: login, logout, settings, doctor, and rows that hold secrets."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sqlalchemy_dynamics.cli import main
from tests.scenarios.office import CUSTOM, SECRET, Office

Capture = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: Capture) -> Run:
    """Runs a command; its exit code, standard output and standard error."""

    def command(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        return (main(list(argv)), *capsys.readouterr())

    return command


def test_login_opens_the_browser_and_keeps_the_tokens(office: Office, run: Run) -> None:
    url = office.url()
    code, out, err = run("login", url)
    assert (code, out.split(";")[0]) == (0, f"signed in to {office.org.url} as alex@contoso.onmicrosoft.com")
    assert office.file in out and len(office.person.opened) == 1 and "eyJhbGciOi" not in out + err
    assert run("login", url)[1].startswith("already signed in")
    assert office.count(**office.bare()) == 30 and office.grants() == ["authorization_code"]


def test_login_without_a_browser_prints_the_address_and_waits(office: Office, capfd: Capture) -> None:
    found: list[str] = []

    def person() -> None:
        while not found:
            time.sleep(0.05)
            found.extend(re.findall(r"https://localhost:\S+", capfd.readouterr().err))
        office.person(found[0])

    thread = threading.Thread(target=person)
    thread.start()
    assert main(["login", "--no-browser", office.url()]) == 0
    thread.join()
    assert office.grants() == ["authorization_code"] and Path(office.file).exists()


def test_login_that_fails_is_one_line_and_code_3(office: Office, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    office.org.authority.consent = "deny"
    code, out, err = run("login", office.url())
    assert code == 3 and out == "" and "declined" in err.splitlines()[-1]
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    code, _, err = run("login", office.url())
    assert code == 3 and "OAuthVerifier" in err and "README: Signing in, Headless machines" in err
    Path(office.file).write_text("damaged")
    assert run("settings", "show", "--location", office.file)[0] == 3
    assert run("login", "dynamics://sandbox")[0] == 2
    assert run("login", office.url(CallbackURL="https://app.example/cb"))[0] == 3


def test_logout_forgets_this_organisation_only(office: Office, run: Run) -> None:
    run("login", office.url())
    assert "1 sign-in forgotten" in run("logout", office.url())[1]
    code, out, _ = run("logout", office.url())
    assert code == 0 and "no sign-in" in out
    code, _, err = run("query", "--url", office.url(**office.bare()), "SELECT count(*) FROM account")
    assert code == 3 and "OAuthVerifier" in err


def test_settings_show_masks_secrets_unless_asked(office: Office, run: Run) -> None:
    run("login", office.url(**office.custom))
    code, out, _ = run("settings", "show", "--location", office.file, "--format", "json")
    (row,) = json.loads(out)
    assert code == 0 and (row["OrganizationUrl"], row["OAuthClientId"]) == (office.org.url, CUSTOM)
    assert row["OAuthClientSecret"] == row["OAuthAccessToken"] == row["OAuthRefreshToken"] == "***"
    code, out, _ = run("settings", "show", "--show-secrets", "--format", "csv", office.url())
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["OAuthClientSecret"] == SECRET and row["OAuthAccessToken"].startswith("eyJ")


def test_settings_export_opens_elsewhere_with_the_passphrase(
    office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("login", office.url())
    target = office.folder / "exported.txt"
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    code, out, _ = run("settings", "export", str(target), "--location", office.file)
    assert code == 0 and "DYNAMICS_OAUTH_PASSPHRASE" in out and "correct horse" not in out
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert run("settings", "export", str(target), "--location", office.file)[0] == 3
    monkeypatch.setenv("HOME", str(office.folder / "other"))
    monkeypatch.setenv("DYNAMICS_OAUTH_PASSPHRASE", "correct horse battery")
    assert office.count(**office.bare(OAuthSettingsLocation=str(target))) == 30


def test_settings_rotate_key(office: Office, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("login", office.url())
    before = Path(office.file).read_bytes()
    monkeypatch.setattr("sys.stdin", io.StringIO("another passphrase\n"))
    assert run("settings", "rotate-key", "--new-passphrase", "--location", office.file)[0] == 0
    assert Path(office.file).read_bytes() != before
    code, _, err = run("settings", "show", "--location", office.file)
    assert code == 3 and "OAuthSettingsPassphrase" in err
    monkeypatch.setenv("DYNAMICS_OAUTH_PASSPHRASE", "another passphrase")
    assert run("settings", "show", "--location", office.file)[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("settings", "rotate-key", "--new-passphrase", "--location", office.file)[0] == 2


def test_query_shows_tokens_only_when_asked(office: Office, run: Run) -> None:
    url = office.url(InitiateOAuth="OFF", OAuthSettingsLocation=None, **office.custom)
    for flag, shown in ((), False), (("--show-secrets",), True):
        for style in ("table", "csv", "jsonl"):
            code, out, err = run("query", *flag, "--format", style, "--url", url, "EXEC GetOAuthAccessToken")
            assert code == 0 and ("eyJhbGciOi" in out) is shown and "eyJhbGciOi" not in err
    code, _, err = run("query", "--format", "arrow", "--output", os.devnull, "--url", url, "EXEC GetAdminConsentURL")
    assert code == 2 and "text format" in err


@pytest.fixture
def report(office: Office, run: Run) -> Callable[..., tuple[int, dict[str, tuple[str, str]]]]:
    def examine(*argv: str) -> tuple[int, dict[str, tuple[str, str]]]:
        code, out, _ = run("doctor", "--format", "json", *argv)
        return code, {row["check"]: (row["result"], row["detail"]) for row in json.loads(out)}

    return examine


Report = Callable[..., tuple[int, dict[str, tuple[str, str]]]]


def test_doctor_answers_every_question_and_only_reads(office: Office, run: Run, report: Report) -> None:
    run("login", office.url())
    code, found = report(office.url(**office.bare()))
    assert code == 0 and {result for result, _ in found.values()} == {"ok"} and len(found) > 25
    assert {entry["method"] for entry in office.org.requests} == {"GET"}
    assert found["1 in"][1] == "501 0x80040216" and found["3 ne and NULL"][1].startswith("rows with NULL")
    assert re.match(r"[\d,]+ bytes fetched in .*: \d+ tables", found["metadata"][1])


def test_doctor_shows_no_value_and_no_secret(office: Office, run: Run, report: Report) -> None:
    run("login", office.url(**office.custom))
    _, found = report(office.url(**office.bare(User="alex@contoso.onmicrosoft.com")))
    text = json.dumps(found)
    with office.connect(**office.bare()) as connection:
        rows = connection.cursor().execute("SELECT name, accountid FROM account").fetchall()
        rows += (
            connection.cursor().execute("SELECT jobtitle, contactid FROM contact WHERE jobtitle IS NOT NULL").fetchall()
        )
    values = [str(value) for row in rows for value in row if len(str(value)) > 5]
    assert len(values) > 50 and not [value for value in values if value in text]
    assert "eyJhbGciOi" not in text and CUSTOM not in text and "alex" not in text and office.file not in text


def test_doctor_tells_a_failed_sign_in_from_a_dead_host(report: Report, office: Office) -> None:
    code, found = report(office.url(InitiateOAuth="REFRESH"))
    assert code == 3 and found["sign-in"][0] == "FAILED" and found["metadata"][0] == "skipped"
    assert "OAuthVerifier" in found["sign-in"][1]
    code, found = report("dynamics:///?OrganizationUrl=http://127.0.0.1:9;OAuthAccessToken=canary-token")
    assert code == 1 and found["TLS and challenge"][0] == "FAILED" and "canary" not in json.dumps(found)
