"""When people work on a day."""

from __future__ import annotations

from datetime import date, time

import pytest

from contracts.rulebook import Rulebook
from deploy.rulebooks import load_rulebook
from services.router.calendar import WorkCalendar
from tests.district import RULES

CALENDAR = WorkCalendar(Rulebook.model_validate(load_rulebook()).calendar)
OFFICE = ((time(8), time(12)), (time(14), time(18)))


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 3, 2),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2025, 1, 26),
        date(2025, 9, 28),
        date(2026, 10, 10),
        date(2025, 10, 9),
    ],
    ids=str,
)
def test_people_work_on_week_days_and_on_make_up_days(day: date) -> None:
    assert CALENDAR.spans(day) == OFFICE


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 3, 1),
        date(2026, 2, 15),
        date(2026, 2, 23),
        date(2025, 1, 28),
        date(2025, 2, 4),
        date(2026, 10, 1),
        date(2025, 10, 8),
        date(2026, 1, 2),
    ],
    ids=str,
)
def test_nobody_works_on_weekends_and_holidays(day: date) -> None:
    assert CALENDAR.spans(day) == ()


def test_a_year_without_a_notice_follows_the_week_and_says_so() -> None:
    assert CALENDAR.knows(date(2026, 5, 1))
    assert not CALENDAR.knows(date(2019, 5, 1))
    assert CALENDAR.spans(date(2019, 5, 1)) == OFFICE
    assert not RULES.calendar.knows(date(2026, 5, 1))


def test_holidays_and_make_up_days_never_contradict_each_other() -> None:
    document = Rulebook.model_validate(load_rulebook()).calendar
    for year in document.years:
        for day in year.make_up:
            assert day.weekday() >= 5
            assert not any(h.first <= day <= h.last for h in year.holidays)
