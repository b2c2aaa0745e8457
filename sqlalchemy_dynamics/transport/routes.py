"""Which proxy, if any, a connection goes through: Proxy*, Firewall*, or what the system says."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

from dynamics_auth.tokens import Token
from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.settings import Settings
from sqlalchemy_dynamics.settings.values import is_loopback

__all__ = ["Proxy", "Route", "SystemProxies", "open_route"]

Route = Callable[[str, int], "Proxy | None"]
"""``route(host, port)`` → the proxy to that host, None to connect straight."""

_KINDS = {
    "http": "connect",
    "https": "connect",
    "socks": "socks5",
    "socks5": "socks5",
    "socks5h": "socks5",
    "socks4": "socks4",
    "socks4a": "socks4",
}
_PORTS = {"connect": 80, "socks4": 1080, "socks5": 1080}
_NOTHING = Token("")
_FIREWALLS = {"TUNNEL": "connect", "SOCKS4": "socks4", "SOCKS5": "socks5"}


@dataclass(frozen=True)
class Proxy:
    """`kind` is connect, socks4 or socks5; `scheme` how to sign in at a connect proxy; `secure` that it speaks TLS;
    `family` the beginning of its properties' names, for messages."""

    kind: str
    host: str
    port: int
    user: str = ""
    password: Token = _NOTHING
    scheme: str = "BASIC"
    secure: bool = False
    family: str = field(default="Proxy", compare=False)

    @property
    def place(self) -> str:
        """``host:port``, for messages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class SystemProxies:
    """What the operating system knows: proxy URLs by scheme, and the hosts that need none."""

    proxies: Callable[[], Mapping[str, str]] = urllib.request.getproxies
    bypass: Callable[[str], object] = urllib.request.proxy_bypass


def open_route(settings: Settings, system: SystemProxies | None = None) -> Route:
    """The route these settings ask for. Raises InterfaceError naming what is missing or contradicts."""
    proxy = _firewall(settings) or _proxy_server(settings)
    if settings.is_sandbox:
        return lambda host, port: None
    if proxy is not None:
        exceptions = tuple(item.strip().lower() for item in settings.text("ProxyExceptions").split(";") if item.strip())
        return lambda host, port: None if _excepted(host, exceptions) else proxy
    if not settings.flag("ProxyAutoDetect"):
        return lambda host, port: None
    return _system_route(settings, system or SystemProxies())


def _firewall(settings: Settings) -> Proxy | None:
    kind, host = settings.text("FirewallType"), settings.text("FirewallServer").strip()
    if kind == "NONE":
        if host:
            raise InterfaceError("FirewallServer is set without FirewallType; set it to TUNNEL, SOCKS4 or SOCKS5")
        return None
    if not host:
        raise InterfaceError(f"FirewallType={kind} needs FirewallServer")
    if settings.text("ProxyServer"):
        raise InterfaceError("ProxyServer and FirewallType cannot be set together; drop one of them")
    if settings.explicit("ProxyAutoDetect") and settings.flag("ProxyAutoDetect"):
        raise InterfaceError("ProxyAutoDetect=true and FirewallType cannot be set together; drop one of them")
    return _checked(
        Proxy(
            _FIREWALLS[kind],
            host,
            settings.number("FirewallPort") or _PORTS[_FIREWALLS[kind]],
            settings.text("FirewallUser"),
            Token(settings.text("FirewallPassword")),
            family="Firewall",
        )
    )


def _proxy_server(settings: Settings) -> Proxy | None:
    server = settings.text("ProxyServer").strip()
    if not server:
        return None
    parts = urlsplit(server if "://" in server else f"http://{server}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or "@" in parts.netloc:
        raise InterfaceError("ProxyServer: expected a host name or address; port and user have their own properties")
    proxy = Proxy("connect", parts.hostname, settings.number("ProxyPort"), secure=parts.scheme == "https")
    return _checked(_signed_in(proxy, settings))


def _signed_in(proxy: Proxy, settings: Settings) -> Proxy:
    user, password = settings.text("ProxyUser"), Token(settings.text("ProxyPassword"))
    scheme = settings.text("ProxyAuthScheme")
    return Proxy(proxy.kind, proxy.host, proxy.port, user, password, scheme, proxy.secure)


def _checked(proxy: Proxy) -> Proxy:
    if proxy.kind == "connect" and proxy.scheme == "BASIC" and ":" in proxy.user:
        raise InterfaceError(f"{proxy.family}User: a colon is not possible with basic sign-in")
    if proxy.kind == "socks5" and max(len(proxy.user.encode()), len(proxy.password.encode())) > 255:
        raise InterfaceError(f"{proxy.family}User and {proxy.family}Password: SOCKS5 takes at most 255 bytes each")
    return proxy


def _excepted(host: str, patterns: tuple[str, ...]) -> bool:
    name = host.lower().rstrip(".")
    return any(fnmatchcase(name, pattern) or (pattern[0] == "." and name.endswith(pattern)) for pattern in patterns)


def _system_route(settings: Settings, system: SystemProxies) -> Route:
    def route(host: str, port: int) -> Proxy | None:
        if is_loopback(host) or system.bypass(f"{host}:{port}"):
            return None
        found = system.proxies()
        url = found.get("https") or found.get("all")
        return _from_url(url, settings) if url else None

    return route


def _from_url(url: str, settings: Settings) -> Proxy:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    kind = _KINDS.get(parts.scheme)
    if kind is None or not parts.hostname:
        raise InterfaceError(
            f"the system's proxy is of an unknown kind ({parts.scheme}); set ProxyAutoDetect=false and ProxyServer"
        )
    proxy = Proxy(
        kind,
        parts.hostname,
        parts.port or _PORTS[kind],
        unquote(parts.username or ""),
        Token(unquote(parts.password or "")),
        secure=parts.scheme == "https",
    )
    return proxy if proxy.user else _signed_in(proxy, settings)
