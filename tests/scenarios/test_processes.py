"""Without a tenant: `dynamics sandbox` and `dynamics login` as processes, a demo person at the sign-in page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.auth.plain import make_client
from tests.auth.support import free_port
from tests.sandbox_authority.browser import read_form, sign_in

ROOT = Path(__file__).resolve().parent.parent.parent


def start(folder: Path, *argv: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DYNAMICS_", "XDG_"))}
    environ = {**kept, "HOME": str(folder), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'auth'}", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "sqlalchemy_dynamics", *argv]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[dict[str, Any]]:
    process = start(tmp_path, "sandbox", "--rows", "7")
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.communicate()


def test_a_person_signs_in_to_the_sandbox_from_two_shells(sandbox: dict[str, Any], tmp_path: Path) -> None:
    callback = f"http://localhost:{free_port()}"
    url = (
        f"dynamics:///?OrganizationUrl={sandbox['OrganizationUrl']};AuthorityUrl={sandbox['AuthorityUrl']};"
        f"SSLServerCert={sandbox['CaFile']};OAuthClientId={sandbox['PublicClientId']};CallbackURL={callback}"
    )
    login = start(tmp_path, "login", "--no-browser", url)
    assert login.stderr is not None
    address = re.search(r"https://localhost:\S+", login.stderr.readline())
    assert address is not None
    with make_client(sandbox["CaFile"]) as client:
        page = sign_in(client, client.get(address[0]), "sam@contoso.onmicrosoft.com", "Pass-word-2")
        answer = read_form(page)
        assert client.post(answer.action, data=answer.fields).status_code == 200
    out, err = login.communicate(timeout=30)
    assert (login.returncode, out.split(";")[0]) == (
        0, f"signed in to {sandbox['OrganizationUrl']} as sam@contoso.onmicrosoft.com"
    ), err  # fmt: skip
    bare = f"dynamics:///?OrganizationUrl={sandbox['OrganizationUrl']};InitiateOAuth=REFRESH;SSLServerCert={sandbox['CaFile']}"
    query = start(tmp_path, "query", "--format", "csv", "--url", bare, "SELECT count(*) AS n FROM account")
    assert query.communicate(timeout=60) == ("n\n7\n", "")
