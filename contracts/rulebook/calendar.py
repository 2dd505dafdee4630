"""The calendar: when people work. Holidays and make-up days are set anew each year."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from contracts.rulebook.parts import DocumentBase, Named, Part

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of `date.weekday`."""


class Span(Part):
    """From one time of a day to a later one. In a file also `08:00-12:00`."""

    start: time
    end: time

    @model_validator(mode="after")
    def _forwards(self) -> Span:
        if not self.start < self.end:
            raise ValueError("a span ends after it starts, on the same day")
        return self


def _span(value: Any) -> Any:
    if isinstance(value, str):
        start, _, end = value.partition("-")
        return {"start": start.strip(), "end": end.strip()}
    return value


Hours = tuple[Annotated[Span, BeforeValidator(_span)], ...]
"""The working hours of one day, in order, apart from each other; none on a day off."""


class Holiday(Part):
    """Days on which nobody works, whatever the weekday; both ends are part of it."""

    name: Named
    first: date
    last: date


class Year(Part):
    """What a year's notice says."""

    year: Annotated[int, Field(ge=1990, le=2200)]
    holidays: tuple[Holiday, ...]
    make_up: tuple[date, ...] = ()
    """Weekend days that are worked, in exchange for bridged holidays."""
    source: str = ""
    """The notice; to be checked each year."""


class Calendar(DocumentBase):
    """When people work in the district."""

    kind: Literal["calendar"]
    time_zone: str
    """A name of the IANA database."""
    week: dict[Weekday, Hours]
    """A day that is not named is off."""
    make_up_hours: Hours
    """On a make-up day."""
    hours_of_a_work_day: Annotated[int, Field(gt=0, le=24)] = 8
    """Working hours that one `work_day` of a limit stands for."""
    years: tuple[Year, ...]
