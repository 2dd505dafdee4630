"""What the clock says: near, late, over, who above must look. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.case import (
    CaseEscalated,
    ClockName,
    DeadlineNear,
    DeadlinePassed,
    EscalationReason,
    SuspensionEnded,
    Task,
)
from contracts.envelope import Fact
from services.router.decider.case.escalating import escalated, next_escalation
from services.router.decider.case.placing import resumed
from services.router.decider.case.state import Case, evolve
from services.router.rules import Rules


def ring(case: Case, case_id: str, at: datetime, rules: Rules) -> list[Fact]:
    """Everything that has come by a moment and was not heard yet, in the order in which it came."""
    facts: list[Fact] = []
    while (moment := case.timers.next_at) is not None and moment < at:
        heard = _heard(case, case_id, moment, at, rules)
        for fact in heard:
            case = evolve(case, fact)
        facts += heard
    return facts


def _heard(
    case: Case, case_id: str, moment: datetime, at: datetime, rules: Rules
) -> Sequence[Fact]:
    waiting = case.timers
    if moment == waiting.resume_at:
        ended = SuspensionEnded(case_id=case_id, unit=case.unit, ended_at=moment)
        return [ended, *resumed(case, case_id, moment, rules)]
    if waiting.due_at is not None and (
        moment == waiting.due_at or (moment == waiting.warn_at and waiting.due_at < at)
    ):
        return [_late(case, case_id, waiting.due_at, rules)]
    if moment == waiting.warn_at:
        due_at = waiting.due_at or moment
        return [DeadlineNear(case_id=case_id, unit=case.unit, due_at=due_at)]
    if moment == waiting.accept_by:
        return [_passed(case, case_id, ClockName.ACCEPT, case.unit, moment)]
    if moment == waiting.check_by:
        return [_passed(case, case_id, ClockName.CHECK, case.unit, moment)]
    if moment == waiting.verify_by:
        unit = case.verifier or case.unit
        return [_passed(case, case_id, ClockName.VERIFY, unit, moment)]
    return [_above(case, case_id, moment, rules)]


def _late(case: Case, case_id: str, due_at: datetime, rules: Rules) -> DeadlinePassed:
    clock = ClockName.HANDLE if case.task is Task.HANDLE else ClockName.DISPATCH
    escalation = next_escalation(case, due_at, rules)
    escalate_at = escalation[0] if escalation else None
    return _passed(case, case_id, clock, case.unit, due_at, escalate_at)


def _passed(
    case: Case,
    case_id: str,
    clock: ClockName,
    unit: str,
    due_at: datetime,
    escalate_at: datetime | None = None,
) -> DeadlinePassed:
    return DeadlinePassed(
        case_id=case_id,
        unit=unit,
        clock=clock,
        dispatch=case.dispatch,
        due_at=due_at,
        escalate_at=escalate_at,
    )


def _above(case: Case, case_id: str, moment: datetime, rules: Rules) -> Fact:
    """The next level is told. Where the rules have changed since and know none, nobody is."""
    due_at = case.clock.due_at if case.clock else moment
    this = next_escalation(case, due_at, rules)
    if this is None:
        return _no_level(case, case_id)
    then = next_escalation(case, due_at, rules, above=this[1].level)
    at = max(moment, then[0]) if then else None
    return escalated(case, case_id, EscalationReason.OVERDUE, this[1], rules, at)


def _no_level(case: Case, case_id: str) -> Fact:
    return CaseEscalated(
        case_id=case_id,
        level=case.level,
        because=EscalationReason.OVERDUE,
        returns=case.returns,
        reworks=case.reworks,
        transfers=case.transfers,
    )
