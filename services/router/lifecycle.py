"""The life of a case as one table: which command is possible when, by whom, and what follows. Pure.

Everything else about a case reads this table: the decisions ask it first, refusals say from it
what is possible instead, the tests go through its rows, and docs/case-lifecycle.md is drawn from
it (`waggle docs case-lifecycle`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from contracts import case as c
from contracts.case import CaseRefusal, Step
from contracts.envelope import Command, Fact

Facts: TypeAlias = tuple[type[Fact], ...]


class Who(StrEnum):
    """Who may give a command on a case, in words."""

    HOLDER = "the unit that holds it"
    HOLDING_DISPATCHER = "the street office or triage desk that holds it"
    HANDLER = "the unit that handles it"
    SUPPORTER = "a unit that was asked to help"
    AUTHORITY = "its street office, the triage desk or inspection"
    DECIDER = "the dispatcher who was asked"
    HOLDER_OR_AUTHORITY = "the unit that holds it, its street office, the triage desk or inspection"
    VERIFIER = "who verifies, neither handler nor reporter"
    PLATFORM = "a platform that reported it"
    LATE_UNIT = "the unit that was late"
    REVIEWER = "inspection, the triage desk or a street office not concerned"
    ARCHIVE = "the archive, for history"
    HOUSE = "the house itself"


OPEN: Final = (Step.CHECKING, Step.DISPATCHED, Step.HANDLING, Step.SUSPENDED, Step.RESOLVED)
"""Somebody is accountable and it is not over."""
HELD: Final = (Step.DISPATCHED, Step.HANDLING)
OPENED: Final = (*HELD, Step.SUSPENDED, Step.RESOLVED)


@dataclass(frozen=True, slots=True)
class Move:
    """One row: a command, where it is possible, who may give it, where it leads."""

    command: type[Command]
    steps: tuple[Step, ...]
    who: Who
    leads_to: tuple[Step, ...]
    """Empty: the step stays as it is."""
    facts: tuple[Facts, ...]
    """What follows: one of these, in this order; clock and escalation facts may come beside."""
    otherwise: CaseRefusal = CaseRefusal.NOT_NOW
    """The code of the refusal at another step."""
    only: str = ""
    """What else must hold."""


_TO: Final = (c.CaseDispatched,)

TABLE: Final = (
    Move(
        c.OpenCase,
        (Step.NONE,),
        Who.HOUSE,
        (Step.DISPATCHED, Step.CHECKING, Step.JOINED, Step.REJECTED),
        (
            (c.CaseOpened, c.CaseDispatched),
            (c.CheckOrdered,),
            (c.CaseJoined,),
            (c.CaseRejected,),
        ),
        only="by the rules: a duplicate joins, some conditions are checked first, some open none",
    ),
    Move(
        c.CheckReport,
        (Step.CHECKING,),
        Who.HOLDER,
        (Step.DISPATCHED, Step.REJECTED),
        ((c.CaseOpened, c.CaseDispatched), (c.CaseRejected,)),
    ),
    Move(
        c.AcceptWork,
        (Step.DISPATCHED,),
        Who.HOLDER,
        (Step.HANDLING,),
        ((c.WorkAccepted,),),
        CaseRefusal.NOT_WAITING_FOR_ACCEPTANCE,
    ),
    Move(
        c.ClaimWork,
        HELD,
        Who.HOLDER,
        (Step.HANDLING,),
        ((c.WorkAccepted, c.WorkClaimed), (c.WorkClaimed,)),
        only="no other clerk has it",
    ),
    Move(
        c.ReleaseWork,
        (Step.HANDLING,),
        Who.HOLDER,
        (),
        ((c.WorkReleased,),),
        only="this clerk has it",
    ),
    Move(
        c.DispatchCase,
        HELD,
        Who.HOLDING_DISPATCHER,
        (Step.DISPATCHED,),
        (_TO,),
        only="to a unit that handles",
    ),
    Move(
        c.CorrectCase,
        HELD,
        Who.AUTHORITY,
        (Step.DISPATCHED,),
        ((c.CaseCorrected, c.CaseDispatched),),
        only="something is corrected",
    ),
    Move(
        c.ReturnWork,
        HELD,
        Who.HANDLER,
        (Step.DISPATCHED,),
        ((c.WorkReturned, c.CaseDispatched), (c.WorkReturned, c.ClockPaused, c.CaseDispatched)),
        CaseRefusal.NOT_IN_HANDLING,
        only="a reason of the list; the triage desk has nobody to return to",
    ),
    Move(
        c.TransferWork,
        HELD,
        Who.HANDLER,
        (Step.DISPATCHED,),
        ((c.WorkTransferred, c.CaseDispatched),),
        CaseRefusal.NOT_IN_HANDLING,
        only="to another unit that handles; the clock starts anew",
    ),
    Move(c.AskSupport, HELD, Who.HOLDER, (), ((c.SupportAsked,),), CaseRefusal.NOT_IN_HANDLING),
    Move(
        c.GiveSupport,
        OPENED,
        Who.SUPPORTER,
        (),
        ((c.SupportGiven,),),
    ),
    Move(
        c.AskExtension,
        (Step.HANDLING,),
        Who.HANDLER,
        (),
        ((c.ExtensionAsked,),),
        CaseRefusal.NOT_IN_HANDLING,
        only="before it is due, nothing asked is open, not more often than the rules allow",
    ),
    Move(
        c.AskSuspension,
        (Step.HANDLING,),
        Who.HANDLER,
        (),
        ((c.SuspensionAsked,),),
        CaseRefusal.NOT_IN_HANDLING,
        only="before it is due, nothing asked is open, not longer than the rules allow",
    ),
    Move(
        c.DecideRequest,
        (Step.HANDLING,),
        Who.DECIDER,
        (Step.HANDLING, Step.SUSPENDED),
        ((c.ExtensionGranted,), (c.CaseSuspended, c.ClockPaused), (c.RequestRefused,)),
        CaseRefusal.NO_REQUEST,
        only="something was asked, and it is not due yet",
    ),
    Move(
        c.ResumeWork,
        (Step.SUSPENDED,),
        Who.HOLDER_OR_AUTHORITY,
        (Step.HANDLING,),
        ((c.SuspensionEnded, c.ClockResumed),),
    ),
    Move(
        c.ResolveWork,
        (Step.HANDLING,),
        Who.HANDLER,
        (Step.RESOLVED,),
        ((c.WorkResolved, c.ClockPaused),),
        CaseRefusal.NOT_IN_HANDLING,
        only="with a photo of afterwards, where the condition asks for one",
    ),
    Move(
        c.VerifyWork,
        (Step.RESOLVED,),
        Who.VERIFIER,
        (Step.CLOSED, Step.HANDLING),
        ((c.WorkVerified, c.CaseClosed), (c.ReworkOrdered, c.ClockResumed)),
        CaseRefusal.NOT_WAITING_FOR_VERIFICATION,
    ),
    Move(
        c.CloseCase,
        HELD,
        Who.HOLDING_DISPATCHER,
        (Step.CLOSED,),
        ((c.CaseClosed,),),
        only="as unfounded, or as not ours",
    ),
    Move(
        c.CancelCase,
        OPENED,
        Who.AUTHORITY,
        (Step.CLOSED,),
        ((c.CaseClosed,),),
        only="a reason of the list",
    ),
    Move(
        c.JoinCase,
        HELD,
        Who.AUTHORITY,
        (Step.JOINED,),
        ((c.CaseJoined,),),
        only="under another case",
    ),
    Move(
        c.SeparateCase,
        (Step.JOINED,),
        Who.AUTHORITY,
        (Step.DISPATCHED,),
        ((c.CaseSeparated, c.CaseOpened, c.CaseDispatched),),
    ),
    Move(c.GatherReport, (*OPENED, Step.CHECKING), Who.HOUSE, (), ((c.ReportJoined,),)),
    Move(c.DropReport, (*OPEN, Step.CLOSED), Who.HOUSE, (), ((c.ReportSeparated,),)),
    Move(
        c.ContestClosing,
        (Step.CLOSED,),
        Who.PLATFORM,
        (),
        ((c.ClosingContested,),),
        only="for the reporter or one who joined, within the window, once at a time",
    ),
    Move(
        c.DismissContest,
        (Step.CLOSED,),
        Who.VERIFIER,
        (),
        ((c.ContestDismissed,),),
        only="it is contested",
    ),
    Move(
        c.ReopenCase,
        (Step.CLOSED,),
        Who.AUTHORITY,
        (Step.DISPATCHED,),
        ((c.CaseReopened, c.CaseDispatched),),
        only="within the window",
    ),
    Move(
        c.AppealTimeout,
        (Step.CLOSED,),
        Who.LATE_UNIT,
        (),
        ((c.TimeoutAppealed,),),
        only="once, within the window",
    ),
    Move(
        c.ReviewAppeal,
        (Step.CLOSED,),
        Who.REVIEWER,
        (),
        (
            (c.AppealReviewed,),
            (c.AppealReviewed, c.TimeoutExcused),
            (c.AppealReviewed, c.TimeoutUpheld),
        ),
        only="an appeal is open; each reviewer once",
    ),
    Move(
        c.RecordHandling,
        OPENED,
        Who.ARCHIVE,
        (Step.CLOSED,),
        ((c.WorkResolved, c.CaseClosed),),
        only="imported history",
    ),
    Move(
        c.RingClock,
        OPEN,
        Who.HOUSE,
        (),
        (
            (c.DeadlineNear,),
            (c.DeadlinePassed,),
            (c.CaseEscalated,),
            (c.SuspensionEnded, c.ClockResumed),
        ),
        only="the moment has come and was not heard yet",
    ),
)
"""Every command on a case. What stands in no row is refused."""

MOVES: Final = {move.command: move for move in TABLE}


def possible(step: Step) -> Iterator[Move]:
    """What people can do at a step; what the house does by itself is left out."""
    return (m for m in TABLE if step in m.steps and m.who not in (Who.HOUSE, Who.ARCHIVE))


def possible_in_words(step: Step) -> str:
    """For whoever was refused: what is possible instead, and by whom."""
    found = [f"{move.command.token} by {move.who}" for move in possible(step)]
    return f"possible now: {'; '.join(found)}" if found else "nothing is possible any more"
