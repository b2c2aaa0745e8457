"""Settings are frozen, typed, comparable, and keep their secrets."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from sqlalchemy_dynamics.settings import PROPERTIES, SANDBOX_OPTIONS, from_string, from_url
from sqlalchemy_dynamics.settings.properties import SIGN_IN_NAMES, TRANSPORT_NAMES, fold
from sqlalchemy_dynamics.settings.values import read, write

CANARY = "canary-5a81"
SECRET_ROWS = [row.name for row in PROPERTIES if row.secret]


def test_the_table_is_sound() -> None:
    names = [fold(name) for row in (*PROPERTIES, *SANDBOX_OPTIONS) for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))
    assert all(row.doc for row in (*PROPERTIES, *SANDBOX_OPTIONS))
    assert set(TRANSPORT_NAMES) | set(SIGN_IN_NAMES) <= {row.name for row in PROPERTIES}


@pytest.mark.parametrize("row", PROPERTIES, ids=lambda row: row.name)
def test_defaults_are_valid_and_written_as_they_are_read(row: Any) -> None:
    settings = from_string("OrganizationUrl=https://h.example", environ={})
    value = settings[row.name]
    assert value is None or read(row, write(row, value)) == value


@pytest.mark.parametrize("name", SECRET_ROWS)
def test_secrets_do_not_show(name: str) -> None:
    more = {"OAuthClientId": "id"} if name == "OAuthClientSecret" else {}
    settings = from_url("dynamics://h.example", {name: CANARY, **more}, environ={})
    assert settings[name] == CANARY
    shown = (repr(settings), settings.url_text(), str(settings), repr(settings[name]), repr(dict(settings)))
    assert not any(CANARY in text for text in (*shown, settings.fingerprint))
    assert "***" in settings.url_text()


def test_equal_settings_are_one_key() -> None:
    first = from_url("dynamics://h.example/?Timeout=5", environ={})
    second = from_url("dynamics://H.example:443/?timeout=5.0", environ={})
    assert len({first, second}) == 1
    assert first != from_url("dynamics://h.example/?Timeout=6", environ={})


def test_settings_do_not_change_and_are_not_pickled() -> None:
    settings = from_url("dynamics://h.example/?Timeout=5", environ={})
    with pytest.raises(AttributeError):
        settings.sources = {}  # type: ignore[misc]  # frozen
    with pytest.raises(TypeError):
        settings.values_by_name["Timeout"] = 1  # type: ignore[index]  # read-only
    with pytest.raises(TypeError):
        pickle.dumps(settings)


def test_values_come_in_the_type_of_their_kind() -> None:
    settings = from_url("dynamics://h.example/?MaxLogFileSize=2MB", environ={})
    assert settings.number("MaxLogFileSize") == 2 * 1024**2
    assert settings.text("Tenant") == "" and settings["OAuthExpiresIn"] is None
    with pytest.raises(TypeError, match="Timeout is float, not str"):
        settings.text("Timeout")
    with pytest.raises(KeyError):
        settings["Colour"]
