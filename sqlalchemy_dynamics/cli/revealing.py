"""Secrets among the rows of a command: ``***`` unless ``--show-secrets`` was given."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from functools import partial

from dynamics_auth.tokens import Token
from sqlalchemy_dynamics.cli.writers import Blocks

__all__ = ["shown", "shown_by"]

_SECRETIVE = re.compile(r"\b(?:EXEC|EXECUTE|CALL)\b|\bsys_\w+", re.IGNORECASE)


def shown_by(arguments: argparse.Namespace) -> Callable[[Blocks], Blocks] | None:
    """What goes over the rows of a statement that may give back secrets; None for all others."""
    return partial(shown, reveal=arguments.show_secrets) if _SECRETIVE.search(arguments.sql) else None


def shown(blocks: Blocks, reveal: bool) -> Iterator[list[tuple[object, ...]]]:
    """The rows with their secrets as plain text, or as ``***``."""
    for block in blocks:
        yield [tuple(_shown(value, reveal) for value in row) for row in block]


def _shown(value: object, reveal: bool) -> object:
    if not isinstance(value, Token):
        return value
    return "".join(value) if reveal or not value else "***"
