"""The vocabulary of a case: steps, kinds, reasons."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

Note = Annotated[str, Field(max_length=20_000)]
Said = Annotated[str, Field(min_length=1, max_length=20_000)]
"""Words that must not be missing."""


class Step(StrEnum):
    """Where a case stands."""

    NONE = "none"
    REJECTED = "rejected"
    CHECKING = "checking"
    """Reported; somebody looks before a case is opened."""
    JOINED = "joined"
    """The report is about the same thing as another, open case and gathers there."""
    DISPATCHED = "dispatched"
    """Waits until its holder accepts."""
    HANDLING = "handling"
    SUSPENDED = "suspended"
    """Nothing can be done until a season or a building work is over."""
    RESOLVED = "resolved"
    """Waits until somebody else verifies."""
    CLOSED = "closed"


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


class Task(StrEnum):
    """What the holder of a case is to do with it."""

    DISPATCH = "dispatch"
    """Find who handles it: hand it on, handle it itself, or close it."""
    HANDLE = "handle"


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
    ROLE_UNRESOLVED = "role_unresolved"
    """Nobody is known who answers for it at this place."""
    OWNERLESS = "ownerless"
    """Whose it is cannot be found: it falls to the territory."""
    BY_DISPATCHER = "by_dispatcher"
    """A street office or the triage desk decided."""
    RETURNED = "returned"
    """The unit before gave it back."""
    TRANSFERRED = "transferred"
    """The unit before handed it on directly."""
    REOPENED = "reopened"
    """It was closed and is not done."""


class ReturnReason(StrEnum):
    """Why a unit gives a case back."""

    WRONG_DEPARTMENT = "wrong_department"
    NOT_OUR_AREA = "not_our_area"
    NO_SUCH_PLACE = "no_such_place"
    NEEDS_OTHER_UNIT = "needs_other_unit"


class CancelReason(StrEnum):
    """Why a case is void."""

    OPENED_BY_MISTAKE = "opened_by_mistake"
    OUTSIDE_THE_RULES = "outside_the_rules"
    """In a place or at a time where such a thing is allowed, such as a registered building site."""
    FALSE_REPORT = "false_report"
    WITHDRAWN = "withdrawn"
    """The reporter asked for it."""


class CloseOutcome(StrEnum):
    """How a case ended. Closed is not the same as fixed."""

    FIXED = "fixed"
    """Handled, and verified by somebody else."""
    ANSWERED = "answered"
    """Replied to by the office; nobody verified a result (history from other systems)."""
    UNFOUNDED = "unfounded"
    """Looked into; there was nothing to handle."""
    NOT_OURS = "not_ours"
    """Nobody in the house answers for it; the fact names who said so."""
    CANCELLED = "cancelled"
    """Void, for a reason of the list."""


class RequestKind(StrEnum):
    """What a holder asks a dispatcher for."""

    EXTENSION = "extension"
    SUSPENSION = "suspension"


class Pace(StrEnum):
    """How a clock runs."""

    RUNNING = "running"
    """Without a break, through nights and holidays: urgent hours and natural days."""
    WORKING = "working"
    """In working hours only: work hours and work days."""


class ClockName(StrEnum):
    """Which of a case's deadlines."""

    CHECK = "check"
    """To look before a case is opened."""
    DISPATCH = "dispatch"
    """To find who handles it."""
    ACCEPT = "accept"
    """To take the case on."""
    HANDLE = "handle"
    """To resolve it: the limit of the condition."""
    VERIFY = "verify"
    """To say whether it is done."""


class PauseReason(StrEnum):
    """Why the handling clock stands still."""

    RETURNED = "returned"
    SUSPENDED = "suspended"
    VERIFICATION = "verification"
    """Waits for somebody else to look."""


class EscalationReason(StrEnum):
    """What was too much."""

    RETURNS = "returns"
    REWORKS = "reworks"
    TRANSFERS = "transfers"
    OVERDUE = "overdue"


class SeparationReason(StrEnum):
    """Why a gathered report stands by itself again."""

    BY_PERSON = "by_person"
    """Somebody has seen that it is about another thing."""
    ORIGINAL_OVER = "original_over"
    """The case that it was to join was closed, or gathered elsewhere, before it came there."""


class CaseRefusal(StrEnum):
    """Why router refuses a command on a case."""

    NO_SUCH_CASE = "no_such_case"
    NOT_YOURS = "not_yours"
    NOT_NOW = "not_now"
    """Not at the step where the case stands; the detail says what is possible instead."""
    NOT_WAITING_FOR_ACCEPTANCE = "not_waiting_for_acceptance"
    NOT_IN_HANDLING = "not_in_handling"
    NOT_WAITING_FOR_VERIFICATION = "not_waiting_for_verification"
    NOT_A_DISPATCHER = "not_a_dispatcher"
    NOT_A_HANDLING_UNIT = "not_a_handling_unit"
    NO_SUCH_UNIT = "no_such_unit"
    NO_SUCH_CONDITION = "no_such_condition"
    NOT_A_VERIFIER = "not_a_verifier"
    HANDLER_MAY_NOT_VERIFY = "handler_may_not_verify"
    REPORTER_MAY_NOT_VERIFY = "reporter_may_not_verify"
    CLAIMED_BY_ANOTHER = "claimed_by_another"
    PHOTO_NEEDED = "photo_needed"
    NOTHING_CORRECTED = "nothing_corrected"
    REQUEST_PENDING = "request_pending"
    """The dispatcher has not yet answered what was asked before."""
    NO_REQUEST = "no_request"
    TOO_MANY = "too_many"
    """As often as the rules allow already."""
    TOO_LATE = "too_late"
    """The deadline, or the window for this, has passed."""
    BAD_TIME = "bad_time"
    """The time that is asked for is not one that can be given."""
    NOT_SUPPORTING = "not_supporting"
    ALREADY_CLOSED = "already_closed"
    ALREADY_JOINED = "already_joined"
    """It gathers under another case: that one is to be acted on."""
    NOT_ONE_CASE = "not_one_case"
    """A case cannot join itself, or one that is over or gathered itself."""
    ALREADY_APPEALED = "already_appealed"
    NOT_LATE = "not_late"
    REVIEWER_MAY_NOT = "reviewer_may_not"
    """Reviewed already, or party to the matter."""
    ONLY_HISTORY = "only_history"
