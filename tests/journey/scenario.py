"""The reports of a journey: some of every fate of the story, under ids of their own. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import cycle, islice
from random import Random

from cli.story.story import Fate, StoryReport, day
from contracts.rulebook import Rulebook

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


@dataclass(frozen=True)
class Scenario:
    """What is played, and the name that tells its ids from those of other journeys."""

    name: str
    reports: tuple[StoryReport, ...]


def scenario(name: str, book: Rulebook, *, reports: int, seed: int, on: date) -> Scenario:
    """So many reports of the story of the day `on`, in an order that the seed deals."""
    dice = Random(seed)
    waiting: defaultdict[Fate, list[StoryReport]] = defaultdict(list)
    for told in day(book, on=on).reports:
        waiting[told.fate].append(told)
    for same in waiting.values():
        dice.shuffle(same)
    chosen = list(islice(_mixed(waiting), reports))
    dice.shuffle(chosen)
    return Scenario(
        name, tuple(_renamed(report, f"{name}-{report.report_id}") for report in chosen)
    )


def _mixed(waiting: dict[Fate, list[StoryReport]]) -> Iterator[StoryReport]:
    for fate in cycle(MIXTURE):
        if waiting[fate]:
            yield waiting[fate].pop()
        elif not any(waiting.values()):
            return


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
