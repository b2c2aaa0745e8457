"""Locks shared by threads and by processes; a forked child starts with none held."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from dynamics_auth.failures import AuthError, StoreUnwritable
from dynamics_auth.files import make_folder

__all__ = ["file_lock", "thread_lock"]

_POLL = 0.02
_locks: dict[str, threading.RLock] = {}
_held: set[str] = set()
_guard = threading.Lock()


def _forget_after_fork() -> None:
    global _guard
    _guard = threading.Lock()
    _locks.clear()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


@contextlib.contextmanager
def thread_lock(name: str, timeout: float) -> Iterator[None]:
    """One holder per name in this process, re-entrant per thread. Raises AuthError after `timeout` seconds."""
    with _guard:
        lock = _locks.setdefault(name, threading.RLock())
    if not lock.acquire(timeout=timeout):
        raise AuthError(f"another thread has held {name} for {timeout:g} seconds")
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def file_lock(path: Path, timeout: float) -> Iterator[None]:
    """One holder per lock file on this machine, re-entrant per thread. The file is never deleted.

    Raises AuthError naming the file when it stays locked for `timeout` seconds, is a symlink or cannot be made.
    """
    name = str(path)
    deadline = time.monotonic() + timeout
    with thread_lock(name, timeout):
        if name in _held:
            yield
            return
        descriptor = _open_lock(path)
        if descriptor is None:
            yield
            return
        try:
            _acquire(descriptor, path, deadline, timeout)
            _held.add(name)
            yield
        finally:
            _held.discard(name)
            _unlock(descriptor)


def _open_lock(path: Path) -> int | None:
    """A descriptor of the lock file; None where the folder cannot be written and nobody ever made one."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        make_folder(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)
    except (PermissionError, StoreUnwritable):
        return _open_existing(path, flags)
    except OSError as error:
        if error.errno == errno.EROFS:
            return _open_existing(path, flags)
        raise _unusable(path, "it is a symlink" if path.is_symlink() else os.strerror(error.errno or 0)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _unusable(path, "it is not a regular file")
    return descriptor


def _open_existing(path: Path, flags: int) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.parent.exists() and path.exists():
            raise _unusable(path, os.strerror(error.errno or 0)) from None
        return None


def _unusable(path: Path, reason: str) -> AuthError:
    return AuthError(f"the lock file {path} cannot be used ({reason}): remove it or repair its permissions")


def _acquire(descriptor: int, path: Path, deadline: float, timeout: float) -> None:
    while not _try_lock(descriptor):
        if time.monotonic() >= deadline:
            raise AuthError(f"the lock file {path} has been held by another process for {timeout:g} seconds")
        time.sleep(_POLL)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.close(descriptor)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        # A child forked meanwhile shares the lock: closing alone would leave it locked for the child's life.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
