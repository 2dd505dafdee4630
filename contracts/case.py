"""Stream `case.<id>`: the official file. Opened, dispatched, handled, verified, closed.

Written by router. The id of a case is the id of the report that opened it. Terms follow the
closed loop of digital urban management (collect, open, dispatch, handle, report back, check,
evaluate); the handling unit never closes its own case.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import (
    CaseId,
    Command,
    Fact,
    Id,
    PartyId,
    Personal,
    Reason,
    ReportId,
    RiderId,
    ServiceCode,
    Time,
    UnitCode,
    Words,
)
from contracts.report import Position

Note = Annotated[str, Field(max_length=20_000)]


class UnitKind(StrEnum):
    """What a unit is there for."""

    STREET = "street"
    """A street office: takes the order for its territory and dispatches it."""
    DEPARTMENT = "department"
    """Handles."""
    TRIAGE = "triage"
    """The staffed desk for what no rule could place."""
    INSPECTION = "inspection"
    """Verifies results; handles nothing."""


class Why(StrEnum):
    """By which rule a unit holds the case."""

    STREET_FIRST = "street_first"
    """The area's street office takes the order first."""
    DIRECT_BY_SERVICE = "direct_by_service"
    """This service goes straight to its department."""
    DIRECT_BY_AREA = "direct_by_area"
    """In this area orders go straight to the department."""
    SERVICE_MISSING = "service_missing"
    SERVICE_UNKNOWN = "service_unknown"
    PLACE_MISSING = "place_missing"
    PLACE_UNKNOWN = "place_unknown"
    BY_DISPATCHER = "by_dispatcher"
    """A street office or the triage desk decided."""
    RETURNED = "returned"
    """The unit before gave it back."""


class ReturnReason(StrEnum):
    """Why a unit gives a case back."""

    WRONG_DEPARTMENT = "wrong_department"
    NOT_OUR_AREA = "not_our_area"
    NO_SUCH_PLACE = "no_such_place"
    NEEDS_OTHER_UNIT = "needs_other_unit"


class CloseOutcome(StrEnum):
    """How a case ended. Closed is not the same as fixed."""

    FIXED = "fixed"
    """Handled, and verified by somebody else."""
    ANSWERED = "answered"
    """Replied to by the office; nobody verified a result (history from other systems)."""
    UNFOUNDED = "unfounded"
    """Looked into; there was nothing to handle."""


class CaseRefusal(StrEnum):
    """Why router refuses a command on a case."""

    NO_SUCH_CASE = "no_such_case"
    NOT_YOURS = "not_yours"
    NOT_WAITING_FOR_ACCEPTANCE = "not_waiting_for_acceptance"
    NOT_IN_HANDLING = "not_in_handling"
    NOT_WAITING_FOR_VERIFICATION = "not_waiting_for_verification"
    NOT_A_DISPATCHER = "not_a_dispatcher"
    NOT_A_HANDLING_UNIT = "not_a_handling_unit"
    NO_SUCH_UNIT = "no_such_unit"
    NOT_A_VERIFIER = "not_a_verifier"
    HANDLER_MAY_NOT_VERIFY = "handler_may_not_verify"
    REPORTER_MAY_NOT_VERIFY = "reporter_may_not_verify"
    ALREADY_CLOSED = "already_closed"
    ONLY_HISTORY = "only_history"


class OpenCase(Command, room="router"):
    """Open a case for an accepted report, or say why not."""

    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    service_code: ServiceCode | None = None
    position: Position | None = None


class AcceptWork(Command, room="router"):
    """The unit that was given the case takes it on."""

    case_id: CaseId


class DispatchCase(Command, room="router"):
    """A street office or the triage desk hands the case to the department that is to handle it."""

    case_id: CaseId
    unit: UnitCode
    service_code: ServiceCode | None = None
    """Corrects the kind of hazard, where the dispatcher knows better."""


class ReturnWork(Command, room="router"):
    """The department says: not ours. The case goes back to a dispatcher."""

    case_id: CaseId
    reason: ReturnReason
    note: Note | None = None


class ResolveWork(Command, room="router"):
    """The department says: done, and how."""

    case_id: CaseId
    result: Annotated[str, Field(min_length=1, max_length=20_000)]
    photo: str | None = Field(default=None, max_length=500)


class VerifyWork(Command, room="router"):
    """Somebody who did not handle it says whether it is done."""

    case_id: CaseId
    passed: bool
    note: Note | None = None


class CloseCase(Command, room="router"):
    """The dispatcher who holds the case ends it: there was nothing to handle."""

    case_id: CaseId
    note: Annotated[str, Field(min_length=1, max_length=20_000)]


class RecordHandling(Command, room="router"):
    """History from another system: the office replied to this case at that time."""

    case_id: CaseId
    result: Annotated[str, Field(min_length=1, max_length=20_000)]


class ReadCase(Command, room="router"):
    """A question, not a decision: what the holder of the case needs to handle it."""

    case_id: CaseId


class CaseOpened(Fact, stream="case"):
    """There is a case, and where it lies."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    service_code: ServiceCode | None = None
    position: Position | None = None
    area: Id | None = None
    street: UnitCode | None = None
    rulebook: str
    """`<name>@<version>` of the rules that decided."""


class CaseRejected(Fact, stream="case"):
    """No case is opened for the report, with every reason. The report itself stays."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    service_code: ServiceCode | None = None
    reasons: tuple[Reason, ...]
    rulebook: str


class CaseDispatched(Fact, stream="case"):
    """One unit is accountable for the case from now on."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    unit_kind: UnitKind
    dispatch: int
    """Counts the handovers of this case, from 1."""
    service_code: ServiceCode | None = None
    area: Id | None = None
    why: Why
    explanation: Words
    """The rule in words that a clerk reads."""
    suggested: UnitCode | None = None
    """The department that the rules would choose, for a dispatcher's eyes."""
    due_at: Time
    rulebook: str


class WorkAccepted(Fact, stream="case"):
    """The holder has taken the case on."""

    case_id: CaseId
    unit: UnitCode


class WorkReturned(Fact, stream="case"):
    """The department says: not ours."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    reason: ReturnReason
    returns: int
    """How often this case has been returned by now."""
    note: Personal[str] | None = None


class CaseEscalated(Fact, stream="case"):
    """Returned or reworked too often: somebody above must look."""

    case_id: CaseId
    returns: int
    reworks: int
    level: int


class WorkResolved(Fact, stream="case"):
    """The department reports its result. Whether it is fixed, somebody else says."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    result: Personal[str]
    photo: Personal[str] | None = None


class WorkVerified(Fact, stream="case"):
    """Somebody other than the handler has seen that it is done."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    verifier: PartyId
    note: Personal[str] | None = None


class ReworkOrdered(Fact, stream="case"):
    """Somebody other than the handler has seen that it is not done: back to the same unit."""

    case_id: CaseId
    rider_id: RiderId
    unit: UnitCode
    verifier: PartyId
    reworks: int
    """How often this case has been sent back by now."""
    note: Personal[str] | None = None


class CaseClosed(Fact, stream="case"):
    """The file is closed."""

    case_id: CaseId
    report_id: ReportId
    rider_id: RiderId
    platform: PartyId
    unit: UnitCode | None = None
    service_code: ServiceCode | None = None
    outcome: CloseOutcome
    note: Personal[str] | None = None


class WorkOrder(BaseModel):
    """What stands on `work.<unit>`: one case for one unit. Derived from the log; safe to get twice.

    It names nobody: the holder asks for the words of the report with `ReadCase`.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    """`<case id>.<dispatch>`, or `<case id>.r<rework>` for a rework."""
    case_id: CaseId
    unit: UnitCode
    kind: str
    """`handle` or `rework`."""
    service_code: ServiceCode | None
    position: Position | None
    area: Id | None
    due_at: Time
    why: Why
    explanation: Words
    suggested: UnitCode | None
    sequence: int
    """The fact in the log that this order follows from."""


class CaseFile(BaseModel):
    """The answer to `ReadCase`."""

    model_config = ConfigDict(frozen=True)

    case_id: CaseId
    state: str
    unit: UnitCode | None
    service_code: ServiceCode | None
    position: Position | None
    due_at: Time | None
    seen_at: Time | None
    title: str | None
    text: str | None
    """None once the reporter is erased."""
    photo: str | None
