"""Who above must look, and when. Pure."""

from __future__ import annotations

from datetime import datetime

from contracts.case import CaseEscalated, EscalationReason
from contracts.rulebook import EscalationStep
from services.router.decider.case.state import Case
from services.router.rules import Rules


def by_count(
    case: Case, case_id: str, because: EscalationReason, count: int, rules: Rules
) -> list[CaseEscalated]:
    """The highest step that so many returns, reworks or transfers reach; none is reached twice.

    A step that is reached right now is told also where another reason has led higher before.
    """
    reached = [
        step
        for step in rules.escalation
        if (most := _most(step, because))
        and (count == most or (count > most and step.level > case.level))
    ]
    if not reached:
        return []
    return [escalated(case, case_id, because, max(reached, key=lambda s: s.level), rules)]


def escalated(
    case: Case,
    case_id: str,
    because: EscalationReason,
    step: EscalationStep,
    rules: Rules,
    escalate_at: datetime | None = None,
) -> CaseEscalated:
    """The fact, with who is told: roles as they are at this place."""
    where = {"asset": case.asset, "service": case.service_code}
    found = (rules.resolve(ref, case.area, **where).unit for ref in step.told)
    return CaseEscalated(
        case_id=case_id,
        level=step.level,
        because=because,
        told=tuple(dict.fromkeys(unit.code for unit in found if unit)),
        returns=case.returns,
        reworks=case.reworks,
        transfers=case.transfers,
        escalate_at=escalate_at,
    )


def next_escalation(
    case: Case, due_at: datetime, rules: Rules, above: int | None = None
) -> tuple[datetime, EscalationStep] | None:
    """When the next level is told of lateness, and which it is."""
    level = case.level if above is None else above
    steps = [
        (rules.time.after(due_at, step.overdue), step)
        for step in rules.escalation
        if step.overdue and step.level > level
    ]
    return min(steps, key=lambda s: (s[0], s[1].level), default=None)


def _most(step: EscalationStep, because: EscalationReason) -> int | None:
    match because:
        case EscalationReason.RETURNS:
            return step.returns
        case EscalationReason.REWORKS:
            return step.reworks
        case EscalationReason.TRANSFERS:
            return step.transfers
        case _:
            return None
