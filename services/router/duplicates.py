"""Which open case a report is about: same condition, near enough, not too long ago. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, degrees, radians, sin, sqrt
from typing import Final

from contracts.case import Nearby
from contracts.report import Position
from contracts.rulebook import Duplicates

EARTH_METRES: Final = 6_371_008.8
"""Mean radius."""


@dataclass(frozen=True, slots=True)
class Match:
    """The open case that a report is about."""

    case: Nearby
    metres: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One report, as clustering looks at it."""

    report_id: str
    condition: str
    position: Position
    at: datetime


def metres_between(a: Position, b: Position) -> float:
    """Great-circle distance of two WGS-84 points (haversine)."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    half = sin((lat_b - lat_a) / 2) ** 2
    half += cos(lat_a) * cos(lat_b) * sin(radians(b.lng - a.lng) / 2) ** 2
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(half)))


def around(position: Position, metres: float) -> tuple[float, float, float, float]:
    """A box that holds every point within a distance: south, west, north, east, in degrees."""
    lat = degrees(metres / EARTH_METRES)
    lng = lat / max(0.01, cos(radians(position.lat)))
    return position.lat - lat, position.lng - lng, position.lat + lat, position.lng + lng


def original(
    condition: str, position: Position, at: datetime, nearby: Iterable[Nearby], rule: Duplicates
) -> Match | None:
    """The nearest open case that the rule says it is; of equally near ones the first opened."""
    since = at - timedelta(hours=rule.window_hours)
    found = [
        (metres, case.opened_at, case.case_id, case)
        for case in nearby
        if case.condition == condition
        and since <= case.opened_at <= at
        and (metres := metres_between(position, case.position)) <= rule.radius_metres
    ]
    if not found:
        return None
    metres, *_, case = min(found, key=lambda f: f[:3])
    return Match(case, round(metres))


def twins(
    found: Iterable[tuple[Nearby, Nearby]], rule_of: Callable[[str], Duplicates | None]
) -> dict[str, str]:
    """Of cases that were opened side by side, which gathers under which; each beside an earlier.

    One that gathers itself takes nobody in: what was near it is nearer to the first.
    """
    earlier: dict[str, list[Nearby]] = {}
    cases: dict[str, Nearby] = {}
    for case, before in found:
        cases[case.case_id] = case
        earlier.setdefault(case.case_id, []).append(before)
    gathers: dict[str, str] = {}
    for case in sorted(cases.values(), key=lambda c: (c.opened_at, c.case_id)):
        rule = rule_of(case.condition)
        there = (one for one in earlier[case.case_id] if one.case_id not in gathers)
        if rule and (match := original(case.condition, case.position, case.opened_at, there, rule)):
            gathers[case.case_id] = match.case.case_id
    return gathers


def clusters(seen: Iterable[Seen], rules: dict[str, Duplicates]) -> dict[str, str]:
    """Which report each one would join, by the report ids; a first one stands for itself.

    Reports are taken in their order, as they would have come; whether a case was closed in between
    is not asked, so it tells what a radius and a window alone would gather.
    """
    firsts: dict[tuple[str, int, int], list[Nearby]] = {}
    joined: dict[str, str] = {}
    for report in seen:
        rule = rules[report.condition]
        near = _around(report, rule, firsts)
        match = original(report.condition, report.position, report.at, near, rule)
        if match:
            joined[report.report_id] = match.case.case_id
            continue
        joined[report.report_id] = report.report_id
        first = Nearby(
            case_id=report.report_id,
            condition=report.condition,
            position=report.position,
            opened_at=report.at,
        )
        firsts.setdefault((report.condition, *_at(report.position, rule)), []).append(first)
    return joined


def _at(position: Position, rule: Duplicates) -> tuple[int, int]:
    """The cell of a point: as high as the radius, and at least as wide, up to 85 degrees north."""
    height = degrees(rule.radius_metres / EARTH_METRES)
    row = int(position.lat // height)
    width = height / max(0.08, cos(radians(abs(row) + 1) * height))
    return row, int(position.lng // width)


def _around(
    report: Seen, rule: Duplicates, firsts: dict[tuple[str, int, int], list[Nearby]]
) -> Iterator[Nearby]:
    """What was first in the cells around; each row has columns of its own width."""
    south, west, north, east = around(report.position, rule.radius_metres)
    height = degrees(rule.radius_metres / EARTH_METRES)
    for row in range(int(south // height), int(north // height) + 1):
        middle = (row + 0.5) * height
        first, last = (_at(Position(lat=middle, lng=lng), rule)[1] for lng in (west, east))
        for column in range(first, last + 1):
            yield from firsts.get((report.condition, row, column), ())


def largest(joined: dict[str, str], most: int = 20) -> list[tuple[str, int]]:
    """The reports under which most gather, and how many each."""
    return Counter(joined.values()).most_common(most)
