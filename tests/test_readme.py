"""The README's examples run, and its tables are those the code uses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dynamics_auth.procedures import PROCEDURES as SIGN_IN
from sqlalchemy_dynamics.execute.associations import ASSOCIATIONS
from sqlalchemy_dynamics.execute.explain import steps_of
from sqlalchemy_dynamics.planner.parse import parse
from sqlalchemy_dynamics.planner.reading import plan_select
from sqlalchemy_dynamics.settings import PROPERTIES
from tests.planner.organisation import MODEL

README = Path(__file__).resolve().parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
PUSHED, PUSHED_END = "<!-- pushdown: begin -->", "<!-- pushdown: end -->"
PROCEDURES, PROCEDURES_END = "<!-- procedures: begin -->", "<!-- procedures: end -->"
BEGIN, END = "<!-- properties: begin -->", "<!-- properties: end -->"


def properties_table() -> str:
    """Return the table of connection properties as Markdown."""
    rows = [f"| `{p.name}` | {_default(p.default)} | {_meaning(p)} |" for p in PROPERTIES]
    return "\n".join(["| property | default | meaning |", "|---|---|---|", *rows])


def _default(default: str | None) -> str:
    return f"`{default}`" if default else ""


def _meaning(row: Any) -> str:
    allowed = f" ({' · '.join(row.allowed)})" if row.allowed else ""
    return (str(row.doc) + allowed).replace("|", "\\|")


def procedures_table() -> str:
    """Return the table of built-in procedures as Markdown."""
    sign_in = [(each.name, [item.name for item in each.inputs], each.doc) for each in SIGN_IN]
    links = [(name, inputs, doc) for name, (inputs, _, doc) in ASSOCIATIONS.items()]
    rows = [
        f"| `{name}` | {', '.join(f'`{each}`' for each in inputs)} | {doc} |" for name, inputs, doc in sign_in + links
    ]
    return "\n".join(["| procedure | inputs | what it does |", "|---|---|---|", *rows])


CONDITIONS = [
    "n = 5",
    "n <> 5",
    "NOT (n > 5 OR flag)",
    "n BETWEEN 1 AND 9",
    "n IN (1, 2, NULL)",
    "n NOT IN (1, 2)",
    "city IS NULL",
    "n IS DISTINCT FROM 5",
    "lower(name) = 'oslo'",
    "name LIKE 'A%'",
    "name ILIKE '%é%'",
    "name LIKE 'a_c%x'",
    "name > 'm'",
    "name = city",
    "createdon >= '2024-01-01'",
    "year(createdon) = 2024",
    "date_trunc('month', createdon) = '2024-02-01'",
    "industrycodename = 'Retail'",
    "parentaccountidname LIKE 'Con%'",
    "last_x_days(createdon, 7)",
    "n * 2 = 10",
    "EXISTS (SELECT 1 FROM contact c WHERE c.parentcustomerid = account.accountid AND c.age > 30)",
    "NOT EXISTS (SELECT 1 FROM contact c WHERE c.parentcustomerid = account.accountid)",
    "parentaccountid IN (SELECT accountid FROM account a WHERE a.city = 'Oslo')",
]
STATEMENTS = [
    "SELECT name FROM account ORDER BY n DESC LIMIT 10",
    "SELECT count(*) FROM account",
    "SELECT city, count(*) AS k FROM account GROUP BY city ORDER BY k DESC",
    "SELECT count(CASE WHEN n > 1 THEN 1 END) FROM account",
    "SELECT max(createdon) FROM account",
    "SELECT c.fullname, a.name FROM contact c JOIN account a ON a.accountid = c.parentcustomerid",
    "SELECT a.name FROM account a JOIN contact c ON c.parentcustomerid = a.accountid AND c.age > 30 WHERE a.n = 1",
    "SELECT c.fullname, a.name FROM contact c LEFT JOIN account a ON a.accountid = c.parentcustomerid "
    "ORDER BY c.n LIMIT 9",
    "SELECT count(*) FROM account a LEFT JOIN contact c ON c.parentcustomerid = a.accountid WHERE c.contactid IS NULL",
    "SELECT p.name, count(*) FROM account a JOIN account p ON p.accountid = a.parentaccountid GROUP BY p.name",
]


def pushdown_table() -> str:
    """Return what the planner asks for, condition by condition, as Markdown."""
    rows = [_pushed(f"SELECT name FROM account WHERE {condition}", condition) for condition in CONDITIONS]
    rows += [_pushed(statement, statement) for statement in STATEMENTS]
    return "\n".join(["| SQL | request | here |", "|---|---|---|", *rows])


def _pushed(statement: str, shown: str) -> str:
    tree = parse(statement).tree
    assert tree is not None
    steps = steps_of(plan_select(tree, MODEL.table, {}, {}), {}, None)
    requests = [unquote(detail.removeprefix("GET ")) for _, kind, detail in steps if kind == "request"]
    asked = "<br>".join(f"`{_short(request)}`" for request in requests) or "nothing"
    left = "yes" if any(kind == "residual" for _, kind, _ in steps) else ""
    return f"| `{shown}` | {asked} | {left} |".replace("||", "\\|\\|")


def _short(request: str) -> str:
    """A condition's request is known but for its filter."""
    table, _, options = request.partition("?")
    kept = [option for option in options.split("&") if not option.startswith("$select=name")]
    return f"{table}?{'&'.join(kept)}" if kept else table


def test_the_pushdown_table_is_the_planners() -> None:
    shown = TEXT[TEXT.index(PUSHED) + len(PUSHED) : TEXT.index(PUSHED_END)].strip()
    assert shown == pushdown_table(), "run python -m tests.test_readme"


def test_the_procedures_are_those_of_the_code() -> None:
    shown = TEXT[TEXT.index(PROCEDURES) + len(PROCEDURES) : TEXT.index(PROCEDURES_END)].strip()
    assert shown == procedures_table(), "run python -m tests.test_readme"


def test_the_properties_are_those_of_the_code() -> None:
    shown = TEXT[TEXT.index(BEGIN) + len(BEGIN) : TEXT.index(END)].strip()
    assert shown == properties_table(), "run python -m tests.test_readme"


def test_the_examples_run() -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    assert len(names["rows"]) == 3 and all(row.name.lower().startswith("a") for row in names["rows"])
    assert len(names["found"]) == 5 and all(names["people"].values())
    assert set(names["frame"].columns) == {"industrycode", "accounts", "size"}
    assert len(names["pipeline"]) == 10
    assert names["table"].num_rows > 0
    assert names["raised"] > 0
    assert names["content"] == b"%PDF-1.7" and names["size"] == 5 * 1024 * 1024
    assert names["won"] == 1 and names["texts"] == "ababab"


def test_the_fixture_example_runs(tmp_path: Path) -> None:
    block = next(block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "def test_report" in block)
    (tmp_path / "test_example.py").write_text(block, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=README.parent, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def _written(text: str, begin: str, end: str, table: str) -> str:
    start, stop = text.index(begin) + len(begin), text.index(end)
    return f"{text[:start]}\n{table}\n{text[stop:]}"


if __name__ == "__main__":
    new = _written(TEXT, BEGIN, END, properties_table())
    new = _written(new, PROCEDURES, PROCEDURES_END, procedures_table())
    README.write_text(_written(new, PUSHED, PUSHED_END, pushdown_table()), encoding="utf-8")
