"""What cannot be read says so in words of SQL: not as something unsupported, nor in words of the parser."""

from __future__ import annotations

import pytest

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.planner.parse import parse, render
from sqlalchemy_dynamics.planner.spoken import title


@pytest.mark.parametrize("sql", ["SELEC name FROM account", "SELEC name", "SELEC", "GO", "-- hello\nSELEC 1"])
@pytest.mark.parametrize("dialect", ["dynamics", "tsql"])
def test_a_misspelled_statement_cannot_be_read(sql: str, dialect: str) -> None:
    with pytest.raises(ProgrammingError, match=r"cannot read the statement: it begins with (SELEC|GO); use SELECT"):
        parse(sql, dialect)


@pytest.mark.parametrize("sql", ["1", "'a'", '"a"', "[a] b", "?", "@x"])
def test_a_value_is_no_statement(sql: str) -> None:
    with pytest.raises(ProgrammingError, match="it begins with a value"):
        parse(sql)


@pytest.mark.parametrize("sql", ["SELECT 'abc", 'SELECT "a', "SELECT 1 /* x", "EXCE x y = 'hidden"])
def test_what_is_not_closed_is_not_repeated(sql: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        parse(sql)
    assert str(caught.value) == "cannot read the statement: a quote or a comment is not closed"


@pytest.mark.parametrize(
    "sql", ["SELECT name FROM a WHERE name =", "DELETE", "SELECT 1 FROM a JOIN", "SELECT (1", "SELECT [a"]
)
def test_no_words_of_the_parser(sql: str) -> None:
    with pytest.raises(ProgrammingError, match=r"at line 1, column \d+: ") as caught:
        parse(sql)
    assert not {"<class", "<Token", "sqlglot"} & set(str(caught.value).split())


@pytest.mark.parametrize("sql", ["BEGIN", "VACUUM", "TRUNCATE TABLE a", "DROP TABLE a", "ALTER TABLE a ADD b int"])
def test_other_statements_are_named_as_they_were_written(sql: str) -> None:
    with pytest.raises(NotSupportedError, match=f"^{sql.split()[0]} statements are not supported; use SELECT"):
        parse(sql)


@pytest.mark.parametrize("on", ["statecode", "statecode IN (0, 1), name"])
def test_a_pivot_lists_its_values(on: str) -> None:
    with pytest.raises(NotSupportedError, match=r"^PIVOT: .*list the values"):
        parse(f"SELECT * FROM (PIVOT account ON {on} USING count(*))")
    assert parse("SELECT * FROM (PIVOT account ON statecode IN (0, 1) USING count(*))").kind == "select"


@pytest.mark.parametrize("sql", [r"SELECT name, E'a\n' FROM account", "SELECT name FROM account FOR UPDATE"])
def test_nothing_is_logged_by_the_parser(sql: str, caplog: pytest.LogCaptureFixture) -> None:
    tree = parse(sql).tree
    assert tree is not None
    assert all(title(node) for node in tree.selects) and render(tree).startswith("SELECT name")
    assert not caplog.records


@pytest.mark.parametrize(
    "sql", ["SELECT :one", "SELECT :one AS a, :two", "SELECT DISTINCT :one", "SELECT a FROM (SELECT :one AS a)"]
)
def test_a_named_parameter_may_stand_first(sql: str) -> None:
    tree = parse(sql).tree
    assert tree is not None
    assert render(tree) == sql.replace(":", "$")
