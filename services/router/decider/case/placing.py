"""Giving a case to one unit: whose it is now, why, and until when. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from contracts.case import CaseDispatched, ClockResumed, Task, Why
from contracts.envelope import Words
from contracts.rulebook import Limit, Unit
from services.router.clock import Clock, started
from services.router.decider.case.escalating import next_escalation
from services.router.decider.case.state import Case
from services.router.routing import Route
from services.router.rules import Rules


@dataclass(frozen=True, slots=True)
class Placement:
    """One unit, its task, and the rule that chose it."""

    unit: Unit
    why: Why
    words: Words
    task: Task
    limit: Limit
    rule: str = ""
    considered: tuple[Words, ...] = ()
    suggested: str | None = None
    supporting: tuple[str, ...] = ()
    """Who helps once it is handled; a dispatcher needs no help yet."""
    kept: Clock | None = None
    """A clock that goes on, where the unit had the case before."""


def by_route(route: Route) -> Placement:
    """As the rules say."""
    return Placement(
        unit=route.unit,
        why=route.why,
        words=route.explanation,
        task=route.task,
        limit=route.limit,
        rule=route.rule,
        considered=route.considered,
        suggested=route.suggested,
        supporting=route.supporting,
    )


def dispatched(
    case: Case,
    case_id: str,
    placement: Placement,
    at: datetime,
    rules: Rules,
    *,
    imported: bool = False,
) -> CaseDispatched:
    """The fact that gives the case, as it is known now, to the unit."""
    time, handling = rules.time, rules.handling
    if placement.kept:
        clock = placement.kept.resumed(at, time)
    else:
        clock = started(placement.limit, at, time)
    escalation = next_escalation(case, clock.due_at, rules) if clock.late else None
    accept_by = None
    supporting: tuple[str, ...] = ()
    if placement.task is Task.HANDLE:
        supporting = tuple(u for u in placement.supporting if u != placement.unit.code)
        accept_by = time.after(at, handling.accept_limit)
        accept_by = accept_by if clock.late else min(accept_by, clock.due_at)
    return CaseDispatched(
        case_id=case_id,
        rider_id=case.rider_id,
        unit=placement.unit.code,
        unit_kind=placement.unit.kind,
        dispatch=case.dispatch + 1,
        task=placement.task,
        service_code=case.service_code,
        condition=case.condition,
        area=case.area,
        why=placement.why,
        explanation=placement.words,
        rule=placement.rule,
        considered=placement.considered,
        suggested=placement.suggested,
        supporting=supporting,
        limit=str(placement.limit),
        pace=clock.pace,
        limit_seconds=clock.limit_seconds,
        due_at=clock.due_at,
        warn_at=clock.warn_at(at, handling.warn_at_percent, time),
        accept_by=accept_by,
        late=clock.late,
        escalate_at=max(at, escalation[0]) if escalation else None,
        imported=imported,
        verifier=verifier_of(case, (placement.unit.code, *case.handlers, *supporting), rules),
        rulebook=rules.label,
    )


def resumed(case: Case, case_id: str, at: datetime, rules: Rules) -> list[ClockResumed]:
    """The clock of the case runs again; nothing where it never stood still."""
    if case.clock is None or case.clock.runs:
        return []
    clock = case.clock.resumed(at, rules.time)
    escalation = next_escalation(case, clock.due_at, rules) if clock.late else None
    return [
        ClockResumed(
            case_id=case_id,
            unit=case.unit,
            due_at=clock.due_at,
            warn_at=clock.warn_at(at, rules.handling.warn_at_percent, rules.time),
            late=clock.late,
            escalate_at=max(at, escalation[0]) if escalation else None,
        )
    ]


def verifier_of(case: Case, hands: Collection[str], rules: Rules) -> str:
    """Who will say whether it is done: nobody whose hands were in it."""
    filed = rules.filed(case.service_code, case.condition)
    found = rules.verifier(filed, case.area, case.asset)
    return (rules.verifier(None, None) if found.code in hands else found).code
