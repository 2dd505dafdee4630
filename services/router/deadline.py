"""Until when something must be done. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta


def due_at(start: datetime, limit_hours: int) -> datetime:
    """`limit_hours` after `start`: hours run through nights and holidays (urgent hours)."""
    return start + timedelta(hours=limit_hours)
