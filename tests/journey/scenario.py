"""The reports of a journey: some of every fate of the story, under ids of their own. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from random import Random

from cli.story.story import Fate, StoryReport, day
from contracts.case import DispatchCase
from contracts.rulebook import Rulebook
from services.router.duplicates import metres_between

MIXTURE = (
    Fate.RETURNED_AND_REWORKED,
    Fate.CLOSED,
    Fate.REWORKED,
    Fate.REFUSED,
    Fate.RETURNED,
    Fate.LEFT_OPEN,
    Fate.CLOSED,
    Fate.CLOSED,
)
"""Which fates follow each other; a fate that has run out is passed over."""


APART_METRES = 300
"""Farther than any rule looks for the same hazard."""


@dataclass(frozen=True)
class Share:
    """One of so many equal shares of the story, counted from 0."""

    number: int
    of: int


ALL = Share(0, 1)


@dataclass(frozen=True)
class Scenario:
    """What is played, and the name that tells its ids from those of other journeys."""

    name: str
    reports: tuple[StoryReport, ...]


def scenario(
    name: str, book: Rulebook, *, seed: int, on: date, share: Share = ALL, most: int = 200
) -> Scenario:
    """Reports of the story of the day `on`, in an order that the seed deals.

    Journeys in one house take different shares: the same hazard reported again while its case is
    open would join that case, and the story knows nothing of that.
    """
    dice = Random(seed)
    waiting: defaultdict[Fate, list[StoryReport]] = defaultdict(list)
    for number, told in enumerate(_apart(day(book, on=on).reports)):
        if number % share.of == share.number:
            waiting[told.fate].append(told)
    for same in waiting.values():
        dice.shuffle(same)
    chosen: list[StoryReport] = []
    for together in _rounds(waiting):
        dice.shuffle(together)
        chosen += together
    return Scenario(
        name, tuple(_renamed(report, f"{name}-{report.report_id}") for report in chosen[:most])
    )


def _apart(reports: Iterable[StoryReport]) -> Iterator[StoryReport]:
    """Those that no rule takes for the same hazard as another, at whatever time they come."""
    kept: list[StoryReport] = []
    for report in reports:
        if not any(_kinds(report) & _kinds(other) and _near(report, other) for other in kept):
            kept.append(report)
            yield report


def _kinds(report: StoryReport) -> set[str]:
    """What the report is filed as, at first or after a dispatcher has corrected it."""
    corrected = {
        step.command.service_code for step in report.steps if isinstance(step.command, DispatchCase)
    }
    return {code for code in {report.submit.service_code, *corrected} if code}


def _near(one: StoryReport, other: StoryReport) -> bool:
    here, there = one.submit.position, other.submit.position
    return here is None or there is None or metres_between(here, there) < APART_METRES


def _rounds(waiting: dict[Fate, list[StoryReport]]) -> Iterator[list[StoryReport]]:
    """The mixture again and again, so that a short journey meets every fate too."""
    while any(waiting.values()):
        yield [waiting[fate].pop() for fate in MIXTURE if waiting[fate]]


def _renamed(report: StoryReport, report_id: str) -> StoryReport:
    return replace(
        report,
        submit=report.submit.model_copy(update={"report_id": report_id}),
        steps=tuple(
            replace(step, command=step.command.model_copy(update={"case_id": report_id}))
            for step in report.steps
        ),
    )


class Way(StrEnum):
    """How a report reaches the house."""

    ASKED = "asked"
    """A request with its answer."""
    IN_BULK = "in bulk"
    """With others in one request."""
    DROPPED = "dropped"
    """Into the platform's durable inbox."""


BULK = 3
WAYS = (Way.ASKED, Way.ASKED, Way.DROPPED, Way.IN_BULK, Way.IN_BULK)


@dataclass(frozen=True)
class Parcel:
    """Reports that one platform hands in together."""

    platform: str
    way: Way
    reports: tuple[StoryReport, ...]


def parcels(scenario: Scenario, dice: Random) -> Iterator[Parcel]:
    """The reports in their order, each in a way that the dice choose."""
    gathering: defaultdict[str, list[StoryReport]] = defaultdict(list)
    for report in scenario.reports:
        platform, way = report.rider.platform, dice.choice(WAYS)
        if way is not Way.IN_BULK:
            yield Parcel(platform, way, (report,))
            continue
        gathering[platform].append(report)
        if len(gathering[platform]) == BULK:
            yield Parcel(platform, way, tuple(gathering.pop(platform)))
    for platform, rest in gathering.items():
        yield Parcel(platform, Way.IN_BULK, tuple(rest))
