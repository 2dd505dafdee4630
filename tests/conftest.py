"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("long", parent=settings.get_profile("house"), max_examples=2_000)
settings.load_profile("house")
