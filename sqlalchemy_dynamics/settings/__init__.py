"""Connection settings: a URL, a string, the environment or keywords, read by one table into frozen `Settings`."""

from __future__ import annotations

from sqlalchemy_dynamics.settings.model import Settings
from sqlalchemy_dynamics.settings.properties import PROPERTIES, SANDBOX_OPTIONS, Property
from sqlalchemy_dynamics.settings.reading import from_parts, from_string, from_url
from sqlalchemy_dynamics.settings.writing import to_url

__all__ = [
    "PROPERTIES",
    "SANDBOX_OPTIONS",
    "Property",
    "Settings",
    "from_parts",
    "from_string",
    "from_url",
    "to_url",
]
