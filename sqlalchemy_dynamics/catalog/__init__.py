"""The organisation's tables as they are now: fetched once per process, kept on disk, re-validated cheaply."""

from __future__ import annotations

from sqlalchemy_dynamics.catalog.live import Catalog, open_catalog

__all__ = ["Catalog", "open_catalog"]
