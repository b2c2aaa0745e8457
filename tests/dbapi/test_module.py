"""PEP 249: what the module must offer, and what importing and connecting must not do."""

from __future__ import annotations

import datetime
import subprocess
import sys
import time

import pytest

from sqlalchemy_dynamics import dbapi, edm, errors

ERRORS = {
    "Warning": Exception,
    "Error": Exception,
    "InterfaceError": dbapi.Error,
    "DatabaseError": dbapi.Error,
    "DataError": dbapi.DatabaseError,
    "OperationalError": dbapi.DatabaseError,
    "IntegrityError": dbapi.DatabaseError,
    "InternalError": dbapi.DatabaseError,
    "ProgrammingError": dbapi.DatabaseError,
    "NotSupportedError": dbapi.DatabaseError,
}


def test_globals() -> None:
    assert (dbapi.apilevel, dbapi.paramstyle, dbapi.threadsafety) == ("2.0", "qmark", 1)


@pytest.mark.parametrize(("name", "base"), ERRORS.items())
def test_exceptions(name: str, base: type[Exception]) -> None:
    assert issubclass(getattr(dbapi, name), base)
    assert getattr(dbapi, name) is getattr(errors, name) is getattr(dbapi.Connection, name)


def test_every_type_code_equals_one_type_object() -> None:
    objects = (dbapi.STRING, dbapi.NUMBER, dbapi.DATETIME, dbapi.BINARY, dbapi.ROWID)
    for kind in {*edm.EDM_TYPES.values(), *(make(2) for make in edm.ATTRIBUTE_TYPES.values()), edm.TIMESTAMP}:
        code = edm.type_code(kind)
        assert [code == known for known in objects].count(True) == 1, code
        assert isinstance(code, str)
    assert edm.type_code(edm.MONEY) == dbapi.NUMBER != edm.type_code(edm.DATE)


def test_constructors() -> None:
    assert dbapi.Date(2024, 2, 29) == datetime.date(2024, 2, 29)
    assert dbapi.Time(1, 2, 3) == datetime.time(1, 2, 3)
    assert dbapi.Timestamp(2024, 2, 29, 1, 2, 3) == datetime.datetime(2024, 2, 29, 1, 2, 3)
    assert dbapi.Binary(b"x") == b"x"
    ticks = time.mktime((2024, 2, 29, 1, 2, 3, 0, 0, -1))
    assert dbapi.DateFromTicks(ticks) == datetime.date(2024, 2, 29)
    assert dbapi.TimeFromTicks(ticks) == datetime.time(1, 2, 3)
    assert dbapi.TimestampFromTicks(ticks) == datetime.datetime(2024, 2, 29, 1, 2, 3)


def test_importing_the_driver_loads_no_heavy_library() -> None:
    code = (
        "import sys, sqlalchemy_dynamics.dbapi\n"
        "sqlalchemy_dynamics.dbapi.connect('dynamics://sandbox').close()\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'duckdb', 'pyarrow') if name in sys.modules])"
    )
    path = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=path)
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


def test_a_wrong_property_is_named_before_anything_is_sent() -> None:
    with pytest.raises(dbapi.InterfaceError, match="Timeout"):
        dbapi.connect("dynamics://contoso.crm.dynamics.com/?Timeout=soon")
    with pytest.raises(dbapi.InterfaceError, match="OrganizationUrl"):
        dbapi.connect("OAuthClientId=1", OrganizationUrl="ftp://nowhere")


def test_keywords_win_over_the_url_and_strings_are_taken() -> None:
    connection = dbapi.connect("dynamics://contoso.crm.dynamics.com/?Timeout=5", Timeout=7)
    assert connection.settings.seconds("Timeout") == 7
    text = dbapi.connect("OrganizationUrl=https://contoso.crm.dynamics.com;Timeout=5")
    assert text.settings.organization_url == "https://contoso.crm.dynamics.com"


def test_no_secret_is_shown() -> None:
    connection = dbapi.connect("dynamics://id:hush@contoso.crm.dynamics.com/?OAuthAccessToken=hushhush")
    assert "hush" not in repr(connection) and "contoso" in repr(connection)
