"""``python -m sqlalchemy_dynamics`` is the command ``dynamics``."""

from __future__ import annotations

from sqlalchemy_dynamics.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
