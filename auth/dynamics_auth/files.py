"""File rules: what may be read, how writing never tears, who may hold a key."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dynamics_auth.failures import AuthError, StoreUnwritable

__all__ = ["make_folder", "read_private", "replace_file", "resolve", "sweep", "write_new"]

WINDOWS = sys.platform == "win32"
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_TEMPORARY = ".oauth-"
_STALE = 3600.0
_IN_PLACE = frozenset((errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS))


def resolve(path: str) -> Path:
    """The real path, a user's symlink followed and kept; ``~`` and, on Windows, ``%APPDATA%`` are expanded."""
    expanded = os.path.expanduser(os.path.expandvars(path) if WINDOWS else path)
    return Path(os.path.realpath(expanded))


def read_private(path: Path, what: str, *, limit: int, key: bool = False) -> bytes | None:
    """The content of a regular file of ours, None when it does not exist.

    Others may not write it; if they may read it, the mode is tightened. A key file that others can read is refused,
    unless root owns it and nobody else can write it (Docker and Kubernetes secrets).
    Raises AuthError naming the path and the reason.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal(path, what, f"it cannot be opened ({_reason(error)})") from None
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise _refusal(path, what, "it is not a regular file")
        if not WINDOWS:
            _check_access(path, what, info, descriptor, key)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise _refusal(path, what, f"it is larger than {limit} bytes")
    return content


def _check_access(path: Path, what: str, info: os.stat_result, descriptor: int, key: bool) -> None:
    if info.st_uid not in (os.getuid(), 0):
        raise _refusal(path, what, "it belongs to another user")
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _refusal(path, what, "others can write it: chmod 600 it after checking where it comes from")
    if not info.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return
    secret_mount = info.st_uid == 0 and os.getuid() != 0
    if key and not secret_mount:
        raise _refusal(path, what, "others can read it: chmod 600 it")
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, 0o600)


def _refusal(path: Path, what: str, reason: str) -> AuthError:
    return AuthError(f"{what} {path} was not read: {reason}")


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else type(error).__name__


def make_folder(path: Path) -> None:
    """Make the folder a file will live in, private to the user where it is new. Raises StoreUnwritable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnwritable(f"the folder {path.parent} cannot be made ({_reason(error)})") from None


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`, all or nothing: a new file beside it, synced, then renamed over it.

    A bind-mounted file or a folder we may not write in is written in place. Raises StoreUnwritable.
    """
    make_folder(path)
    try:
        _replace(path, content)
    except OSError as error:
        if error.errno in _IN_PLACE and _write_in_place(path, content):
            return
        raise StoreUnwritable(
            f"{path} cannot be written ({_reason(error)}); OAuthSettingsLocation needs read and write permission"
        ) from None


def _replace(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _retried(lambda: os.replace(temporary, path))
    except BaseException:  # an interrupt leaves no temporary file either
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _retried(rename: Callable[[], None]) -> None:
    for _ in range(50 if WINDOWS else 0):
        try:
            return rename()
        except PermissionError:
            time.sleep(0.05)
    rename()


def _sync_folder(folder: Path) -> None:
    if WINDOWS:
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_in_place(path: Path, content: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(descriptor)
    return True


def write_new(path: Path, content: bytes) -> bool:
    """Make a file that nobody else can read. False when somebody made it first. Raises StoreUnwritable."""
    make_folder(path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, suffix=".tmp", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(temporary, path)
        finally:
            os.unlink(temporary)
    except FileExistsError:
        return False
    except OSError as error:
        raise StoreUnwritable(f"{path} cannot be made ({_reason(error)})") from None
    return True


def sweep(folder: Path, now: float) -> None:
    """Remove what killed writers left behind an hour ago or longer (sealed text, never plain)."""
    with contextlib.suppress(OSError):
        for leftover in folder.glob(f"{_TEMPORARY}*.tmp"):
            if now - leftover.stat().st_mtime > _STALE:
                leftover.unlink()
