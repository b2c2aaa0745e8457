"""The optional folder of genuine documents that stands beside a developer's checkout."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "shared"
METADATA_FILES = sorted((FOLDER / "metadata").glob("*.xml"))
RECORDINGS = FOLDER / "recordings"
