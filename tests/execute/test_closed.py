"""The residual engine is closed: no file, no network, no extension, no variable of the caller, no other statement."""

from __future__ import annotations

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.execute.conftest import Connect, requests_of

ATTEMPTS = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_parquet('/tmp/x.parquet')",
    "SELECT * FROM read_json_auto('http://127.0.0.1/x')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('account')",
    "SELECT * FROM secret_of_the_caller",
    "SELECT getenv('HOME') FROM account",
    "SELECT (SELECT content FROM read_text('/etc/passwd')) FROM account",
    "SELECT name FROM account WHERE name IN (SELECT content FROM read_text('/etc/passwd'))",
    "WITH x AS (SELECT * FROM read_blob('/etc/passwd')) SELECT * FROM x, account",
    "COPY account TO '/tmp/stolen.csv'",
    "ATTACH '/tmp/other.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "EXPORT DATABASE '/tmp/stolen'",
    "CREATE TABLE x AS SELECT 1",
    "SELECT 1; SELECT 2",
    "EXPLAIN SELECT * FROM read_csv('/etc/passwd')",
]

secret_of_the_caller = [{"a": 1}]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_gets_out(org: Sandbox, connect: Connect, attempt: str) -> None:
    connection = connect()
    with pytest.raises(errors.Error) as caught, connection.cursor() as cursor:
        cursor.execute(attempt).fetchall()
    assert isinstance(caught.value, (errors.ProgrammingError, errors.NotSupportedError))
    assert "root:" not in str(caught.value)
    assert requests_of(org) == []


def test_a_variable_of_the_caller_is_no_table(connect: Connect) -> None:
    import pandas

    account_copy = pandas.DataFrame({"a": [1]})
    with pytest.raises(errors.ProgrammingError, match="account_copy"):
        connect().cursor().execute("SELECT * FROM account_copy")
    assert len(account_copy) == 1


def test_statements_do_not_see_each_other(connect: Connect) -> None:
    one, two = connect().cursor(), connect().cursor()
    one.execute("SELECT upper(name) FROM account")
    one.fetchone()
    with pytest.raises(errors.ProgrammingError):
        two.execute("SELECT * FROM scan_1")
    with pytest.raises(errors.ProgrammingError):
        two.execute("SELECT * FROM rows_1")


def test_an_internal_error_costs_one_statement_only(connect: Connect) -> None:
    """About one random statement in three thousand loses DuckDB's whole database; the next one must not notice."""
    connection = connect()
    fatal = (
        "SELECT 1 FROM account a RIGHT JOIN account b ON EXISTS (SELECT 1 FROM team) "
        "JOIN account c ON b.createdon < c.createdon"
    )
    try:
        connection.cursor().execute(fatal).fetchmany(1)
    except errors.Error as error:
        assert not isinstance(error, errors.InterfaceError)
    rows = connection.cursor().execute("SELECT upper(name) FROM account LIMIT 1").fetchall()
    assert len(rows) == 1


def test_the_engine_is_opened_only_when_something_is_left() -> None:
    import subprocess
    import sys

    script = (
        "import sys\nfrom sqlalchemy_dynamics import dbapi\n"
        "c = dbapi.connect('dynamics://sandbox/?rows=20')\n"
        "assert len(c.cursor().execute('SELECT name FROM account WHERE statecode = 0 LIMIT 2').fetchall()) == 2\n"
        "assert c.cursor().execute('SELECT count(*) FROM account').fetchall() == [(20,)]\n"
        "assert 'duckdb' not in sys.modules and 'pyarrow' not in sys.modules\n"
        "assert c.cursor().execute('SELECT count(*) + 1 FROM account').fetchall() == [(21,)]\n"
        "assert 'duckdb' in sys.modules\nprint('closed until needed')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "closed until needed", done.stderr


def test_dbapi_connection_is_ours(connect: Connect) -> None:
    assert isinstance(connect(), dbapi.Connection)
