"""Logfile and Verbosity: what the driver did, redacted. Levels: 1 statements and errors, 2 requests and times,
3 headers and bodies, 4 TCP, TLS and proxies, 5 bodies uncut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dynamics_auth.redaction import MASK, Redactor
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.settings import PROPERTIES, Settings
from sqlalchemy_dynamics.transport.logfile import LogFile, open_logfile

__all__ = ["REDACTOR", "Trace", "learn_secrets", "open_trace"]

REDACTOR = Redactor()
"""Masks every secret this process has met, wherever text leaves the driver."""

_MASKED_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-identity-header", "mscrm.sessiontoken"}
)
_SIGN_IN = re.compile(r"/oauth2/|/adfs/|/userrealm/|/msi/token", re.IGNORECASE)
_CUT = 4096
_BREAKS = {ord("\r"): "\\r", ord("\n"): "\\n", ord("\x00"): "\\0", 0x85: "\\x85", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def learn_secrets(settings: Settings) -> None:
    """Teach the redactor every secret among the settings."""
    REDACTOR.learn(*(str(settings[row.name] or "") for row in PROPERTIES if row.secret))


class Trace:
    """The log of one set of settings; silent without a Logfile."""

    def __init__(self, file: LogFile | None = None, verbosity: int = 1, modules: Iterable[str] = ()) -> None:
        self._file = file
        self._verbosity = verbosity
        self._modules = frozenset(modules)

    def wants(self, level: int, module: str) -> bool:
        """Whether a line of that level and module would be written; ask before building an expensive one."""
        return self._file is not None and level <= self._verbosity and (not self._modules or module in self._modules)

    def log(self, level: int, module: str, message: str) -> None:
        """Write one line. `module` is EXEC, INFO, HTTP, SSL, AUTH, META or TCP."""
        if self._file is not None and self.wants(level, module):
            self._file.write(f"{level} {module} {REDACTOR.clean(message.translate(_BREAKS))}")

    def request(self, request: HttpRequest) -> None:
        """Headers and body before they leave (level 3)."""
        if self.wants(3, "HTTP"):
            self.log(3, "HTTP", f"> {request.method} {_url(request)} {_headers(request.headers)}")
            self._body(">", request, request.body or b"")

    def response(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """What came back, and how long it took (level 2); headers and body (level 3)."""
        if self.wants(2, "HTTP"):
            taken = f"{seconds * 1000:.1f} ms, {len(response.body)} bytes"
            self.log(2, "HTTP", f"{request.method} {_url(request)} -> {response.status}, {taken}")
        if self.wants(3, "HTTP"):
            self.log(3, "HTTP", f"< {response.status} {_headers(response.headers)}")
            self._body("<", request, response.body)

    def failure(self, request: HttpRequest, error: Exception, seconds: float) -> None:
        """No reply came (level 1)."""
        self.log(1, "HTTP", f"{request.method} {_url(request)} failed after {seconds * 1000:.1f} ms: {error}")

    def _body(self, arrow: str, request: HttpRequest, body: bytes) -> None:
        if not body:
            return
        if is_sign_in(request):
            self.log(3, "HTTP", f"{arrow} body of {len(body)} bytes left out: it belongs to a sign-in")
            return
        limit = len(body) if self._verbosity >= 5 else _CUT
        shown = body[:limit].decode("utf-8", "replace")
        self.log(3, "HTTP", f"{arrow} {shown}" + (f" … of {len(body)} bytes" if len(body) > limit else ""))


def open_trace(settings: Settings) -> Trace:
    """The log these settings ask for. Raises InterfaceError naming Logfile when it cannot be written."""
    learn_secrets(settings)
    path = settings.text("Logfile")
    if not path:
        return Trace()
    file = open_logfile(path, settings.number("MaxLogFileSize"), settings.number("MaxLogFileCount"))
    modules = (name.strip().upper() for name in settings.text("LogModules").split(";"))
    return Trace(file, settings.number("Verbosity"), filter(None, modules))


def is_sign_in(request: HttpRequest) -> bool:
    """Whether the bodies of this exchange hold credentials or tokens."""
    kinds = (value for name, value in request.headers.items() if name.lower() == "content-type")
    return bool(_SIGN_IN.search(request.url)) or any("form-urlencoded" in kind.lower() for kind in kinds)


def _url(request: HttpRequest) -> str:
    path, _, query = request.url.partition("?")
    return f"{path}?…" if query and is_sign_in(request) else request.url


def _headers(headers: Mapping[str, str]) -> str:
    shown = (f"{name}: {MASK if name.lower() in _MASKED_HEADERS else value}" for name, value in headers.items())
    return "[" + "; ".join(shown) + "]"
