"""What comes of handling: resolved, verified, sent back, closed, cancelled. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from contracts.case import (
    CancelCase,
    CancelReason,
    CaseClosed,
    CaseRefusal,
    ClockPaused,
    CloseCase,
    CloseOutcome,
    EscalationReason,
    PauseReason,
    RecordHandling,
    ResolveWork,
    ReworkOrdered,
    VerifyWork,
    WorkResolved,
    WorkVerified,
)
from contracts.envelope import Fact, Issued
from services.router.decider.case.checks import refused
from services.router.decider.case.escalating import by_count
from services.router.decider.case.placing import resumed, verifier_of
from services.router.decider.case.state import Case
from services.router.rules import Rules


def resolve(issued: Issued[ResolveWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """Done, says the handler. Its clock stands still: lateness is judged here, not at closing."""
    command = issued.command
    filed = rules.filed(case.service_code, case.condition)
    if filed and filed.condition.after_photo and not command.photo:
        detail = f"'{filed.condition.name.en}' is closed with a photo of afterwards: give one"
        raise refused(CaseRefusal.PHOTO_NEEDED, detail)
    facts: list[Fact] = [
        WorkResolved(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=issued.actor,
            result=command.result,
            photo=command.photo,
            verifier=verifier_of(case, case.hands, rules),
            verify_by=rules.time.after(issued.at, rules.handling.check_limit),
        )
    ]
    if case.clock:
        left = case.clock.paused(issued.at, rules.time).left_seconds or 0
        facts.append(
            ClockPaused(
                case_id=command.case_id,
                unit=issued.actor,
                because=PauseReason.VERIFICATION,
                left_seconds=left,
            )
        )
    return facts


def verify(issued: Issued[VerifyWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """Somebody else has looked: closed, or back to the same unit with what was left of its time."""
    command = issued.command
    if command.passed:
        verified = WorkVerified(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=case.unit,
            verifier=issued.actor,
            note=command.note,
        )
        return [verified, _closed(issued, case, CloseOutcome.FIXED, rules)]
    reworks = case.reworks + 1
    ordered = ReworkOrdered(
        case_id=command.case_id,
        rider_id=case.rider_id,
        unit=case.unit,
        verifier=issued.actor,
        reworks=reworks,
        note=command.note,
    )
    counted, reason = replace(case, reworks=reworks), EscalationReason.REWORKS
    return [
        ordered,
        *resumed(case, command.case_id, issued.at, rules),
        *by_count(counted, command.case_id, reason, reworks, rules),
    ]


def close(issued: Issued[CloseCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """The dispatcher ends it: there was nothing to handle, or nobody here answers for it."""
    command = issued.command
    return [_closed(issued, case, command.outcome, rules, note=command.note)]


def cancel(issued: Issued[CancelCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """Void, for a reason of the list."""
    command = issued.command
    note, reason = command.note, command.reason
    return [_closed(issued, case, CloseOutcome.CANCELLED, rules, note=note, reason=reason)]


def record(issued: Issued[RecordHandling], case: Case, rules: Rules) -> Sequence[Fact]:
    """History: the office replied, and nobody verified a result."""
    command = issued.command
    replied = WorkResolved(
        case_id=command.case_id, rider_id=case.rider_id, unit=case.unit, result=command.result
    )
    return [replied, _closed(issued, case, CloseOutcome.ANSWERED, rules)]


def _closed(
    issued: Issued[Any],
    case: Case,
    outcome: CloseOutcome,
    rules: Rules,
    *,
    note: str | None = None,
    reason: CancelReason | None = None,
) -> CaseClosed:
    """The fact; for a while the reporters may say that it is not done, unless they wanted it so."""
    settled = outcome is CloseOutcome.ANSWERED or reason is CancelReason.WITHDRAWN
    window = timedelta(days=rules.handling.contest_days)
    return CaseClosed(
        case_id=issued.command.case_id,
        report_id=case.report_id,
        rider_id=case.rider_id,
        platform=case.platform,
        unit=case.unit or None,
        service_code=case.service_code,
        condition=case.condition,
        area=case.area,
        outcome=outcome,
        by=issued.actor,
        reason=reason,
        note=note,
        gathered=case.gathered,
        closed_at=issued.at,
        contest_until=None if settled else issued.at + window,
    )
