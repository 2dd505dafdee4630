"""What may come after closing: contested, reopened, lateness appealed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.case import (
    AppealReviewed,
    AppealTimeout,
    CaseRefusal,
    CaseReopened,
    CloseOutcome,
    ClosingContested,
    ContestClosing,
    ContestDismissed,
    DismissContest,
    ReopenCase,
    ReviewAppeal,
    Task,
    TimeoutAppealed,
    TimeoutExcused,
    TimeoutUpheld,
    Why,
)
from contracts.envelope import Fact, Issued, Words
from services.router.decider.case.checks import local, refused
from services.router.decider.case.placing import Placement, dispatched
from services.router.decider.case.state import Case
from services.router.rules import Rules


def contest(issued: Issued[ContestClosing], case: Case, rules: Rules) -> Sequence[Fact]:
    """A reporter says: not done. Within the window, for an own report, one at a time."""
    command, ending = issued.command, case.ending
    mine = {
        (case.platform, case.rider_id),
        *((one.platform, one.rider_id) for one in case.gathered),
    }
    if (issued.actor, command.rider_id) not in mine:
        detail = f"'{command.rider_id}' of '{issued.actor}' has reported nothing in this case"
        raise refused(CaseRefusal.NOT_YOURS, detail)
    if ending is None or ending.contest_until is None or issued.at > ending.contest_until:
        until = ending.contest_until if ending else None
        when = f"it could be contested until {local(until, rules)}" if until else "it is settled"
        raise refused(CaseRefusal.TOO_LATE, f"{when}; report it anew where it is there again")
    if ending.contested:
        return []
    decider = case.verifier or rules.verifier(None, None).code
    return [
        ClosingContested(
            case_id=command.case_id,
            rider_id=command.rider_id,
            platform=issued.actor,
            decider=decider,
            note=command.note,
        )
    ]


def dismiss(issued: Issued[DismissContest], case: Case, rules: Rules) -> Sequence[Fact]:
    """Looked at again: it is done."""
    if case.ending is None or not case.ending.contested:
        raise refused(CaseRefusal.NO_REQUEST, "nobody contests it")
    return [
        ContestDismissed(
            case_id=issued.command.case_id,
            rider_id=case.rider_id,
            by=issued.actor,
            note=issued.command.note,
        )
    ]


def reopen(issued: Issued[ReopenCase], case: Case, rules: Rules) -> Sequence[Fact]:
    """It is not done: to the unit that handled it; where nobody did, to a dispatcher."""
    command, ending = issued.command, case.ending
    window = timedelta(days=rules.handling.reopen_days)
    if ending is None or issued.at > ending.at + window:
        detail = f"it can be reopened for {window.days} days; report it anew"
        raise refused(CaseRefusal.TOO_LATE, detail)
    again = CaseReopened(
        case_id=command.case_id,
        rider_id=case.rider_id,
        by=issued.actor,
        reopens=case.reopens + 1,
        note=command.note,
    )
    placement = _again(issued, replace(case, ending=None), ending.outcome, rules)
    return [again, dispatched(case, command.case_id, placement, issued.at, rules)]


def appeal(issued: Issued[AppealTimeout], case: Case, rules: Rules) -> Sequence[Fact]:
    """The lateness is to leave the statistic. Once, while the window is open."""
    command, ending = issued.command, case.ending
    if case.appeal is not None:
        detail = "an appeal was made already; there is one for a case"
        raise refused(CaseRefusal.ALREADY_APPEALED, detail)
    days = rules.handling.appeal.within_days
    if ending is None or issued.at > ending.at + timedelta(days=days):
        raise refused(CaseRefusal.TOO_LATE, f"an appeal is possible for {days} days after closing")
    return [
        TimeoutAppealed(
            case_id=command.case_id,
            rider_id=case.rider_id,
            unit=issued.actor,
            reason=command.reason,
        )
    ]


def review(issued: Issued[ReviewAppeal], case: Case, rules: Rules) -> Sequence[Fact]:
    """One of the reviewers: one no upholds the lateness, all yes excuse it."""
    command, late_unit = issued.command, case.late_unit or case.unit
    said = AppealReviewed(
        case_id=command.case_id,
        rider_id=case.rider_id,
        reviewer=issued.actor,
        granted=command.granted,
        note=command.note,
    )
    if not command.granted:
        upheld = TimeoutUpheld(case_id=command.case_id, unit=late_unit, reviewer=issued.actor)
        return [said, upheld]
    reviewers = (*(case.appeal.reviewers if case.appeal else ()), issued.actor)
    if len(reviewers) < rules.handling.appeal.reviewers:
        return [said]
    excused = TimeoutExcused(case_id=command.case_id, unit=late_unit, reviewers=reviewers)
    return [said, excused]


def _again(
    issued: Issued[ReopenCase], case: Case, outcome: CloseOutcome, rules: Rules
) -> Placement:
    name = rules.name_of(issued.actor)
    words = Words(zh=f"{name.zh}重新立案。", en=f"Reopened by {name.en}.")
    filed = rules.filed(case.service_code, case.condition)
    handler = rules.units.get(case.unit)
    handled = outcome is CloseOutcome.FIXED and case.task is Task.HANDLE
    if handled and handler and filed:
        return Placement(
            unit=handler,
            why=Why.REOPENED,
            words=words,
            task=Task.HANDLE,
            limit=filed.condition.limit,
            rule=f"reopened:{issued.actor}",
            suggested=case.suggested,
            supporting=case.supporting,
        )
    return Placement(
        unit=rules.units.get(case.street or "") or rules.triage,
        why=Why.REOPENED,
        words=words,
        task=Task.DISPATCH,
        limit=rules.handling.dispatch_limit,
        rule=f"reopened:{issued.actor}",
        suggested=case.suggested,
        supporting=case.supporting,
    )
