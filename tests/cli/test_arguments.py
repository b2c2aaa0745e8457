"""Odd arguments of the command: what is taken, and one line for what is not."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sqlalchemy_dynamics import __version__
from sqlalchemy_dynamics.cli import main


def test_the_version(capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"dynamics {__version__}\n")


def test_an_organisations_own_address_is_a_url(url: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    properties = parse_qs(urlsplit(url).query)
    monkeypatch.setenv("DYNAMICS_OAUTHACCESSTOKEN", properties["OAuthAccessToken"][0])
    address = properties["OrganizationUrl"][0]
    assert main(["query", "--url", address, "--format", "csv", "SELECT count(*) AS n FROM account"]) == 0
    monkeypatch.setenv("DYNAMICS_URL", address)
    assert main(["query", "--format", "csv", "SELECT count(*) AS n FROM account"]) == 0
    assert capsys.readouterr() == ("n\n40\n" * 2, "")


def test_an_address_with_more_behind_it_is_refused(capsys: Any) -> None:
    assert main(["query", "--url", "https://contoso.crm.dynamics.com/main.aspx", "SELECT 1"]) == 3
    assert "nothing behind it" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["SELECT 1 AS x\n", "\ufeffSELECT 1 AS x", "\ufeff-- from a file\r\nSELECT 1 AS x;\r\n"]
)
def test_a_statement_from_standard_input(url: str, text: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["query", "--url", url, "--format", "csv", "-"]) == 0
    assert capsys.readouterr().out == "x\n1\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["query", ""], 1, "the statement is empty"),
        (["query", "SELECT ?"], 1, "1 parameter markers (?), 0 values"),
        (["query", "SELECT name FROM account WHERE revenue > 'abc'"], 1, "'abc' is no DECIMAL(19,4)"),
        (["query", "SELECT name FROM account LIMIT 'a'"], 1, "LIMIT needs a whole number"),
        (["query", "--url", "ftp://x", "SELECT 1"], 3, "dynamics://contoso.crm.dynamics.com"),
        (["describe", ""], 1, "there is no table"),
    ],
)
def test_wrong_arguments(arguments: list[str], code: int, words: str, url: str, capsys: Any) -> None:
    given = arguments if "--url" in arguments else [arguments[0], "--url", url, *arguments[1:]]
    assert main(given) == code
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1
