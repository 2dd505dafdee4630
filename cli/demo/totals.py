"""The day in figures: what the tables and the log add up to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from cli.demo.expected import ACCEPTED, Ending
from contracts.account import PointsAwarded
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    ReworkOrdered,
    Why,
    WorkResolved,
    WorkReturned,
    WorkVerified,
)
from contracts.envelope import Recorded
from contracts.notice import NoticeDelivered, NoticeParked

OPEN: Final = "open"
"""The outcome of a case that has none yet."""


@dataclass(slots=True)
class UnitTotals:
    """What one unit did."""

    orders: int = 0
    """Given to it, reworks included."""
    dispatched: int = 0
    """Handed on."""
    returned: int = 0
    """Given back."""
    resolved: int = 0
    verified: int = 0
    """Results of others that it has looked at."""
    reworks: int = 0
    closed: int = 0
    """Closed cases that it handled."""
    points: int = 0
    """Earned by riders with those."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole day."""

    facts: int
    reports: int
    accepted: int
    refused: Mapping[str, int]
    """By reason."""
    cases: int
    outcomes: Mapping[str, int]
    steps: Mapping[str, int]
    returns: int
    reworks: int
    notices: Mapping[str, int]
    """Delivered, by channel."""
    parked: int
    """Notices that could not be delivered."""
    awards: int
    riders: int
    """With points."""
    points: int
    units: Mapping[str, UnitTotals]

    def document(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def totals(found: Ending, facts: Sequence[Recorded], units: Iterable[str]) -> Totals:
    """The figures of a day, with a line for each of the units."""
    reasons = Counter(r.partition(": ")[2] for r in found.reports.values() if r != ACCEPTED)
    return Totals(
        facts=len(facts),
        reports=len(found.reports),
        accepted=len(found.reports) - reasons.total(),
        refused=dict(reasons),
        cases=len(found.cases),
        outcomes=_counted(case.outcome or OPEN for case in found.cases.values()),
        steps=_counted(case.step for case in found.cases.values()),
        returns=sum(case.returns for case in found.cases.values()),
        reworks=sum(case.reworks for case in found.cases.values()),
        notices=dict(found.by_channel()),
        parked=_parked(facts),
        awards=sum(isinstance(fact.body, PointsAwarded) for fact in facts),
        riders=len(found.points),
        points=sum(found.points.values()),
        units=_by_unit(facts, units),
    )


def _counted(things: Iterable[str]) -> dict[str, int]:
    return dict(Counter(things).most_common())


def _parked(facts: Iterable[Recorded]) -> int:
    """Notices given up and not delivered after all."""
    told: dict[tuple[str, str], bool] = {}
    for fact in facts:
        match fact.body:
            case NoticeParked(notice_id=notice_id, channel=channel):
                told[notice_id, channel] = False
            case NoticeDelivered(notice_id=notice_id, channel=channel):
                told[notice_id, channel] = True
    return sum(not delivered for delivered in told.values())


def _by_unit(facts: Iterable[Recorded], units: Iterable[str]) -> dict[str, UnitTotals]:
    by_unit = {unit: UnitTotals() for unit in units}
    handled: dict[str, str] = {}
    for fact in facts:
        match fact.body:
            case CaseDispatched(unit=unit, why=why):
                by_unit[unit].orders += 1
                if why is Why.BY_DISPATCHER:
                    by_unit[fact.actor].dispatched += 1
            case WorkReturned(unit=unit):
                by_unit[unit].returned += 1
            case WorkResolved(unit=unit):
                by_unit[unit].resolved += 1
            case WorkVerified(verifier=verifier):
                by_unit[verifier].verified += 1
            case ReworkOrdered(unit=unit, verifier=verifier):
                by_unit[verifier].verified += 1
                by_unit[unit].orders += 1
                by_unit[unit].reworks += 1
            case CaseClosed(case_id=case_id, unit=str(unit)):
                by_unit[unit].closed += 1
                handled[case_id] = unit
            case PointsAwarded(case_id=case_id, points=points):
                by_unit[handled[case_id]].points += points
    return by_unit
