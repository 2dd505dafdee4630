"""What can be asked of points about an account, and what the house asks of itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.account.words import (
    AdjustmentReason,
    Amount,
    Change,
    GrantKind,
    ReversalReason,
    Standing,
)
from contracts.envelope import CaseId, Command, Id, PartyId, ReportId, RiderId, ServiceCode, Time


class AwardPoints(Command, room="points"):
    """Award the points of a report whose case was closed as fixed."""

    rider_id: RiderId
    platform: PartyId
    report_id: ReportId
    case_id: CaseId
    service_code: ServiceCode | None = None
    condition: Id | None = None
    """The exact state that made the case."""
    area: Id | None = None
    standing: Standing = Standing.FIRST
    place: Amount = 0
    """0 for the first reporter, then the confirmers as they came."""
    reported_at: Time | None = None
    """When it was reported; None: the moment of the award stands in."""


class GrantPoints(Command, room="points"):
    """An officer grants what the earning document gives for an act or an honour."""

    rider_id: RiderId
    kind: GrantKind
    code: Id
    """Of the act or the honour in the earning document."""
    occasion: Id
    """Which act, which month: the same occasion grants a rider the same thing once."""
    done_at: Time | None = None
    """When it was done; None: now."""


class ActivateLot(Command, room="points"):
    """The pending window of a lot is over. The house gives it to itself."""

    rider_id: RiderId
    lot: Id


class ExpireLot(Command, room="points"):
    """The time of a lot is over. The house gives it to itself."""

    rider_id: RiderId
    lot: Id


class ReversePoints(Command, room="points"):
    """Take back what a report earned a rider, or what a lot was. An officer says so.

    The rider may appeal. The house itself does so for a case that turns out to be unfounded.
    """

    rider_id: RiderId
    report_id: ReportId | None = None
    """All that this report earned; or else"""
    lot: Id | None = None
    """this lot alone."""
    reason: ReversalReason
    note: Annotated[str, Field(min_length=1, max_length=2000)] | None = None


class AppealReversal(Command, room="points"):
    """The rider says that a reversal was wrong. Their platform hands it in."""

    rider_id: RiderId
    reversal_id: Id
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class DecideReversalAppeal(Command, room="points"):
    """Another officer than the one who reversed looks at it again."""

    rider_id: RiderId
    reversal_id: Id
    granted: bool
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class ProposeAdjustment(Command, room="points"):
    """An officer proposes to give or take points by hand."""

    rider_id: RiderId
    adjustment_id: Id
    points: Change
    reason: AdjustmentReason
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class DecideAdjustment(Command, room="points"):
    """Another officer than the proposer says yes or no."""

    rider_id: RiderId
    adjustment_id: Id
    approve: bool
    note: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
