"""What every test shares: nothing is timed, on a busy machine least of all."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None, print_blob=True)
settings.load_profile("untimed")
