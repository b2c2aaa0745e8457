"""`sys_connection_props`: every connection property with its value. The documented way to read tokens back out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dynamics_auth.properties import PROPERTIES as SIGN_IN
from sqlalchemy_dynamics.edm import BOOLEAN, VARCHAR
from sqlalchemy_dynamics.execute.local import LOCAL_TABLES, LocalTable, Secrets
from sqlalchemy_dynamics.settings import PROPERTIES, Property
from sqlalchemy_dynamics.settings.properties import CONNECTION, FETCHING, LOGGING, PROXIES, ROUND_TRIPS, TLS

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["CONNECTION_PROPS"]

_CATEGORIES = {
    "Connection": CONNECTION,
    "Authentication": SIGN_IN,
    "Fetching": FETCHING,
    "Round trips": ROUND_TRIPS,
    "TLS": TLS,
    "Proxy": tuple(row for row in PROXIES if row.name.startswith("Proxy")),
    "Firewall": tuple(row for row in PROXIES if row.name.startswith("Firewall")),
    "Logging": LOGGING,
}
_CATEGORY_OF = {row.name: category for category, rows in _CATEGORIES.items() for row in rows}
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _rows(session: Session, catalog: Catalog, secrets: Secrets) -> Iterator[Mapping[str, object]]:
    """Tokens can be read, masked in their repr; what the user set as a secret cannot."""
    tokens = {} if session.sign_in is None else session.sign_in.properties()
    for row in PROPERTIES:
        token = tokens.get(row.name) or ""
        value = _kept(row, token, secrets) if token else _shown(session, row)
        yield {
            "name": _spaced(row.name),
            "propertyname": row.name,
            "shortdescription": row.doc,
            "type": row.kind,
            "default": row.default,
            "values": ",".join(row.allowed),
            "value": value,
            "required": row.name == "OrganizationUrl",
            "category": _CATEGORY_OF[row.name],
            "sensitivity": "PASSWORD" if row.secret else "NONE",
            "source": session.settings.sources.get(row.name, ""),
        }


def _kept(row: Property, token: str, secrets: Secrets) -> str:
    if not row.secret:
        return token
    holder = f"*** {row.name} ***"
    secrets[holder] = token
    return holder


def _shown(session: Session, row: Property) -> str:
    value = session.settings[row.name]
    if value is None or value == "":
        return ""
    if row.secret:
        return "***"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spaced(name: str) -> str:
    return _WORDS.sub(" ", name).replace("O Auth", "OAuth")


CONNECTION_PROPS = LocalTable(
    "sys_connection_props",
    {
        "name": VARCHAR,
        "propertyname": VARCHAR,
        "shortdescription": VARCHAR,
        "type": VARCHAR,
        "default": VARCHAR,
        "values": VARCHAR,
        "value": VARCHAR,
        "required": BOOLEAN,
        "category": VARCHAR,
        "sensitivity": VARCHAR,
        "source": VARCHAR,
    },
    _rows,
)
LOCAL_TABLES[CONNECTION_PROPS.name] = CONNECTION_PROPS
