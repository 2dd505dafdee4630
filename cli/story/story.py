"""The story of one district's day: `day(rulebook)` deals it out, the same for the same seed.

Pure: it sends nothing and looks at no clock. Whoever tells it sends each report as its rider's
platform, and each step as the unit that takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cli.story import authored, cards, fates, script
from cli.story.authored import Rider
from cli.story.cards import Sent
from cli.story.dice import Dice
from cli.story.fates import Fate, Plan
from cli.story.script import Step
from contracts.report import Position, RefusalCode, SubmitReport
from contracts.rulebook import Rulebook

__all__ = ["Fate", "Rider", "Step", "Story", "StoryReport", "day"]

THE_DAY = date(2026, 5, 20)


@dataclass(frozen=True, slots=True)
class StoryReport:
    """One report and all that comes of it."""

    rider: Rider
    sent_at: datetime
    submit: SubmitReport
    """The command, as the rider's platform sends it."""
    area: str | None
    """Code of the area that the position lies in; None outside every street."""
    place: str
    fate: Fate
    refusal: RefusalCode | None
    """Why intake will refuse it, where that is its fate."""
    steps: tuple[Step, ...]
    """What the units do with it, in order; cut off where the day ends before the case."""

    @property
    def report_id(self) -> str:
        """Also the id of the case that the report opens."""
        return self.submit.report_id


@dataclass(frozen=True, slots=True)
class Story:
    """One day: reports in the order in which they are sent."""

    on: date
    riders: tuple[Rider, ...]
    reports: tuple[StoryReport, ...]


def day(rulebook: Rulebook | Mapping[str, Any], *, seed: int = 7, on: date = THE_DAY) -> Story:
    """The day `on` in the district of the built-in rulebook.

    Intake judges the riders' clocks by its own: told to a running house, `on` must be a day that
    is over and not older than the rulebook takes on; yesterday always is.
    """
    book = rulebook if isinstance(rulebook, Rulebook) else Rulebook.model_validate(rulebook)
    dice = Dice(seed)
    sent = cards.send(book, dice, on)
    plans = fates.plan(sent, book, dice)
    reports = (_report(s, plans[s.report_id], book, dice) for s in sent)
    return Story(on, authored.riders(), tuple(reports))


def _report(sent: Sent, plan: Plan, book: Rulebook, dice: Dice) -> StoryReport:
    looked = timedelta(seconds=dice.between(f"looked/{sent.report_id}", 20, 240))
    lng, lat = sent.at
    return StoryReport(
        rider=sent.rider,
        sent_at=sent.sent_at,
        submit=SubmitReport(
            report_id=sent.report_id,
            rider_id=sent.rider.id,
            seen_at=sent.sent_at - looked + plan.clock,
            service_code=sent.card.service,
            position=Position(lat=lat, lng=lng),
            answers=_answers(sent, book),
            text=sent.card.text,
            photo=_photo(sent, dice),
        ),
        area=sent.card.spot.area,
        place=sent.card.spot.name,
        fate=plan.fate,
        refusal=plan.refusal,
        steps=script.steps(sent, plan, book, dice),
    )


def _answers(sent: Sent, book: Rulebook) -> dict[str, str | tuple[str, ...]]:
    """What must be answered about its kind, such as the name of the shop: the place says it."""
    filed = book.condition(sent.card.service, None)
    asked = filed[1].questions if filed else ()
    return {question.code: sent.card.spot.name for question in asked if question.required}


def _photo(sent: Sent, dice: Dice) -> str | None:
    """Most send one; who speaks of a photo or names no place always does."""
    text = sent.card.text
    if not text:
        return None
    needed = sent.card.spot.name not in text or "照片" in text
    if needed or dice.between(f"photo/{sent.report_id}", 1, 10) <= 7:
        return f"photos/{sent.report_id}.jpg"
    return None
