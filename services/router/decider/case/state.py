"""What decisions need to know of a case, and how it follows from facts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.case import (
    AppealReviewed,
    CaseClosed,
    CaseCorrected,
    CaseDispatched,
    CaseEscalated,
    CaseJoined,
    CaseOpened,
    CaseRejected,
    CaseReopened,
    CaseSeparated,
    CaseSuspended,
    CheckOrdered,
    ClockName,
    ClockPaused,
    ClockResumed,
    CloseOutcome,
    ClosingContested,
    ContestDismissed,
    DeadlineNear,
    DeadlinePassed,
    ExtensionAsked,
    ExtensionGranted,
    Gathered,
    ReportJoined,
    ReportSeparated,
    RequestKind,
    RequestRefused,
    ReworkOrdered,
    SeparationReason,
    Step,
    SupportAsked,
    SuspensionAsked,
    SuspensionEnded,
    Task,
    TimeoutAppealed,
    TimeoutExcused,
    TimeoutUpheld,
    UnitKind,
    Why,
    WorkAccepted,
    WorkClaimed,
    WorkReleased,
    WorkResolved,
    WorkReturned,
    WorkTransferred,
)
from contracts.envelope import Fact, Words
from contracts.report import Position
from services.router import timers
from services.router.clock import Clock
from services.router.timers import Timers


@dataclass(frozen=True, slots=True)
class Request:
    """What the handling unit has asked for and nobody has answered yet."""

    kind: RequestKind
    until: datetime
    decider: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The clock of a unit that returned the case: it goes on if the unit gets it back."""

    unit: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class Ending:
    """How the case was closed, and what came after."""

    outcome: CloseOutcome
    at: datetime
    contest_until: datetime | None = None
    contested: bool = False


@dataclass(frozen=True, slots=True)
class Appeal:
    """Whether lateness is to be excused: asked once."""

    reviewers: tuple[str, ...] = ()
    """Who has granted it so far."""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """What decisions need to know of a case."""

    step: Step = Step.NONE
    report_id: str = ""
    rider_id: str = ""
    platform: str = ""
    service_code: str | None = None
    condition: str | None = None
    position: Position | None = None
    asset: str | None = None
    area: str | None = None
    street: str | None = None
    unit: str = ""
    unit_kind: UnitKind | None = None
    task: Task | None = None
    clerk: str | None = None
    dispatch: int = 0
    returns: int = 0
    reworks: int = 0
    transfers: int = 0
    reopens: int = 0
    level: int = 0
    why: Why | None = None
    explanation: Words | None = None
    suggested: str | None = None
    supporting: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    """Every unit that has taken it on to handle it, also the ones before the present one."""
    verifier: str | None = None
    limit: str = ""
    clock: Clock | None = None
    kept: Kept | None = None
    timers: Timers = timers.NONE
    request: Request | None = None
    extensions: int = 0
    suspensions: int = 0
    gathered: tuple[Gathered, ...] = ()
    origin: str | None = None
    apart: bool = False
    """Somebody has said that it stands by itself."""
    late_unit: str | None = None
    appeal: Appeal | None = None
    ending: Ending | None = None

    @property
    def hands(self) -> tuple[str, ...]:
        """Who handles it, has handled it, or helps: none of them says that it is done."""
        return (self.unit, *self.handlers, *self.supporting)

    @property
    def due_at(self) -> datetime | None:
        """Until when the holder has to do its task; None where its clock stands still."""
        return self.clock.due_at if self.clock and self.clock.runs else None


NO_CASE: Final = Case()


def evolve(case: Case, fact: Fact) -> Case:
    """The case after a fact. Never refuses: it has happened."""
    waiting = timers.after(case.timers, fact)
    if waiting != case.timers:
        case = replace(case, timers=waiting)
    match fact:
        case CaseOpened() | CheckOrdered() | CaseJoined() | CaseCorrected() | CaseRejected():
            return _known(case, fact)
        case CaseDispatched():
            return _dispatched(case, fact)
        case CaseClosed() | CaseReopened() | ClosingContested() | ContestDismissed():
            return _ended(case, fact)
        case TimeoutAppealed() | AppealReviewed() | TimeoutExcused() | TimeoutUpheld():
            return _appealed(case, fact)
        case ReportJoined() | ReportSeparated() | CaseSeparated():
            return _gathered(case, fact)
        case ClockPaused() | ClockResumed() | DeadlineNear() | DeadlinePassed():
            return _ticked(case, fact)
        case (
            ExtensionAsked()
            | SuspensionAsked()
            | RequestRefused()
            | ExtensionGranted()
            | CaseSuspended()
            | SuspensionEnded()
        ):
            return _asked(case, fact)
        case _:
            return _worked(case, fact)


def _known(
    case: Case, fact: CaseOpened | CheckOrdered | CaseJoined | CaseCorrected | CaseRejected
) -> Case:
    """What a case is about."""
    match fact:
        case CaseOpened() | CheckOrdered() | CaseJoined() as told:
            case = replace(
                case,
                report_id=told.report_id,
                rider_id=told.rider_id,
                platform=told.platform,
                service_code=told.service_code,
                condition=told.condition,
                position=told.position,
                asset=told.asset,
                area=told.area,
                street=told.street,
            )
            match told:
                case CheckOrdered(unit=unit, explanation=words):
                    return replace(case, step=Step.CHECKING, unit=unit, explanation=words)
                case CaseJoined(into=into):
                    return replace(
                        case, step=Step.JOINED, origin=into, unit="", unit_kind=None, task=None
                    )
                case _:
                    return case
        case CaseCorrected() as right:
            return replace(
                case,
                service_code=right.service_code,
                condition=right.condition,
                position=right.position,
                asset=right.asset or case.asset,
                area=right.area,
                street=right.street,
            )
        case CaseRejected():
            return replace(case, step=Step.REJECTED, unit="")


def _dispatched(case: Case, to: CaseDispatched) -> Case:
    same_clock = case.kept if to.task is Task.DISPATCH else None
    clock = (
        None
        if to.imported
        else Clock(to.pace, to.limit_seconds, to.due_at, warned=to.warn_at is None, late=to.late)
    )
    return replace(
        case,
        step=Step.DISPATCHED,
        unit=to.unit,
        unit_kind=to.unit_kind,
        task=to.task,
        clerk=None,
        dispatch=to.dispatch,
        service_code=to.service_code,
        condition=to.condition,
        why=to.why,
        explanation=to.explanation,
        suggested=to.suggested,
        supporting=to.supporting,
        verifier=to.verifier,
        limit=to.limit,
        clock=clock,
        kept=same_clock,
        request=None,
        extensions=0,
        suspensions=0,
        ending=None,
    )


def _worked(case: Case, fact: Fact) -> Case:
    match fact:
        case WorkAccepted(unit=unit):
            handles = case.task is Task.HANDLE and unit not in case.handlers
            handlers = (*case.handlers, unit) if handles else case.handlers
            return replace(case, step=Step.HANDLING, handlers=handlers)
        case WorkClaimed(clerk=clerk):
            return replace(case, clerk=clerk)
        case WorkReleased():
            return replace(case, clerk=None)
        case WorkReturned(returns=returns):
            return replace(case, returns=returns)
        case WorkTransferred(transfers=transfers):
            return replace(case, transfers=transfers)
        case SupportAsked(unit=unit) if unit not in case.supporting:
            return replace(case, supporting=(*case.supporting, unit))
        case WorkResolved(verifier=verifier):
            verifier = verifier or case.verifier
            return replace(case, step=Step.RESOLVED, request=None, verifier=verifier)
        case ReworkOrdered(reworks=reworks):
            return replace(case, step=Step.HANDLING, reworks=reworks)
        case CaseEscalated(level=level):
            return replace(case, level=max(case.level, level))
        case _:
            return case


def _ticked(case: Case, fact: ClockPaused | ClockResumed | DeadlineNear | DeadlinePassed) -> Case:
    clock = case.clock
    if clock is None:
        return case
    match fact:
        case ClockPaused(left_seconds=left, because=because):
            clock = replace(clock, left_seconds=left)
            kept = Kept(fact.unit, clock) if because == "returned" else case.kept
            return replace(case, clock=clock, kept=kept)
        case ClockResumed(due_at=due_at):
            return replace(case, clock=replace(clock, left_seconds=None, due_at=due_at))
        case DeadlineNear():
            return replace(case, clock=replace(clock, warned=True))
        case DeadlinePassed(clock=ClockName.HANDLE, unit=unit):
            late = replace(clock, late=True)
            return replace(case, clock=late, late_unit=unit, request=None)
        case DeadlinePassed(clock=ClockName.DISPATCH):
            return replace(case, clock=replace(clock, late=True))
        case _:
            return case


def _asked(
    case: Case,
    fact: ExtensionAsked
    | SuspensionAsked
    | RequestRefused
    | ExtensionGranted
    | CaseSuspended
    | SuspensionEnded,
) -> Case:
    match fact:
        case ExtensionAsked(until=until, decider=decider):
            return replace(case, request=Request(RequestKind.EXTENSION, until, decider))
        case SuspensionAsked(until=until, decider=decider):
            return replace(case, request=Request(RequestKind.SUSPENSION, until, decider))
        case RequestRefused():
            return replace(case, request=None)
        case ExtensionGranted(due_at=due_at, extensions=extensions):
            clock = replace(case.clock, due_at=due_at, warned=False) if case.clock else None
            return replace(case, clock=clock, request=None, extensions=extensions)
        case CaseSuspended(suspensions=suspensions):
            return replace(case, step=Step.SUSPENDED, request=None, suspensions=suspensions)
        case SuspensionEnded():
            return replace(case, step=Step.HANDLING)


def _gathered(case: Case, fact: ReportJoined | ReportSeparated | CaseSeparated) -> Case:
    match fact:
        case ReportJoined(report_id=report_id, rider_id=rider_id, platform=platform):
            one = Gathered(report_id=report_id, rider_id=rider_id, platform=platform)
            return replace(case, gathered=(*case.gathered, one))
        case ReportSeparated(report_id=report_id):
            left = tuple(one for one in case.gathered if one.report_id != report_id)
            return replace(case, gathered=left)
        case CaseSeparated(because=because):
            apart = case.apart or because is SeparationReason.BY_PERSON
            return replace(case, origin=None, apart=apart)


def _ended(
    case: Case, fact: CaseClosed | CaseReopened | ClosingContested | ContestDismissed
) -> Case:
    match fact:
        case CaseClosed(outcome=outcome, closed_at=at, contest_until=until):
            return replace(case, step=Step.CLOSED, request=None, ending=Ending(outcome, at, until))
        case CaseReopened(reopens=reopens):
            return replace(case, reopens=reopens)
        case ClosingContested() if case.ending:
            return replace(case, ending=replace(case.ending, contested=True))
        case ContestDismissed() if case.ending:
            return replace(case, ending=replace(case.ending, contested=False))
        case _:
            return case


def _appealed(
    case: Case, fact: TimeoutAppealed | AppealReviewed | TimeoutExcused | TimeoutUpheld
) -> Case:
    appeal = case.appeal or Appeal()
    match fact:
        case TimeoutAppealed():
            return replace(case, appeal=appeal)
        case AppealReviewed(reviewer=reviewer, granted=True):
            return replace(case, appeal=replace(appeal, reviewers=(*appeal.reviewers, reviewer)))
        case TimeoutExcused() | TimeoutUpheld():
            return replace(case, appeal=replace(appeal, over=True))
        case _:
            return case
