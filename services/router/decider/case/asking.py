"""More time, or none for a while: asked by the handler, answered by a dispatcher. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.case import (
    AskExtension,
    AskSuspension,
    CaseRefusal,
    CaseSuspended,
    ClockPaused,
    DecideRequest,
    ExtensionAsked,
    ExtensionGranted,
    PauseReason,
    RequestKind,
    RequestRefused,
    ResumeWork,
    SuspensionAsked,
    SuspensionEnded,
    Task,
)
from contracts.envelope import Fact, Issued
from services.router.clock import Clock
from services.router.decider.case.checks import local, refused
from services.router.decider.case.placing import resumed
from services.router.decider.case.state import Case, Request
from services.router.rules import Rules


def ask_extension(issued: Issued[AskExtension], case: Case, rules: Rules) -> Sequence[Fact]:
    """More time: before it is due, later than it is due, not more than the rules allow."""
    command = issued.command
    clock = _insist_on_time_left(case, rules)
    most = rules.handling.extensions.most
    if case.extensions >= most:
        raise refused(CaseRefusal.TOO_MANY, f"extended {case.extensions} times; {most} are allowed")
    added = clock.limit_seconds * rules.handling.extensions.longest
    latest = rules.time.advance(clock.due_at, clock.pace, added)
    if not clock.due_at < command.until <= latest:
        due, end = local(clock.due_at, rules), local(latest, rules)
        detail = f"ask for a time after {due}, at the latest {end}"
        raise refused(CaseRefusal.BAD_TIME, detail)
    return [
        ExtensionAsked(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=issued.actor,
            until=command.until,
            reason=command.reason,
            decider=_decider(case, rules),
        )
    ]


def ask_suspension(issued: Issued[AskSuspension], case: Case, rules: Rules) -> Sequence[Fact]:
    """The clock is to stand still until a day, at most as far away as the rules allow."""
    command = issued.command
    _insist_on_time_left(case, rules)
    rule = rules.handling.suspension
    if case.suspensions >= rule.most:
        detail = f"suspended {case.suspensions} times; {rule.most} allowed"
        raise refused(CaseRefusal.TOO_MANY, detail)
    latest = issued.at + timedelta(days=rule.longest_days)
    if not issued.at < command.until <= latest:
        detail = f"ask for a day to come, at the latest {local(latest, rules)}"
        raise refused(CaseRefusal.BAD_TIME, detail)
    return [
        SuspensionAsked(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=issued.actor,
            until=command.until,
            reason=command.reason,
            decider=_decider(case, rules),
        )
    ]


def answer(issued: Issued[DecideRequest], case: Case, rules: Rules) -> Sequence[Fact]:
    """The dispatcher says yes or no."""
    command, asked, clock = issued.command, case.request, case.clock
    if asked is None or clock is None:
        raise refused(CaseRefusal.NO_REQUEST, "nothing was asked for")
    if not command.granted:
        return [
            RequestRefused(
                case_id=command.case_id,
                rider_id=case.rider_id,
                unit=case.unit,
                by=issued.actor,
                request=asked.kind,
                note=command.note,
            )
        ]
    if asked.kind is RequestKind.EXTENSION:
        return [_extended(issued, case, asked, clock, rules)]
    if asked.until <= issued.at:
        detail = f"the day that was asked for, {local(asked.until, rules)}, has come; refuse it"
        raise refused(CaseRefusal.TOO_LATE, detail)
    return [
        CaseSuspended(
            case_id=command.case_id,
            unit=case.unit,
            by=issued.actor,
            until=asked.until,
            suspensions=case.suspensions + 1,
        ),
        ClockPaused(
            case_id=command.case_id,
            unit=case.unit,
            because=PauseReason.SUSPENDED,
            left_seconds=clock.paused(issued.at, rules.time).left_seconds or 0,
        ),
    ]


def resume(issued: Issued[ResumeWork], case: Case, rules: Rules) -> Sequence[Fact]:
    """What it waited for is over before its time."""
    case_id = issued.command.case_id
    ended = SuspensionEnded(case_id=case_id, unit=case.unit, ended_at=issued.at, by=issued.actor)
    return [ended, *resumed(case, case_id, issued.at, rules)]


def _extended(
    issued: Issued[DecideRequest], case: Case, asked: Request, clock: Clock, rules: Rules
) -> ExtensionGranted:
    longer = replace(clock, due_at=asked.until, warned=False)
    return ExtensionGranted(
        case_id=issued.command.case_id,
        unit=case.unit,
        by=issued.actor,
        extensions=case.extensions + 1,
        due_at=asked.until,
        warn_at=longer.warn_at(issued.at, rules.handling.warn_at_percent, rules.time),
    )


def _insist_on_time_left(case: Case, rules: Rules) -> Clock:
    if case.task is not Task.HANDLE or case.clock is None:
        detail = (
            "only who handles it and has a deadline may ask; whoever is to dispatch hands it on"
        )
        raise refused(CaseRefusal.NOT_A_HANDLING_UNIT, detail)
    if case.request is not None:
        detail = f"an answer to the {case.request.kind} is awaited from '{case.request.decider}'"
        raise refused(CaseRefusal.REQUEST_PENDING, detail)
    if case.clock.late:
        detail = (
            f"it was due {local(case.clock.due_at, rules)}; ask before that, or appeal afterwards"
        )
        raise refused(CaseRefusal.TOO_LATE, detail)
    return case.clock


def _decider(case: Case, rules: Rules) -> str:
    """The street office of the place, unless it handles it itself; else the triage desk."""
    street = rules.units.get(case.street or "")
    return street.code if street and street.code != case.unit else rules.triage.code
