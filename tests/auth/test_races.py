"""One refresh per expiry across threads and processes, and what a killed process leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from dynamics_auth.files import sweep
from dynamics_auth.stores import FileStore
from tests.auth.support import ORG, World, in_threads

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import json, sys
from tests.auth.plain import HttpxPort, Log, ORG, in_threads, make_client
from dynamics_auth.ports import Ports
from dynamics_auth.provider import TokenProvider
from dynamics_auth.settings import AuthSettings

given = json.loads(sys.argv[1])
http = HttpxPort(make_client(given["ca"]))
ports = Ports(http=http, clock=lambda: given["now"], logger=Log(), environ=given["environ"])
settings = AuthSettings.from_mapping(given["properties"])
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([
    str(item.value) if hasattr(item, "value") else f"{type(item).__name__}: {item}"
    for item in in_threads(given["threads"], lambda: TokenProvider(settings, ports).token(ORG))
]), flush=True)
"""


def start(world: World, threads: int) -> subprocess.Popen[str]:
    given = {
        "ca": world.authority.ca_file,
        "now": world.now,
        "environ": world.environ,
        "threads": threads,
        "properties": {
            "InitiateOAuth": "REFRESH",
            "OAuthSettingsLocation": world.file,
        },
    }
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'auth'}"}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, json.dumps(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
        cwd=ROOT,
    )


def run_together(world: World, processes: int, threads: int) -> list[str]:
    """Start all, let them go at once, collect what each thread got."""
    workers = [start(world, threads) for _ in range(processes)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return [token for worker in workers for token in json.loads(worker.communicate(timeout=60)[0])]


def test_hostile_19_C31_eight_threads_and_six_processes_send_one_refresh(world: World) -> None:
    world.authority.refresh_mode = "revoke-family"
    world.desktop().connect(ORG)
    world.now += 7200
    tokens = run_together(world, processes=6, threads=8)
    assert len(tokens) == 48
    assert len(set(tokens)) == 1, set(tokens)
    assert world.authority.check(tokens[0]) is None
    assert [(entry.grant, entry.status) for entry in world.tokens_sent()[1:]] == [("refresh_token", 200)]


def test_hostile_19_one_provider_and_eight_threads(world: World) -> None:
    world.authority.refresh_mode = "revoke-family"
    provider = world.desktop()
    provider.connect(ORG)
    for _ in range(3):
        world.now += 7200
        assert len({str(token.value) for token in in_threads(8, lambda: provider.token(ORG))}) == 1
    assert world.grants().count("refresh_token") == 3


WRITER = """
import sys
from dynamics_auth.stores import FileStore
store = FileStore(sys.argv[1])
blob = sys.stdin.buffer.read()
print("ready", flush=True)
while True:
    with store.lock():
        store.save(blob)
"""


def test_C32_kill_9_while_writing_leaves_old_or_new_never_half(world: World) -> None:
    world.desktop().connect(ORG)
    store = FileStore(world.file)
    blob = store.load()
    assert blob is not None
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "auth")}
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, world.file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
        )
        assert writer.stdin is not None and writer.stdout is not None
        writer.stdin.write(blob)
        writer.stdin.close()
        assert writer.stdout.readline() == b"ready\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        with store.lock(5):
            assert store.load() == blob
    assert world.headless().token(ORG)
    leftovers = list(world.folder.glob(".oauth-*"))
    assert all(b"token" not in path.read_bytes().split(b'"data"')[-1] for path in leftovers)
    sweep(world.folder, world.now + 10_000_000)
    assert not list(world.folder.glob(".oauth-*"))
