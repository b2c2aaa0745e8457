"""How a wrong call of the command is told: on one line, with exit code 2."""

from __future__ import annotations

import argparse
from typing import NoReturn

__all__ = ["Parser", "UsageError"]


class Parser(argparse.ArgumentParser):
    """A parser of arguments whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit with 2."""
        self.exit(2, f"{self.prog}: {message}; try {self.prog} --help\n")


class UsageError(Exception):
    """The command was called in a way that cannot work (exit code 2)."""
