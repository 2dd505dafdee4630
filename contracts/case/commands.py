"""What can be asked of router about a case. Strict: nothing unknown is taken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.case.words import (
    CancelReason,
    CloseOutcome,
    Note,
    ReturnReason,
    Said,
    SeparationReason,
    Step,
)
from contracts.envelope import (
    CaseId,
    Command,
    Id,
    PartyId,
    ReportId,
    RiderId,
    ServiceCode,
    Time,
    UnitCode,
)
from contracts.report import Position


class Nearby(BaseModel):
    """An open case of the same condition, seen when a report came in."""

    model_config = ConfigDict(frozen=True)

    case_id: CaseId
    condition: Id
    position: Position
    opened_at: Time


class OpenCase(Command, room="router"):
    """Open a case for an accepted report, or say why not, or which open case it joins."""

    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    """The exact state, where the reporter could say it."""
    position: Position | None = None
    asset: Id | None = None
    nearby: tuple[Nearby, ...] = Field(default=(), exclude=True)
    """What was open around it when it was decided; no part of what tells commands apart."""


class CheckReport(Command, room="router"):
    """Who was sent to look before opening says what there is."""

    case_id: CaseId
    found: bool
    note: Note | None = None


class AcceptWork(Command, room="router"):
    """The unit that was given the case takes it on."""

    case_id: CaseId


class ClaimWork(Command, room="router"):
    """A clerk of the holder takes the case into own hands, and on for the unit if it is not yet."""

    case_id: CaseId
    clerk: Id
    """A staff number or account name within the unit."""


class ReleaseWork(Command, room="router"):
    """The clerk hands the case back to the unit's desk."""

    case_id: CaseId
    clerk: Id


class DispatchCase(Command, room="router"):
    """A street office or the triage desk hands the case to the unit that is to handle it."""

    case_id: CaseId
    unit: UnitCode
    service_code: ServiceCode | None = None
    """Corrects the kind of hazard, where the dispatcher knows better."""
    condition: Id | None = None
    """Corrects the exact state."""
    supporting: Annotated[tuple[UnitCode, ...], Field(max_length=20)] = ()


class CorrectCase(Command, room="router"):
    """The kind or the place was wrong: routed again by the rules, the history stays."""

    case_id: CaseId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    position: Position | None = None
    asset: Id | None = None
    """The number on the thing, by which its owner is found."""
    note: Note | None = None


class ReturnWork(Command, room="router"):
    """The department says: not ours. The case goes back to a dispatcher."""

    case_id: CaseId
    reason: ReturnReason
    note: Note | None = None


class TransferWork(Command, room="router"):
    """The handling unit hands the case directly to another one that handles it."""

    case_id: CaseId
    unit: UnitCode
    note: Note | None = None


class AskSupport(Command, room="router"):
    """The holder asks another unit to help; the holder stays accountable."""

    case_id: CaseId
    unit: UnitCode


class GiveSupport(Command, room="router"):
    """The supporting unit says what it has done."""

    case_id: CaseId
    result: Said


class AskExtension(Command, room="router"):
    """The handling unit asks for more time, with the reason."""

    case_id: CaseId
    until: Time
    reason: Said


class AskSuspension(Command, room="router"):
    """The handling unit asks for the clock to be stopped until a day, with the reason."""

    case_id: CaseId
    until: Time
    reason: Said


class DecideRequest(Command, room="router"):
    """The dispatcher grants or refuses what the handling unit has asked for."""

    case_id: CaseId
    granted: bool
    note: Note | None = None


class ResumeWork(Command, room="router"):
    """What the case waited for is over before its time: the clock runs again."""

    case_id: CaseId


class ResolveWork(Command, room="router"):
    """The department says: done, and how."""

    case_id: CaseId
    result: Said
    photo: str | None = Field(default=None, max_length=500)
    """Of afterwards, from the same spot."""


class VerifyWork(Command, room="router"):
    """Somebody who did not handle it says whether it is done."""

    case_id: CaseId
    passed: bool
    note: Note | None = None


class CloseCase(Command, room="router"):
    """The dispatcher who holds the case ends it: nothing to handle, or nobody answers for it."""

    case_id: CaseId
    note: Said
    outcome: Literal[CloseOutcome.UNFOUNDED, CloseOutcome.NOT_OURS] = CloseOutcome.UNFOUNDED


class CancelCase(Command, room="router"):
    """A dispatcher or inspection voids the case, for a reason of the list."""

    case_id: CaseId
    reason: CancelReason
    note: Note | None = None


class JoinCase(Command, room="router"):
    """Two open cases are about one thing: this one gathers under the other."""

    case_id: CaseId
    into: CaseId
    stands_at: Step | None = Field(default=None, exclude=True)
    """Where the other one stands, as router sees it; no part of what tells commands apart."""


class SeparateCase(Command, room="router"):
    """A gathered report is about another thing after all: it gets a case of its own."""

    case_id: CaseId
    because: SeparationReason = SeparationReason.BY_PERSON


class GatherReport(Command, room="router"):
    """Router to itself: another report is about this case."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    distance_metres: int | None = None


class DropReport(Command, room="router"):
    """Router to itself: a gathered report stands by itself again."""

    case_id: CaseId
    report_id: ReportId


class ContestClosing(Command, room="router"):
    """The platform, for its rider: it is closed, and it is not done."""

    case_id: CaseId
    rider_id: RiderId
    note: Said


class DismissContest(Command, room="router"):
    """Who verifies has looked again: it is done."""

    case_id: CaseId
    note: Said


class ReopenCase(Command, room="router"):
    """Who verifies, or a dispatcher, opens a closed case again."""

    case_id: CaseId
    note: Said


class AppealTimeout(Command, room="router"):
    """The unit that was late asks for the lateness to be left out of the statistic. Once."""

    case_id: CaseId
    reason: Said


class ReviewAppeal(Command, room="router"):
    """One of the reviewers says whether the lateness is excused."""

    case_id: CaseId
    granted: bool
    note: Note | None = None


class RecordHandling(Command, room="router"):
    """History from another system: the office replied to this case at that time."""

    case_id: CaseId
    result: Said


class RingClock(Command, room="router"):
    """Router to itself: a moment that this case waits for has come."""

    case_id: CaseId
    moment: Time


class ReadCase(Command, room="router"):
    """A question, not a decision: what the holder of the case needs to handle it."""

    case_id: CaseId
