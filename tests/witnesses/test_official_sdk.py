"""Microsoft's own SDK for Python against the sandbox. It insists on https, so its base address is put in afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from tests.shared import FOLDER

sdk = pytest.importorskip("PowerPlatform.Dataverse.client", reason="powerplatform-dataverse-client is not installed")
CONFORMANCE = FOLDER / "peers" / "official_sdk_conformance.py"
FEATURES = 157


class Credential:
    """What azure-identity would be."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self.token, int(time.time()) + 3600)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        Sandbox(rows=30) as org,
        sdk.DataverseClient("https://sandbox.invalid", Credential(org.access_token)) as opened,
    ):
        opened._base_url = org.url
        yield opened


@pytest.mark.skipif(not CONFORMANCE.exists(), reason="the conformance script is not beside this checkout")
def test_every_feature(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    with Sandbox(rows=200, seed=7) as org:
        command = [str(CONFORMANCE), org.url, "--token", org.access_token, "--wait", "10", "--json", str(results)]
        run = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, timeout=150, check=False, cwd=tmp_path
        )
    assert run.returncode == 0 and results.exists(), run.stdout[-4000:] + run.stderr[-2000:]
    assert f"{FEATURES} PASS  0 FAIL  0 SKIP" in run.stdout, run.stdout[-4000:]


def test_rows_come_and_go(client: Any) -> None:
    row_id = client.records.create("account", {"name": "witness", "numberofemployees": 3})
    row = client.records.retrieve("account", row_id, select=["name", "numberofemployees"])
    assert (row["name"], row["numberofemployees"]) == ("witness", 3)
    client.records.update("account", row_id, {"numberofemployees": 4})
    found = client.query.sql("SELECT numberofemployees FROM account WHERE name = 'witness'")
    assert [item["numberofemployees"] for item in found] == [4]
    client.records.delete("account", row_id)
    assert client.records.retrieve("account", row_id) is None


def test_fetchxml_pages(client: Any) -> None:
    inner = "<entity name='account'><attribute name='name'/><order attribute='name'/></entity>"
    xml = f"<fetch count='4' page='1'>{inner}</fetch>"
    pages = list(client.query.fetchxml(xml).execute_pages())
    names = [row["name"] for page in pages for row in page]
    assert [len(page) for page in pages] == [4] * 7 + [2] and len(set(map(json.dumps, names))) > 5


def test_a_table_of_its_own(client: Any) -> None:
    client.tables.create("new_Witness", {"new_Size": "int"})
    made = client.tables.get("new_Witness")
    assert made is not None and made["entity_set_name"] == "new_witnesses"
    client.records.create("new_witness", {"new_size": 5})
    assert [row["new_size"] for row in client.query.builder("new_witness").select("new_size").execute()] == [5]
    client.tables.delete("new_Witness")
    assert client.tables.get("new_Witness") is None
