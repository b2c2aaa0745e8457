"""The README's examples run, and its tables are those the code uses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy_dynamics.settings import PROPERTIES

README = Path(__file__).resolve().parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
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


def test_the_fixture_example_runs(tmp_path: Path) -> None:
    block = next(block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "def test_report" in block)
    (tmp_path / "test_example.py").write_text(block, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=README.parent, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


if __name__ == "__main__":
    start, end = TEXT.index(BEGIN) + len(BEGIN), TEXT.index(END)
    README.write_text(f"{TEXT[:start]}\n{properties_table()}\n{TEXT[end:]}", encoding="utf-8")
