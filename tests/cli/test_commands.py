"""The command over the sandbox: outputs, exit codes, one line per failure."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sqlalchemy_dynamics.cli import main

SQL = "SELECT name, statecode FROM account WHERE statecode = 0 ORDER BY name LIMIT 3"


def test_a_table_and_the_requests_it_took(url: str, capsys: Any) -> None:
    assert main(["query", "--url", url, "--requests", SQL]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == ["name", "|", "statecode"] and lines[5] == "(3 rows)"
    assert lines[7] == "1 Web API request:" and lines[8].startswith("GET accounts?$select=")
    assert err == ""


def test_without_a_url_the_sandbox_answers_and_says_so(capsys: Any) -> None:
    assert main(["query", "--format", "csv", "SELECT count(*) AS n FROM account"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("n\n") and int(out.split()[1]) > 0
    assert err.startswith("sandbox demo data; set DYNAMICS_URL")


def test_the_environment_names_the_organisation(url: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNAMICS_URL", url)
    assert main(["query", "--format", "csv", "SELECT count(*) AS n FROM account"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("n\n40\n", "")


def test_text_formats_agree(url: str, capsys: Any) -> None:
    found = {}
    for name in ("csv", "json", "jsonl"):
        assert main(["query", "--url", url, "--format", name, SQL]) == 0
        found[name] = capsys.readouterr().out
    rows = json.loads(found["json"])
    assert [json.loads(line) for line in found["jsonl"].splitlines()] == rows
    assert [row["name"] for row in csv.DictReader(io.StringIO(found["csv"]))] == [row["name"] for row in rows]


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_binary_formats(url: str, name: str, tmp_path: Path, capsys: Any) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    file = tmp_path / "rows"
    assert main(["query", "--url", url, "--format", name, "--output", str(file), SQL]) == 0
    table = parquet.read_table(file) if name == "parquet" else pa.ipc.open_stream(file.read_bytes()).read_all()
    assert table.num_rows == 3 and table.column_names == ["name", "statecode"]
    assert capsys.readouterr().out == ""


def test_binary_formats_go_through_a_pipe(url: str) -> None:
    import pyarrow as pa

    command = [sys.executable, "-m", "sqlalchemy_dynamics", "query", "--url", url, "--format", "arrow", SQL]
    found = subprocess.run(command, capture_output=True, env={"PYTHONPATH": ":".join(filter(None, sys.path))})
    assert pa.ipc.open_stream(found.stdout).read_all().num_rows == 3 and found.stderr == b""


def test_binary_formats_refuse_a_terminal(url: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["query", "--url", url, "--format", "parquet", SQL]) == 2
    assert "--output" in capsys.readouterr().err


def test_explain_both_ways(url: str, capsys: Any) -> None:
    assert main(["query", "--url", url, "--explain", "--format", "csv", SQL]) == 0
    one = capsys.readouterr().out
    assert main(["explain", "--url", url, "--format", "csv", SQL]) == 0
    assert capsys.readouterr().out == one
    assert next(csv.DictReader(io.StringIO(one)))["detail"].startswith("GET accounts?")
    assert main(["query", "--url", url, "--explain", "--format", "arrow", SQL]) == 2


def test_tables_and_describe(url: str, capsys: Any) -> None:
    assert main(["tables", "--url", url, "--format", "jsonl", "ACCOUNT*"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["table"], first["entity set"], first["key"]) == ("account", "accounts", "accountid")
    assert main(["describe", "--url", url, "--format", "jsonl", "account"]) == 0
    columns = {row["column"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert columns["accountid"]["is"].startswith("key") and columns["name"]["type"] == "VARCHAR"
    assert columns["primarycontactidname"]["is"] == "name of primarycontactid"
    assert "0=Active" in columns["statecode"]["values"]


FAILURES = [
    (1, ["query", "SELECT nosuch FROM account"], "nosuch"),
    (1, ["query", "SELECT FROM WHERE"], ""),
    (1, ["describe", "nosuch"], "no table nosuch"),
    (3, ["query", "--url", "dynamics://contoso.crm.dynamics.com/?Timeout=soon", "SELECT 1"], "Timeout"),
    (1, ["query", "--output", "/nowhere/at/all", "SELECT 1 AS one"], "/nowhere"),
]


@pytest.mark.parametrize(("code", "arguments", "said"), FAILURES)
def test_failures_are_one_line(url: str, code: int, arguments: list[str], said: str, capsys: Any) -> None:
    given = arguments if "--url" in arguments else [arguments[0], "--url", url, *arguments[1:]]
    assert main(given) == code
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("dynamics: ") and said in err and err.count("\n") == 1


def test_a_refused_token_is_a_sign_in_failure(url: str, capsys: Any) -> None:
    wrong = url.partition("OAuthAccessToken=")[0] + "OAuthAccessToken=wrong"
    assert main(["query", "--url", wrong, SQL]) == 3
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["frob"], ["query"], ["query", "--format", "xml", "SELECT 1"], ["settings"]])
def test_wrong_usage(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("dynamics") and "--help" in err and err.count("\n") == 1


def test_wrong_usage_of_the_sandbox(capsys: Any) -> None:
    assert main(["sandbox", "--rows", "many"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "dynamics sandbox: argument --rows: invalid int value: 'many'; try dynamics sandbox --help"
    ]


def test_what_the_parser_of_sql_logs_is_no_second_line(url: str) -> None:
    code = "import sys; from sqlalchemy_dynamics.cli import main; sys.exit(main(sys.argv[1:]))"
    found = run_python(code, "query", "--url", url, "RESET everything")
    assert found.returncode == 1 and found.stderr.count(b"\n") == 1
    assert b"RESET statements are not supported" in found.stderr


INTERRUPTED = """
import os, signal, sys, threading
from sqlalchemy_dynamics.cli import main
threading.Timer(float(sys.argv[1]), lambda: os.kill(os.getpid(), signal.SIGINT)).start()
sys.exit(main(sys.argv[2:]))
"""


def test_an_interrupt_is_130(url: str) -> None:
    slow = f"{url}&PageSize=1"
    many = "SELECT a.name FROM account a, account b, account c, account d, account e"
    found = run_python(INTERRUPTED, "1.5", "query", "--url", slow, "--format", "csv", many)
    assert (found.returncode, found.stderr) == (130, b"dynamics: interrupted\n")


def test_any_locale_will_do(url: str) -> None:
    code = "import sys; from sqlalchemy_dynamics.cli import main; sys.exit(main(sys.argv[1:]))"
    found = run_python(code, "query", "--url", url, "SELECT '東京' AS city", PYTHONIOENCODING="ascii")
    assert found.returncode == 0 and b"\\u6771" in found.stdout


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    path = {"PYTHONPATH": ":".join(filter(None, sys.path)), **environment}
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, env=path)


def test_a_reader_that_leaves_is_no_failure(url: str) -> None:
    script = "import sys; from sqlalchemy_dynamics.cli import main; sys.exit(main(sys.argv[1:]))"
    many = "SELECT a.name, b.name AS other, c.name AS third FROM account a, account b, account c"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "query", "--url", url, "--format", "csv", many],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith(b"name,other")
    process.stdout.close()
    assert process.wait() == 0 and process.stderr.read() == b""
