"""Reports judged by rulebooks, side by side: who gets it, until when, what it earns. Pure.

What a rulebook says of a kind of thing in an area is worked out once; a report then costs finding
its area and looking that up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from contracts.report import Position
from contracts.rulebook import Area, Document, Limit, Rulebook
from services.points.earning import earned
from services.router.routing import Route, route_in
from services.router.rules import Rules


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rulebook needs to know of a report."""

    report_id: str
    service: str | None
    position: Position | None
    at: datetime
    """When it was decided on."""
    condition: str | None = None
    asset: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rulebook says of a kind of thing in an area."""

    holder: str
    """Who gets it first; `-` where no case is opened."""
    answers: str
    """Who answers for it; `-` where the rules do not know."""
    limits: tuple[Limit, ...]
    """Of the first holder, and of who handles it."""
    points: int
    condition: str | None
    why: str


Key: TypeAlias = tuple[str | None, str | None, str | None, str | None, bool]
"""Service, condition, asset, area, and whether no position was given."""


class Judge:
    """A rulebook that is asked about many reports."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.rules = Rules(book)
        self._timed = any(rule.first or rule.last for rule in book.earning.rules)
        self._known: dict[Key, Standing] = {}

    def areas(self, asked: Sequence[Asked]) -> list[Area | None]:
        """The area of each report."""
        placed = [(i, one.position) for i, one in enumerate(asked) if one.position]
        found = self.rules.places.areas_of([position for _, position in placed])
        areas: list[Area | None] = [None] * len(asked)
        for (i, _), area in zip(placed, found, strict=True):
            areas[i] = area
        return areas

    def standing(self, one: Asked, area: Area | None) -> Standing:
        """What the rulebook says of the report."""
        place = area.code if area else None
        key = (one.service, one.condition, one.asset, place, one.position is None)
        known = self._known.get(key)
        if known is None or self._timed:
            known = self._known[key] = self._work_out(one, area)
        return known

    def due(self, one: Asked, standing: Standing) -> tuple[datetime, ...]:
        """Until when, for the first holder and for who handles it."""
        return tuple(self.rules.time.after(one.at, limit) for limit in standing.limits)

    def _work_out(self, one: Asked, area: Area | None) -> Standing:
        route = route_in(one.service, one.condition, area, one.position, one.asset, self.rules)
        filed = self.rules.filed(one.service, one.condition)
        if filed and not filed.service.opens_case:
            return Standing("-", "-", (), 0, filed.condition.code, "service_opens_no_case")
        worth = earned(self.book, one.service, route.condition, area.code if area else None, one.at)
        return Standing(
            holder=route.unit.code,
            answers=route.suggested or "-",
            limits=_limits(route, filed.condition.limit if filed else None),
            points=worth.points if worth else 0,
            condition=route.condition,
            why=route.why,
        )


def _limits(route: Route, handling: Limit | None) -> tuple[Limit, ...]:
    return (route.limit, handling) if handling else (route.limit,)


@dataclass(frozen=True, slots=True)
class Difference:
    """A report that the other rulebook judges otherwise."""

    one: Asked
    area: str | None
    before: Standing
    after: Standing
    due_before: tuple[datetime, ...]
    due_after: tuple[datetime, ...]

    @property
    def elsewhere(self) -> bool:
        """It would go to somebody else, or be somebody else's to answer for."""
        return (self.before.holder, self.before.answers) != (self.after.holder, self.after.answers)

    @property
    def other_time(self) -> bool:
        """It would be due at another time."""
        return self.due_before != self.due_after

    @property
    def other_points(self) -> bool:
        """It would earn other points."""
        return self.before.points != self.after.points


@dataclass(slots=True)
class Comparison:
    """What would be otherwise, counted and listed."""

    reports: int = 0
    elsewhere: int = 0
    other_time: int = 0
    other_points: int = 0
    points_before: int = 0
    """If every report were verified."""
    points_after: int = 0
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many go from which first holder to which other."""
    differences: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        """One more report is judged otherwise."""
        self.elsewhere += difference.elsewhere
        self.other_time += difference.other_time
        self.other_points += difference.other_points
        if difference.elsewhere:
            self.ways[difference.before.holder, difference.after.holder] += 1
        self.differences.append(difference)


class Pair:
    """A rulebook as it was, and as it might be."""

    def __init__(self, was: Rulebook, documents: Iterable[Document]) -> None:
        parts: dict[str, Any] = {d.kind: d for d in was.documents}
        parts |= {d.kind: d for d in documents}
        other = Rulebook.model_validate(parts)
        self.before, self.after = Judge(was), Judge(other)
        self._same_places = was.places == other.places
        self._same_calendar = was.calendar == other.calendar

    def compare(self, asked: Sequence[Asked], found: Comparison) -> None:
        """Judge reports by both."""
        areas = self.before.areas(asked)
        others = areas if self._same_places else self.after.areas(asked)
        for one, area, other in zip(asked, areas, others, strict=True):
            before = self.before.standing(one, area)
            after = self.after.standing(one, other)
            found.points_before += before.points
            found.points_after += after.points
            if before == after and self._same_calendar:
                continue
            due_before = self.before.due(one, before)
            same_due = self._same_calendar and before.limits == after.limits
            due_after = due_before if same_due else self.after.due(one, after)
            code = other.code if other else None
            difference = Difference(one, code, before, after, due_before, due_after)
            if difference.elsewhere or difference.other_time or difference.other_points:
                found.add(difference)
        found.reports += len(asked)
