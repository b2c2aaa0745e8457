"""File rules, locks and key files: hostile cases 32-36."""

from __future__ import annotations

import base64
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynamics_auth import files
from dynamics_auth.failures import AuthError, StoreDamaged, StoreUnwritable
from dynamics_auth.files import read_private, replace_file, resolve, sweep
from dynamics_auth.keys import explicit_keys, find_keys, new_keys
from dynamics_auth.locks import file_lock
from dynamics_auth.settings import AuthSettings
from dynamics_auth.stores import FileStore
from tests.auth.support import ORG, World

AS_ROOT = os.getuid() == 0


def read(path: Path, **options: Any) -> bytes | None:
    return read_private(resolve(str(path)), "the file", limit=1000, **options)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.txt"
    path.write_bytes(b"content")
    path.chmod(0o600)
    return path


def test_hostile_34_readable_by_others_is_tightened(file: Path) -> None:
    file.chmod(0o644)
    assert read(file) == b"content"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_hostile_34_writable_by_others_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(AuthError, match=r"settings\.txt was not read: others can write it"):
        read(file)


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a file away")
def test_hostile_34_another_owner_is_refused(file: Path) -> None:
    os.chown(file, 12345, -1)
    with pytest.raises(AuthError, match="another user"):
        read(file)


def test_hostile_34_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(AuthError, match=r"not a regular file|cannot be opened"):
            read(path)


def test_hostile_34_symlinks_are_followed_and_kept(file: Path, tmp_path: Path) -> None:
    link, dangling = tmp_path / "link", tmp_path / "dangling"
    link.symlink_to(file)
    dangling.symlink_to(tmp_path / "folder" / "target")
    for path, target in ((link, file), (dangling, tmp_path / "folder" / "target")):
        store = FileStore(str(path))
        store.save(b"new")
        assert path.is_symlink()
        assert target.read_bytes() == b"new"
        assert store.load() == b"new"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(AuthError):
        FileStore(str(loop)).load()


def test_hostile_34_a_name_with_a_file_as_folder(file: Path) -> None:
    with pytest.raises(StoreUnwritable, match="folder"):
        FileStore(str(file / "below")).save(b"x")


def test_hostile_32_missing_empty_and_too_large(file: Path, tmp_path: Path) -> None:
    assert FileStore(str(tmp_path / "none")).load() is None
    file.write_bytes(b"")
    assert FileStore(str(file)).load() is None
    os.truncate(file, 2 << 30)
    with pytest.raises(AuthError, match="larger than"):
        FileStore(str(file)).load()


def test_writing_replaces_atomically_and_privately(file: Path) -> None:
    before = file.stat().st_ino
    replace_file(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o600)
    assert file.stat().st_ino != before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV])
def test_hostile_35_bind_mounts_are_written_in_place(file: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "replace", failing(number))
    before = file.stat().st_ino
    replace_file(file, b"shorter")
    assert (file.read_bytes(), file.stat().st_ino) == (b"shorter", before)
    assert len(list(file.parent.iterdir())) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_hostile_35_disk_full_keeps_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(StoreUnwritable, match=r"settings\.txt cannot be written"):
        replace_file(file, b"new")
    assert file.read_bytes() == b"content"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


READ_ONLY = """
import os, sys, tempfile
sys.path.insert(0, sys.argv[2])
from dynamics_auth.stores import FileStore
from dynamics_auth.failures import StoreUnwritable
os.setuid(65534)
store = FileStore(sys.argv[1])
with store.lock(1.0):
    assert store.load() == b"content", "not readable"
    try:
        store.save(b"new")
    except StoreUnwritable as error:
        print("unwritable", error)
    else:
        print("written")
"""


@pytest.mark.skipif(not AS_ROOT, reason="runs as another user")
@pytest.mark.parametrize(("file_mode", "expected"), [(0o600, "written"), (0o400, "unwritable")])
def test_hostile_35_C12_read_only_folder_and_file(file_mode: int, expected: str) -> None:
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/read-only-XXXXXX"], text=True).strip())
    try:
        file = folder / "settings.txt"
        file.write_bytes(b"content")
        os.chown(file, 65534, -1)
        file.chmod(file_mode)
        folder.chmod(0o555)
        package = str(Path(files.__file__).parent.parent)
        out = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(file), package], capture_output=True, text=True, check=True
        )
        assert out.stdout.startswith(expected)
        assert file.read_bytes() == (b"new" if expected == "written" else b"content")
    finally:
        folder.chmod(0o755)
        for leftover in folder.iterdir():
            leftover.unlink()
        folder.rmdir()


def test_C12_what_cannot_be_saved_stays_in_memory_with_a_warning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.authority.refresh_mode = "single-use"
    world.desktop().connect(ORG)
    before = Path(world.file).read_bytes()
    provider = world.headless()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing(errno.EROFS))
        patch.setattr(files, "_write_in_place", lambda *_: False)
        for _ in range(2):
            world.now += 7200
            assert provider.token(ORG)
    assert Path(world.file).read_bytes() == before
    assert len([text for text in world.log.warnings if "stay in memory" in text]) == 1
    assert "read and write permission" in world.log.warnings[0]
    world.now += 7200
    assert provider.token(ORG)
    assert Path(world.file).read_bytes() != before
    world.now += 7200
    assert world.headless().token(ORG)
    assert world.grants().count("refresh_token") == 4


def test_leftovers_older_than_an_hour_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / ".oauth-old.tmp", tmp_path / ".oauth-new.tmp"
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    sweep(tmp_path, time.time())
    assert not old.exists() and new.exists()


def test_hostile_36_a_lock_held_for_ever_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "settings.txt.lock"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with file_lock(lock, 5):
            os.write(writer, b"held")
            time.sleep(60)
        os._exit(0)
    try:
        assert os.read(reader, 4) == b"held"
        with pytest.raises(AuthError, match=r"settings\.txt\.lock has been held by another"), file_lock(lock, 0.1):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with file_lock(lock, 5):
        assert lock.exists()


def test_hostile_36_a_symlink_as_lock_file_is_refused(tmp_path: Path) -> None:
    victim, lock = tmp_path / "victim", tmp_path / "settings.txt.lock"
    victim.write_text("precious")
    lock.symlink_to(victim)
    with pytest.raises(AuthError, match="symlink"), file_lock(lock, 1):
        pass
    assert victim.read_text() == "precious"


def test_a_lock_is_reentrant_per_thread_and_excludes_others(tmp_path: Path) -> None:
    lock, outcome = tmp_path / "x.lock", list[str]()

    def other() -> None:
        try:
            with file_lock(lock, 0.05):
                outcome.append("entered")
        except AuthError:
            outcome.append("refused")

    with file_lock(lock, 1), file_lock(lock, 1):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()
    assert outcome == ["refused", "entered"]


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    with file_lock(lock, 1):
        child = os.fork()
        if child == 0:
            time.sleep(20)
            os._exit(0)
    try:
        with file_lock(lock, 1):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def settings(**properties: str) -> AuthSettings:
    return AuthSettings.from_mapping(properties)


def test_key_sources_in_order(tmp_path: Path) -> None:
    raw = base64.b64encode(bytes(range(32))).decode()
    key_file = tmp_path / "my.key"
    key_file.write_text(raw + "\n")
    key_file.chmod(0o600)
    environ = {"HOME": str(tmp_path), "DYNAMICS_OAUTH_PASSPHRASE": "from env", "DYNAMICS_OAUTH_KEY": raw}
    given = settings(OAuthSettingsPassphrase="from property", OAuthSettingsKeyFile=str(key_file))
    keys = explicit_keys(given, environ)
    assert [key.origin for key in keys] == ["passphrase", "environment", "keyfile"]
    assert keys[0].passphrase == "from property"
    assert explicit_keys(settings(), environ)[0].passphrase == "from env"
    assert "from property" not in repr(keys) and bytes(range(32)).hex() not in repr(keys)


def test_the_per_user_key_file_is_made_once(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert find_keys(settings(), environ) == []
    made = [new_keys(settings(), environ, os.urandom)[0] for _ in range(3)]
    assert {key.raw for key in made} == {made[0].raw}
    path = tmp_path / ".config" / "sqlalchemy-dynamics" / "oauth.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    if AS_ROOT:
        with pytest.raises(AuthError, match="others can read it"):
            find_keys(settings(), environ)


@pytest.mark.parametrize("text", ["", "short", "!" * 44, base64.b64encode(b"x" * 16).decode()])
def test_a_key_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "my.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(AuthError, match="OAuthSettingsKeyFile must hold 32 bytes"):
        explicit_keys(settings(OAuthSettingsKeyFile=str(path)), {})
    with pytest.raises(AuthError, match="does not exist"):
        explicit_keys(settings(OAuthSettingsKeyFile=str(tmp_path / "none")), {})


def test_damage_inside_the_seal_is_damage_too(world: World) -> None:
    provider = world.desktop()
    provider.connect(ORG)
    from dynamics_auth.records import Payload

    for text in (b"[]", b"{}", b'{"generation": 1, "records": [{}], "pending": []}', b"null"):
        with pytest.raises(StoreDamaged):
            Payload.from_json(text, "the file")
