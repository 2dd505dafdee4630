"""Who has done most: a published formula over the log, the same whoever computes it. Pure.

The formula, its ties and its corrections are told in docs/ranking.md; whoever changes it raises
`FORMULA`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import tzinfo
from hashlib import sha256
from typing import Any, Final

from contracts.account import PointsAwarded, PointsRestored, PointsReversed
from contracts.case import CaseClosed, CaseReopened, CloseOutcome
from contracts.envelope import Recorded
from contracts.party import RiderErased
from services.points.periods import month_of

FORMULA: Final = 1
"""The version of the formula."""
SUBJECTS: Final = ("log.account.>", "log.case.>", "log.party.>")
"""What of the log it reads."""
LEAST_RESULTS: Final = {"month": 3, "year": 12}
"""Verified results that it takes to be ranked."""
LEAST_ACCURACY: Final = 80
"""Percent of a rider's closed reports that were found true."""
BONUS: Final = "role:"
"""The rules of what is earned for a role, which is no merit of its own."""


@dataclass(frozen=True, slots=True)
class Line:
    """One rider in a ranking."""

    place: int
    """Equal riders share a place, and the places behind it are left out: 1, 2, 2, 4."""
    rider_id: str
    score: int
    """Points of verified results."""
    results: int
    accuracy: int
    """Percent, rounded down."""


@dataclass(frozen=True, slots=True)
class Unranked:
    """A rider with results who is not ranked, and why."""

    rider_id: str
    score: int
    results: int
    accuracy: int
    why: str
    """`few_results` or `low_accuracy`."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranking of a month or a year, as of a place in the log."""

    period: str
    formula: int
    as_of: int
    lines: tuple[Line, ...]
    unranked: tuple[Unranked, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the ranking as canonical JSON: whoever computes it again gets the same."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Award:
    rider_id: str
    points: int
    month: str


@dataclass(frozen=True, slots=True)
class _Closing:
    riders: frozenset[str]
    outcome: CloseOutcome
    month: str


@dataclass(slots=True)
class Merits:
    """Everything of the log that a ranking counts; fed fact by fact."""

    zone: tzinfo
    as_of: int = 0
    awards: dict[tuple[str, str], _Award] = field(default_factory=dict)
    """By rider and lot."""
    taken_back: dict[tuple[str, str], str] = field(default_factory=dict)
    """By rider and reversal: the lot."""
    restored: set[tuple[str, str]] = field(default_factory=set)
    closings: dict[str, _Closing] = field(default_factory=dict)
    """By case: the last one counts, and none while the case is open again."""
    erased: set[str] = field(default_factory=set)

    def hear(self, fact: Recorded) -> None:
        """One more fact of the log, in its order. Imported history earns nothing and counts not."""
        self.as_of = fact.sequence
        match fact.body:
            case PointsAwarded(rule=rule) as award if not rule.startswith(BONUS):
                lot = award.lot or award.report_id
                month = month_of(fact.happened_at, self.zone)
                self.awards[award.rider_id, lot] = _Award(award.rider_id, award.points, month)
            case PointsReversed(rider_id=rider_id, reversal_id=reversal_id, lot=lot):
                self.taken_back[rider_id, reversal_id] = lot
            case PointsRestored(rider_id=rider_id, reversal_id=reversal_id):
                self.restored.add((rider_id, reversal_id))
            case CaseClosed(case_id=case_id) as closed if not fact.history:
                riders = {closed.rider_id, *(joined.rider_id for joined in closed.gathered)}
                month = month_of(fact.happened_at, self.zone)
                self.closings[case_id] = _Closing(frozenset(riders), closed.outcome, month)
            case CaseReopened(case_id=case_id):
                self.closings.pop(case_id, None)
            case RiderErased(party_id=rider_id):
                self.erased.add(rider_id)

    def ranking(self, period: str) -> Ranking:
        """The ranking of a month (`2026-11`) or a year (`2026`)."""
        least = LEAST_RESULTS["month" if "-" in period else "year"]
        standings = [one for one in self._standings(period) if one["results"]]
        fit = [o for o in standings if not _why_not(o, least)]
        unfit = [Unranked(**o, why=_why_not(o, least)) for o in standings if _why_not(o, least)]
        return Ranking(
            period=period,
            formula=FORMULA,
            as_of=self.as_of,
            lines=tuple(_placed(fit)),
            unranked=tuple(sorted(unfit, key=lambda one: one.rider_id)),
        )

    def _standings(self, period: str) -> Iterator[dict[str, Any]]:
        gone = {
            (rider, lot)
            for (rider, reversal), lot in self.taken_back.items()
            if (rider, reversal) not in self.restored
        }
        earned: dict[str, list[int]] = defaultdict(list)
        for key, award in self.awards.items():
            if _within(award.month, period) and key not in gone:
                earned[award.rider_id].append(award.points)
        true, untrue = self._judged(period)
        for rider, points in earned.items():
            if rider not in self.erased:
                judged = true[rider] + untrue[rider]
                yield {
                    "rider_id": rider,
                    "score": sum(points),
                    "results": len(points),
                    "accuracy": 100 * true[rider] // judged if judged else 100,
                }

    def _judged(self, period: str) -> tuple[Counter[str], Counter[str]]:
        """How often riders were found right, and how often there was nothing."""
        true, untrue = Counter[str](), Counter[str]()
        for closing in self.closings.values():
            if _within(closing.month, period):
                if closing.outcome is CloseOutcome.FIXED:
                    true.update(closing.riders)
                elif closing.outcome is CloseOutcome.UNFOUNDED:
                    untrue.update(closing.riders)
        return true, untrue


def merits(facts: Iterable[Recorded], zone: tzinfo) -> Merits:
    """What the facts of a log, in their order, count for rankings."""
    counted = Merits(zone)
    for fact in facts:
        counted.hear(fact)
    return counted


def _within(month: str, period: str) -> bool:
    return month == period or ("-" not in period and month.startswith(f"{period}-"))


def _why_not(one: dict[str, Any], least: int) -> str:
    if one["results"] < least:
        return "few_results"
    return "low_accuracy" if one["accuracy"] < LEAST_ACCURACY else ""


def _placed(standings: Iterable[dict[str, Any]]) -> Iterator[Line]:
    """Most points first, then most results, then the higher accuracy; equal in all is equal."""

    def merit(one: dict[str, Any]) -> tuple[int, int, int]:
        return -one["score"], -one["results"], -one["accuracy"]

    place, before = 0, None
    ordered = sorted(standings, key=lambda one: (merit(one), one["rider_id"]))
    for number, one in enumerate(ordered, start=1):
        if merit(one) != before:
            place, before = number, merit(one)
        yield Line(place=place, **one)
