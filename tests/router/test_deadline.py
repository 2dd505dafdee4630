"""Until when something must be done."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.deadline import due_at

zones = st.builds(timezone, st.builds(timedelta, minutes=st.integers(-12 * 60, 14 * 60)))
moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=zones,
)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-05-03T19:00:00+08:00", 2, "2026-05-03T21:00:00+08:00"),
        ("2026-05-03T23:30:00+08:00", 4, "2026-05-04T03:30:00+08:00"),
        ("2026-09-30T18:00:00+08:00", 48, "2026-10-02T18:00:00+08:00"),
        ("2028-02-28T12:00:00+00:00", 24, "2028-02-29T12:00:00+00:00"),
    ],
    ids=["evening", "over midnight", "through a holiday", "leap day"],
)
def test_hours_run_without_a_break(start: str, hours: int, due: str) -> None:
    assert due_at(datetime.fromisoformat(start), hours) == datetime.fromisoformat(due)


@given(moments, st.integers(1, 24 * 366))
def test_it_is_due_exactly_so_many_hours_later_in_the_same_zone(
    start: datetime, hours: int
) -> None:
    due = due_at(start, hours)
    assert due - start == timedelta(hours=hours)
    assert due.utcoffset() == start.utcoffset()
