"""URL, string, environment and keywords in; `Settings` out. connect_args > URL > environment > default."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from urllib.parse import unquote, unquote_plus

from dynamics_auth.failures import AuthError
from dynamics_auth.properties import Property
from dynamics_auth.settings import AuthSettings
from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.settings.model import Settings
from sqlalchemy_dynamics.settings.pairs import split
from sqlalchemy_dynamics.settings.properties import PROPERTIES, SANDBOX_OPTIONS, SIGN_IN_NAMES, fold, index
from sqlalchemy_dynamics.settings.values import Value, read

__all__ = ["ENVIRONMENT_NAMES", "USER_INFO", "from_parts", "from_string", "from_url"]

ENVIRONMENT_NAMES = {"OAuthSettingsPassphrase": "DYNAMICS_OAUTH_PASSPHRASE"}
"""Environment variables that are not DYNAMICS_ and the property in capitals."""

USER_INFO = {"Password": ("User", "Password")}
"""What user:password@ of a URL means by AuthScheme; OAuthClientId:OAuthClientSecret under any other."""

Pairs = Sequence[tuple[str, object]]
Layer = Mapping[str, object]

_ROWS = index(PROPERTIES)
_SANDBOX_ROWS = index(SANDBOX_OPTIONS)
_URL = re.compile(
    r"dynamics(?:\+\w+)?://"
    r"(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:\[(?P<ipv6>[^/?\]]+)\]|(?P<host>[^/:?;]*))(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<path>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)


def from_url(
    url: str, connect_args: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Read ``dynamics://[id[:secret]@]HOST[:PORT]/?…``, ``dynamics:///?OrganizationUrl=…;A=b`` or ``dynamics://sandbox``.

    `environ` defaults to the process environment. Raises InterfaceError naming the property.
    """
    found = _URL.fullmatch(url)
    if not found:
        raise InterfaceError("the URL must look like dynamics://contoso.crm.dynamics.com/?Property=value")
    user, password = (None if part is None else unquote(part) for part in found.group("user", "password"))
    return from_parts(
        host=found["ipv6"] or found["host"] or None,
        port=found["port"] or None,
        username=user,
        password=password,
        database=found["path"] or None,
        query=[_decoded(part) for part in (found["query"] or "").split("&") if part],
        connect_args=connect_args,
        environ=environ,
    )


def _decoded(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals and name.strip("; "):
        raise InterfaceError("the URL: expected Name=Value between ? and &")
    return unquote_plus(name), unquote_plus(value)


def from_string(
    text: str, connect_args: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Read ``A=1;B="x;y"``."""
    return _build(split(text), connect_args or {}, environ, sandbox=False)


def from_parts(
    host: str | None = None,
    port: int | str | None = None,
    username: str | None = None,
    password: str | None = None,
    query: Mapping[str, str | Sequence[str]] | Sequence[tuple[str, str]] = (),
    connect_args: Mapping[str, object] | None = None,
    *,
    database: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the decoded parts of a URL, such as SQLAlchemy's own ``URL`` holds them."""
    if database and database.strip("/"):
        raise InterfaceError("the URL: a path is not allowed; write dynamics://host/?Property=value")
    sandbox = host is not None and host.lower() == "sandbox" and port in (None, "")
    pairs: list[tuple[str, object]] = list(_opened(query))
    if host and not sandbox:
        shown = f"[{host}]" if ":" in host else host
        pairs.insert(0, ("OrganizationUrl", f"https://{shown}" + (f":{port}" if port not in (None, "") else "")))
    scheme = _first("AuthScheme", connect_args or {}, dict(pairs), _environment(environ))
    names = USER_INFO.get(str(scheme), ("OAuthClientId", "OAuthClientSecret"))
    pairs += [(name, value) for name, value in zip(names, (username, password), strict=True) if value]
    return _build(pairs, connect_args or {}, environ, sandbox=sandbox)


def _opened(query: Mapping[str, str | Sequence[str]] | Sequence[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    items = query.items() if isinstance(query, Mapping) else query
    for name, values in items:
        for value in (values,) if isinstance(values, str) else values:
            yield from split(f"{name}={value}")


def _first(name: str, *layers: Mapping[str, object]) -> object:
    row = _ROWS[fold(name)]
    wanted = {fold(spelling) for spelling in (row.name, *row.aliases)}
    given = (value for layer in layers for key, value in layer.items() if fold(key) in wanted and value)
    value = next(given, row.default)
    return read(row, value)


def _build(pairs: Pairs, connect_args: Layer, environ: Mapping[str, str] | None, *, sandbox: bool) -> Settings:
    rows = {**_ROWS, **_SANDBOX_ROWS} if sandbox else _ROWS
    layers = {
        "connect_args": _collect(((name, value) for name, value in connect_args.items() if value is not None), rows),
        "URL": _collect(pairs, rows),
        "environment": _environment(environ),
    }
    if sandbox:
        layers["environment"].pop("OrganizationUrl", None)
    chosen = {name: (source, raw) for source in reversed(layers) for name, raw in layers[source].items()}
    options = _options(chosen) if sandbox else None
    values = {row.name: _value(row, chosen) for row in PROPERTIES}
    _check(values, chosen, sandbox)
    return Settings(
        MappingProxyType(values),
        MappingProxyType({name: source for name, (source, _) in chosen.items() if name in values}),
        None if options is None else MappingProxyType(options),
    )


def _collect(pairs: Iterable[tuple[str, object]], rows: Mapping[str, Property]) -> dict[str, object]:
    found: dict[str, object] = {}
    before: Property | None = None
    for name, value in pairs:
        row = rows.get(fold(name))
        if row is None:
            raise InterfaceError(_unknown(name, rows, before))
        before = row
        if row.name == "fault":
            found["fault"] = (*_several(found.get("fault", ())), *_several(value))
        elif row.name in found and found[row.name] != value:
            raise InterfaceError(f"{row.name} is given twice with different values; give it once")
        else:
            found[row.name] = value
    return found


def _several(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else (str(value),)


def _unknown(name: str, rows: Mapping[str, Property], before: Property | None) -> str:
    if fold(name) in _SANDBOX_ROWS:
        return f"{name} is an option of dynamics://sandbox only"
    near = get_close_matches(fold(name), rows, n=1, cutoff=0.6)
    if near:
        return f"{name} is no connection property; did you mean {rows[near[0]].name}?"
    if before is not None and before.secret:
        return f'what follows {before.name} is no connection property; write a value that holds ; as "a;b"'
    shown = name if re.fullmatch(r"[\w .-]{1,40}", name) else "a name given"
    return f"{shown} is no connection property"


def _environment(environ: Mapping[str, str] | None) -> dict[str, object]:
    given = os.environ if environ is None else environ
    found: dict[str, object] = {}
    for row in PROPERTIES:
        names = [f"DYNAMICS_{name.upper()}" for name in (row.name, *row.aliases)]
        names += [ENVIRONMENT_NAMES[row.name]] if row.name in ENVIRONMENT_NAMES else []
        values = [given[name] for name in names if given.get(name)]
        if values:
            found[row.name] = values[0]
    return found


def _value(row: Property, chosen: Mapping[str, tuple[str, object]]) -> Value:
    if row.name in chosen:
        return read(row, chosen[row.name][1])
    return read(row, row.default) if row.default else None


def _options(chosen: dict[str, tuple[str, object]]) -> dict[str, Value | tuple[str, ...]]:
    given = {row.name: chosen.pop(row.name)[1] for row in SANDBOX_OPTIONS if row.name in chosen}
    return {
        row.name: _several(given[row.name]) if row.name == "fault" else read(row, given[row.name])
        for row in SANDBOX_OPTIONS
        if row.name in given
    }


def _check(values: Mapping[str, Value], chosen: Mapping[str, tuple[str, object]], sandbox: bool) -> None:
    if sandbox and values["OrganizationUrl"]:
        raise InterfaceError(
            "OrganizationUrl cannot be set for dynamics://sandbox; write dynamics:///?OrganizationUrl=…"
        )
    if not sandbox and not values["OrganizationUrl"]:
        raise InterfaceError("OrganizationUrl is not set; write dynamics://contoso.crm.dynamics.com, or set it")
    if "ProxyAutoDetect" in chosen and values["ProxyAutoDetect"] and values["ProxyServer"]:
        raise InterfaceError("ProxyAutoDetect=true would ignore ProxyServer; set it to false, or drop one of them")
    try:
        AuthSettings.from_mapping({name: values[name] for name in SIGN_IN_NAMES if name in chosen})
    except AuthError as error:
        raise InterfaceError(str(error)) from None
