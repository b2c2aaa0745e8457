"""A log file readable by its owner only, that begins a new file when it is full."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy_dynamics.errors import InterfaceError

__all__ = ["LogFile", "open_logfile"]

_SMALLEST = 100 * 1024
_FEWEST = 2
_FILES: dict[tuple[str, int, int], LogFile] = {}
_LOCK = threading.Lock()


def open_logfile(path: str, max_size: int, max_count: int) -> LogFile:
    """The process's one writer for `path`. Raises InterfaceError naming Logfile."""
    key = (os.path.abspath(os.path.expanduser(path)), max_size, max_count)
    with _LOCK:
        if key not in _FILES:
            _FILES[key] = LogFile(Path(key[0]), max_size, max_count)
        return _FILES[key]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LogFile:
    """Appends lines. At `max_size` bytes (at least 100 KB) a file with the UTC time appended to its name is begun; of
    more than `max_count` files (at least 2; 0 or less keeps all) the oldest are deleted."""

    def __init__(self, path: Path, max_size: int, max_count: int, now: Callable[[], datetime] = _utc_now) -> None:
        self._path = path
        self._max_size = max(max_size, _SMALLEST)
        self._max_count = max(max_count, _FEWEST) if max_count > 0 else 0
        self._now = now
        self._lock = threading.Lock()
        try:
            self._current = self._latest()
            self._file = self._open(self._current)
        except OSError as error:
            raise InterfaceError(f"Logfile: cannot write to {path}: {error.strerror}") from None

    def write(self, line: str) -> None:
        """Append one line behind the UTC time. A full disk loses lines, never a statement."""
        text = f"{self._now().isoformat(timespec='milliseconds')} {line}\n"
        with self._lock:
            try:
                if os.fstat(self._file).st_size + len(text) > self._max_size:
                    self._begin_next()
                os.write(self._file, text.encode("utf-8", "backslashreplace"))
            except OSError:
                return

    def _files(self) -> list[Path]:
        dated = self._path.parent.glob(f"{_escaped(self._path.stem)}_*{_escaped(self._path.suffix)}")
        return [self._path, *sorted(dated)]

    def _latest(self) -> Path:
        latest = self._files()[-1]
        return latest if not latest.exists() or latest.stat().st_size < self._max_size else self._next()

    def _next(self) -> Path:
        stamp = self._now().strftime("%Y-%m-%d_%H-%M-%S-%f")
        return self._path.with_name(f"{self._path.stem}_{stamp}{self._path.suffix}")

    def _begin_next(self) -> None:
        following = self._next()
        opened = self._open(following)
        os.close(self._file)
        self._file, self._current = opened, following
        if self._max_count:
            present = [path for path in self._files() if path.exists()]
            for path in present[: -self._max_count]:
                path.unlink(missing_ok=True)

    @staticmethod
    def _open(path: Path) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        return os.open(path, flags, 0o600)


def _escaped(text: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in text)
