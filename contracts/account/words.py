"""What the facts of an account are told with: reasons, limits, lots, balances."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Fact, Id, Time
from contracts.party import RoleName

MOST_POINTS: Final = 1_000_000
"""The most that one entry moves."""
Points = Annotated[int, Field(gt=0, le=MOST_POINTS, strict=True)]
"""Whole points, more than none (ledger invariant L2)."""
Amount = Annotated[int, Field(ge=0, strict=True)]
"""Whole points, perhaps none."""
Change = Annotated[int, Field(ge=-MOST_POINTS, le=MOST_POINTS, strict=True)]
"""Whole points to be given (more than none) or taken (less)."""


class AccountRefusal(StrEnum):
    """Why points refuses."""

    NO_EARNING_RULE = "no_earning_rule"
    NOT_ENOUGH = "not_enough"
    NOT_AN_OFFICER = "not_an_officer"
    YOUR_OWN = "your_own"
    """No officer decides on points of their own (ledger invariant L19)."""
    SAME_OFFICER = "same_officer"
    """Two officers are needed, and this is the same one again (ledger invariant L19)."""
    NOT_YOUR_RIDER = "not_your_rider"
    UNKNOWN_LOT = "unknown_lot"
    UNKNOWN_HOLD = "unknown_hold"
    HOLD_RESOLVED = "hold_resolved"
    """A hold is posted or released, once (ledger invariant L7)."""
    HOLD_EXISTS = "hold_exists"
    MORE_THAN_HELD = "more_than_held"
    NOTHING_LEFT = "nothing_left"
    UNKNOWN_REVERSAL = "unknown_reversal"
    APPEAL_TOO_LATE = "appeal_too_late"
    NOT_APPEALED = "not_appealed"
    APPEALED_ALREADY = "appealed_already"
    DECIDED_ALREADY = "decided_already"
    UNKNOWN_ADJUSTMENT = "unknown_adjustment"
    ADJUSTMENT_EXISTS = "adjustment_exists"
    BAD_AMOUNT = "bad_amount"
    LIMIT_REACHED = "limit_reached"
    NOT_AN_EARN = "not_an_earn"


class Standing(StrEnum):
    """As what a report earns."""

    FIRST = "first"
    """The first to report what the case is about."""
    CONFIRMER = "confirmer"
    """Reported the same thing after others did."""


class CapName(StrEnum):
    """What limits how much can be earned (ledger invariant L23)."""

    RIDER_DAY = "rider_day"
    RIDER_MONTH = "rider_month"
    PLACE_DAY = "place_day"
    CLUSTER = "cluster"
    """All reports of one case together."""
    CONFIRMERS = "confirmers"
    """How many confirmers of a case earn."""
    ONCE_A_CASE = "once_a_case"
    """A rider earns once for a case, however many reports they sent."""
    ACT_MONTH = "act_month"
    """How often one kind of act earns a rider points in a month."""


class GrantKind(StrEnum):
    """What an officer grants points for."""

    ACT = "act"
    """A volunteer act of the earning document."""
    HONOUR = "honour"
    """An award of the earning document, such as rider of the month."""


class ReleaseReason(StrEnum):
    """Why held points go back."""

    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Not used in time."""
    DECLINED = "declined"
    REMAINDER = "remainder"
    """Less was spent than had been held."""


class ReversalReason(StrEnum):
    """Why points are taken back."""

    FRAUD = "fraud"
    """The report was false, or made for the points."""
    CASE_REOPENED = "case_reopened"
    """The result that earned the points did not hold."""
    CASE_VOID = "case_void"
    MISTAKE = "mistake"


class AdjustmentReason(StrEnum):
    """Why points are given or taken by hand."""

    CORRECTION = "correction"
    GOODWILL = "goodwill"
    MIGRATION = "migration"


class Balances(BaseModel):
    """Where a rider's account stands."""

    model_config = ConfigDict(frozen=True)

    version: Amount
    """How many entries there are, without gaps (ledger invariant L15)."""
    pending: Amount
    available: Amount
    held: Amount
    debt: Amount
    """What is owed, repaid first by what is earned later (ledger invariant L11)."""


class LotPart(BaseModel):
    """So many points of a lot."""

    model_config = ConfigDict(frozen=True)

    lot: Id
    points: Points


class Counted(BaseModel):
    """What a limit had counted before, and where it ends."""

    model_config = ConfigDict(frozen=True)

    cap: CapName
    before: Amount
    limit: Amount


class Inputs(BaseModel):
    """All that an award was worked out from, beside the rules."""

    model_config = ConfigDict(frozen=True)

    reported_at: Time
    """By when the role and the day of the limits are judged."""
    day: str
    """The day of the limits in the district's time zone, `2026-05-03`."""
    standing: Standing = Standing.FIRST
    place: Amount = 0
    """0 for the first reporter, then the confirmers as they came."""
    area: Id | None = None
    base: Amount
    """What the rule gives in full."""
    percent: Annotated[int, Field(ge=0, le=1000, strict=True)] = 100
    """The share of it, by standing or as a role's bonus."""
    role: RoleName | None = None
    """The role that a bonus is for, as it was held at the time of the report."""
    counted: tuple[Counted, ...] = ()


class Entry(Fact):
    """A fact that moves points."""

    after: Balances | None = None
    """Where the account stands after it; None in facts older than that."""
