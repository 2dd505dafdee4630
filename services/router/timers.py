"""The moments that a case waits for: one fold, for the decision and for the table alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseJoined,
    CaseRejected,
    CaseSuspended,
    CheckOrdered,
    ClockName,
    ClockPaused,
    ClockResumed,
    DeadlineNear,
    DeadlinePassed,
    EscalationReason,
    ExtensionGranted,
    ReworkOrdered,
    SuspensionEnded,
    WorkAccepted,
    WorkResolved,
)
from contracts.envelope import Fact


@dataclass(frozen=True, slots=True)
class Timers:
    """When the clock has something to say about a case; None where it has not."""

    check_by: datetime | None = None
    accept_by: datetime | None = None
    warn_at: datetime | None = None
    due_at: datetime | None = None
    escalate_at: datetime | None = None
    resume_at: datetime | None = None
    verify_by: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        """The first of them."""
        return min((at for at in self.all() if at is not None), default=None)

    def all(self) -> tuple[datetime | None, ...]:
        """All of them, in the order in which they are heard where they fall together."""
        return (
            self.resume_at,
            self.warn_at,
            self.accept_by,
            self.check_by,
            self.due_at,
            self.verify_by,
            self.escalate_at,
        )


NONE: Final = Timers()
"""A case that waits for nothing."""


def after(timers: Timers, fact: Fact) -> Timers:
    """What a case waits for after a fact."""
    match fact:
        case CaseClosed() | CaseJoined() | CaseRejected():
            return NONE
        case CheckOrdered(due_at=due_at):
            return Timers(check_by=due_at)
        case CaseDispatched(imported=True):
            return NONE
        case CaseDispatched() as to:
            due = None if to.late else to.due_at
            return Timers(
                accept_by=to.accept_by,
                warn_at=to.warn_at,
                due_at=due,
                escalate_at=to.escalate_at,
            )
        case WorkAccepted():
            return replace(timers, accept_by=None)
        case WorkResolved(verify_by=verify_by):
            return replace(timers, accept_by=None, verify_by=verify_by)
        case ReworkOrdered():
            return replace(timers, verify_by=None)
        case _:
            return _clock(timers, fact)


def _clock(timers: Timers, fact: Fact) -> Timers:
    match fact:
        case ClockPaused():
            return replace(timers, warn_at=None, due_at=None, escalate_at=None)
        case ClockResumed() as on:
            due = None if on.late else on.due_at
            return replace(timers, warn_at=on.warn_at, due_at=due, escalate_at=on.escalate_at)
        case ExtensionGranted() as more:
            return replace(timers, warn_at=more.warn_at, due_at=more.due_at)
        case CaseSuspended(until=until):
            return replace(timers, resume_at=until)
        case SuspensionEnded():
            return replace(timers, resume_at=None)
        case DeadlineNear():
            return replace(timers, warn_at=None)
        case DeadlinePassed() as late:
            return _late(timers, late)
        case CaseEscalated(because=EscalationReason.OVERDUE, escalate_at=next_level):
            return replace(timers, escalate_at=next_level)
        case _:
            return timers


def _late(timers: Timers, late: DeadlinePassed) -> Timers:
    match late.clock:
        case ClockName.CHECK:
            return replace(timers, check_by=None)
        case ClockName.ACCEPT:
            return replace(timers, accept_by=None)
        case ClockName.VERIFY:
            return replace(timers, verify_by=None)
        case ClockName.DISPATCH | ClockName.HANDLE:
            return replace(timers, warn_at=None, due_at=None, escalate_at=late.escalate_at)
