"""Ids that a client makes before it sends."""

from __future__ import annotations

import os
import time
from typing import Final

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread."""


def new_id() -> str:
    """A ULID: 48 bits of milliseconds, 80 random bits; sorts by the time it was made."""
    number = int.from_bytes((time.time_ns() // 1_000_000).to_bytes(6) + os.urandom(10))
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -1, -5))
