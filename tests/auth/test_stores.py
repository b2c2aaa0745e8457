"""Stores by location, and what is managed in them: memory, table, keyring, third parties; export and rotation."""

from __future__ import annotations

import base64
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dynamics_auth import stores
from dynamics_auth.failures import AuthError, StoreUnwritable, StoreWrongKey
from dynamics_auth.keys import find_keys
from dynamics_auth.maintenance import SHOWN, export_settings, rotate_key, show_settings
from dynamics_auth.settings import AuthSettings
from dynamics_auth.stores import FileStore, MemoryStore, SetsAside, TokenStore, default_location, open_store
from tests.auth.support import ORG, World


def table_location(folder: Path) -> str:
    return f"sqlalchemy+sqlite:///{folder}/tokens.db#mine"


class Ring:
    """A keyring module that works, or does not."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken, self.entries = broken, dict[tuple[str, str], str]()

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("No recommended backend was available")

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self._check()
        self.entries[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.entries[service, name]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    made = Ring()
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


@pytest.mark.parametrize("kind", ["file", "memory", "table", "keyring"])
def test_every_store_keeps_the_protocol(kind: str, tmp_path: Path, ring: Ring) -> None:
    location = {
        "file": str(tmp_path / "s.txt"),
        "memory": f"memory://{tmp_path}",
        "table": table_location(tmp_path),
        "keyring": "keyring://service/name",
    }[kind]
    store, again = open_store(location), open_store(location)
    assert isinstance(store, TokenStore)
    assert store.load() is None
    with store.lock(1), store.lock(1):
        store.save(b"one")
        store.save(b"two")
    with again.lock(1):
        assert again.load() == b"two"
        again.save(b"three")
    assert store.load() == b"three"
    assert store.describe() == again.describe()
    store.delete()
    assert again.load() is None
    again.delete()
    assert isinstance(store, SetsAside) is (kind == "file")


@pytest.mark.parametrize("kind", ["table", "keyring", "memory"])
def test_a_sign_in_lives_in_any_store(kind: str, world: World, ring: Ring) -> None:
    location = {"table": table_location(world.folder), "keyring": "keyring://s/n", "memory": "memory://any"}[kind]
    first = world.desktop(OAuthSettingsLocation=location).token(ORG)
    assert world.headless(OAuthSettingsLocation=location).token(ORG).value == first.value
    world.now += 7200
    assert world.headless(OAuthSettingsLocation=location).token(ORG).value != first.value
    assert world.grants() == ["authorization_code", "refresh_token"]
    MemoryStore("memory://any").delete()


def test_the_table_refuses_to_overwrite_what_others_wrote(tmp_path: Path) -> None:
    one, two = open_store(table_location(tmp_path)), open_store(table_location(tmp_path))
    one.load()
    two.load()
    one.save(b"one")
    with pytest.raises(StoreUnwritable, match="changed by another program"):
        two.save(b"two")
    assert two.load() == b"one"


def test_the_table_lease_excludes_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dynamics_auth import table_store

    one, two = open_store(table_location(tmp_path)), open_store(table_location(tmp_path))
    monkeypatch.setattr(type(two), "describe", lambda self: f"store {id(self)}")
    with one.lock(1), pytest.raises(AuthError, match="locked by another program"), two.lock(0.05):
        pass
    monkeypatch.setattr(table_store, "LEASE", -1.0)
    with one.lock(1), two.lock(1):
        two.load()
        two.save(b"taken over")


def test_the_databases_password_stays_unsaid() -> None:
    with pytest.raises(AuthError, match="database URL") as caught:
        open_store("sqlalchemy+nonsense://user:hidden-secret@host/db")
    assert "hidden-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "hint"),
    [
        ("registry://%DSN", "not supported"),
        ("register://%DSN", "not supported"),
        ("file:///tmp/x", "plain path"),
        ("redis://host", "no such store"),
        ("memory://", "needs a name"),
        ("keyring://only", "keyring://service/name"),
    ],
)
def test_locations_that_are_none(location: str, hint: str, ring: Ring) -> None:
    with pytest.raises(AuthError, match=hint) as caught:
        open_store(location)
    assert caught.value.kind == "interface"


def test_a_windows_path_is_a_path() -> None:
    assert isinstance(open_store("C:\\Users\\u\\settings.txt"), FileStore)


def test_keyring_missing_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(AuthError, match="pip install"):
        open_store("keyring://s/n")
    monkeypatch.setitem(sys.modules, "keyring", Ring(broken=True))
    store = open_store("keyring://s/n")
    with pytest.raises(AuthError, match="set OAuthSettingsLocation to a file"):
        store.load()
    with pytest.raises(StoreUnwritable):
        store.save(b"x")


def test_a_working_keyring_holds_the_key_of_a_new_file(world: World, ring: Ring) -> None:
    world.desktop().connect(ORG)
    (entry,) = ring.entries.values()
    assert len(base64.b64decode(entry)) == 32
    assert b'"origin": "keyring"' in Path(world.file).read_bytes()
    assert world.headless().token(ORG)
    ring.entries.clear()
    with pytest.raises(StoreWrongKey, match=r"key [0-9a-f]{8} \(keyring\)"):
        world.headless().token(ORG)


def test_third_parties_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("redis", "tests.auth.test_stores:make_third_party", stores.ENTRY_POINTS)

    def found(*, group: str, name: str) -> list[EntryPoint]:
        return [entry] if (group, name) == (entry.group, entry.name) else []

    monkeypatch.setattr("importlib.metadata.entry_points", found)
    store = open_store("redis://host/1")
    assert store.describe() == "third party at redis://host/1"


def make_third_party(location: str) -> Any:
    return SimpleNamespace(describe=lambda: f"third party at {location}")


def test_a_store_object_replaces_the_location(world: World) -> None:
    store = MemoryStore("memory://object")
    first = world.desktop(store=store).token(ORG)
    assert world.headless(store=store).token(ORG).value == first.value
    assert not Path(world.file).exists()
    assert b"sqlalchemy-dynamics/oauth-settings" in (store.load() or b"")
    store.delete()


def test_export_adds_a_passphrase_to_a_copy(world: World) -> None:
    provider = world.desktop()
    first = provider.token(ORG)
    copy = world.folder / "copy.txt"
    export_settings(provider, str(copy), "for the journey")
    with pytest.raises(AuthError, match="exists already"):
        export_settings(provider, str(copy), "for the journey")
    with pytest.raises(AuthError, match="passphrase"):
        export_settings(provider, str(world.folder / "other.txt"), " ")
    with pytest.raises(AuthError, match="no settings"):
        export_settings(world.headless(store=MemoryStore("memory://none")), str(world.folder / "other.txt"), "x")
    world.environ["HOME"] = str(world.folder / "elsewhere")
    there = {"OAuthSettingsLocation": str(copy), "OAuthSettingsPassphrase": "for the journey"}
    assert world.headless(**there).token(ORG).value == first.value
    with pytest.raises(StoreWrongKey):
        world.headless(OAuthSettingsPassphrase="for the journey").token(ORG)


def test_show_lists_the_sign_ins_with_masked_secrets(world: World) -> None:
    provider = world.desktop(User="sam@contoso.onmicrosoft.com")
    assert show_settings(provider) == []
    token = provider.token(ORG)
    (row,) = show_settings(provider)
    assert tuple(row) == SHOWN
    assert (row["OrganizationUrl"], row["Tenant"], row["User"]) == (ORG, "common", "sam@contoso.onmicrosoft.com")
    assert row["Expires"] == "2027-01-15T09:00:00+00:00"
    assert str(row["OAuthAccessToken"]) == token.value and str(token.value) not in repr(row)


def test_rotation_ends_the_older_keys(world: World) -> None:
    world.desktop(OAuthSettingsPassphrase="old one").connect(ORG)
    old_copy = Path(world.file).read_bytes()
    running = world.headless(OAuthSettingsPassphrase="old one")
    running.users.vault.read()
    rotating = world.headless(OAuthSettingsPassphrase="old one")
    rotate_key(rotating, world.settings(OAuthSettingsPassphrase="new one"))
    assert world.headless(OAuthSettingsPassphrase="new one").token(ORG)
    for provider in (running, world.headless(OAuthSettingsPassphrase="old one")):
        with pytest.raises(StoreWrongKey):
            provider.token(ORG)
    Path(world.file).write_bytes(old_copy)
    with pytest.raises(StoreWrongKey):
        world.headless(OAuthSettingsPassphrase="new one").token(ORG)


def test_an_older_file_put_back_is_noticed(world: World) -> None:
    provider = world.desktop()
    provider.connect(ORG)
    before = Path(world.file).read_bytes()
    world.now += 7200
    provider.token(ORG)
    Path(world.file).write_bytes(before)
    provider.users.vault.read()
    assert any("restored or replaced" in text for text in world.log.warnings)


def test_the_default_location_is_in_the_configuration_folder() -> None:
    assert default_location({"HOME": "/home/u"}) == "/home/u/.config/sqlalchemy-dynamics/OAuthSettings.txt"


@pytest.mark.skipif(sys.platform == "win32", reason="its folder is APPDATA")
def test_a_user_without_a_home_names_the_file_and_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(AuthError, match="no home folder: set HOME, or OAuthSettingsLocation and a key"):
        default_location({})
    phrase = {"DYNAMICS_OAUTH_PASSPHRASE": "correct horse battery staple"}
    assert [key.origin for key in find_keys(AuthSettings(), phrase) if key.origin != "keyring"] == ["passphrase"]
