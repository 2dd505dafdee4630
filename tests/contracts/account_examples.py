"""One believable example of every fact about points and roles."""

from __future__ import annotations

from datetime import datetime

from contracts import account as a
from contracts.envelope import Fact
from contracts.party import RoleEnded, RoleGiven, RoleName
from tests.contracts.case_examples import OTHER, PLATFORM, REPORT, RIDER, RULES

SEEN = datetime.fromisoformat("2026-10-17T18:42:05+08:00")
ACTIVE = datetime.fromisoformat("2026-10-25T09:00:00+08:00")
ENDS = datetime.fromisoformat("2027-10-25T09:00:00+08:00")
LOT = "6f0c1d0c6d0f5bb3a2f3b7a1f7a0c9d4"
OLDER = "0b7d0a1e4c6f5d0e9a8b7c6d5e4f3a2b"
OFFICER = "points-officer"

INPUTS = a.Inputs(
    reported_at=SEEN,
    day="2026-10-17",
    standing=a.Standing.CONFIRMER,
    place=1,
    area="taoyuan-01",
    base=5,
    percent=40,
    role=None,
    counted=(
        a.Counted(cap=a.CapName.RIDER_DAY, before=12, limit=60),
        a.Counted(cap=a.CapName.CLUSTER, before=5, limit=10),
    ),
)
HELD = (a.LotPart(lot=OLDER, points=3), a.LotPart(lot=LOT, points=2))


def after(version: int, pending: int, available: int, held: int = 0, debt: int = 0) -> a.Balances:
    return a.Balances(version=version, pending=pending, available=available, held=held, debt=debt)


ACCOUNT_EXAMPLES: tuple[Fact, ...] = (
    a.PointsAwarded(
        rider_id=RIDER,
        platform=PLATFORM,
        report_id=REPORT,
        case_id=REPORT,
        service_code="exposed-garbage",
        points=5,
        condition="exposed-garbage-heap",
        rule="condition:exposed-garbage-heap",
        rulebook=RULES,
        lot=LOT,
        activates_at=ACTIVE,
        lifetime_days=365,
        inputs=INPUTS,
        after=after(7, 5, 12),
    ),
    a.PointsWithheld(
        rider_id=RIDER,
        platform=PLATFORM,
        report_id=OTHER,
        case_id=REPORT,
        service_code="exposed-garbage",
        condition="exposed-garbage-heap",
        rule="condition:exposed-garbage-heap",
        rulebook=RULES,
        caps=(a.CapName.ONCE_A_CASE,),
        inputs=INPUTS,
    ),
    a.PointsGranted(
        rider_id=RIDER,
        kind=a.GrantKind.ACT,
        occasion="exam-escort-2026-06-07",
        points=10,
        rule="act:exam-escort",
        rulebook=RULES,
        by=OFFICER,
        lot=OLDER,
        activates_at=SEEN,
        lifetime_days=365,
        inputs=INPUTS,
        after=after(8, 15, 12),
    ),
    a.PointsActivated(
        rider_id=RIDER, lot=LOT, points=5, repaid=2, expires_at=ENDS, after=after(9, 10, 15)
    ),
    a.PointsExpired(rider_id=RIDER, lot=OLDER, points=4, expired_at=ENDS, after=after(10, 10, 11)),
    a.PointsHeld(
        rider_id=RIDER,
        hold_id="redemption-17",
        item="umbrella",
        points=5,
        parts=HELD,
        after=after(11, 10, 6, held=5),
    ),
    a.PointsReleased(
        rider_id=RIDER,
        hold_id="redemption-17",
        item="umbrella",
        points=5,
        parts=HELD,
        because=a.ReleaseReason.CANCELLED,
        after=after(12, 10, 11),
    ),
    a.PointsRedeemed(
        rider_id=RIDER,
        hold_id="redemption-18",
        item="umbrella",
        points=5,
        parts=HELD,
        after=after(14, 10, 6),
    ),
    a.DebtRepaid(rider_id=RIDER, points=3, parts=HELD[:1], after=after(15, 10, 3)),
    a.PointsReversed(
        rider_id=RIDER,
        reversal_id="reversal-01KAJ6",
        lot=LOT,
        report_id=REPORT,
        case_id=REPORT,
        reason=a.ReversalReason.FRAUD,
        points=5,
        pending=HELD[1:],
        available=HELD[:1],
        by=OFFICER,
        appeal_until=ENDS,
        note="同一张照片三次上报",
        after=after(16, 8, 0),
    ),
    a.ReversalAppealed(
        rider_id=RIDER,
        reversal_id="reversal-01KAJ6",
        platform=PLATFORM,
        note="三次是三处，照片不一样",
    ),
    a.ReversalUpheld(
        rider_id=RIDER, reversal_id="reversal-01KAJ6", by="second-officer", note="照片一致"
    ),
    a.PointsRestored(
        rider_id=RIDER,
        reversal_id="reversal-01KAJ6",
        points=5,
        repaid=1,
        lot="restored-reversal-01KAJ6",
        expires_at=ENDS,
        by="second-officer",
        note="核实：是三处",
        after=after(17, 8, 4),
    ),
    a.AdjustmentProposed(
        rider_id=RIDER,
        adjustment_id="adjustment-9",
        points=-4,
        reason=a.AdjustmentReason.CORRECTION,
        by=OFFICER,
        note="重复录入",
    ),
    a.PointsAdjusted(
        rider_id=RIDER,
        adjustment_id="adjustment-9",
        points=-4,
        reason=a.AdjustmentReason.CORRECTION,
        by=OFFICER,
        approved_by="second-officer",
        parts=(a.LotPart(lot=LOT, points=4),),
        after=after(18, 8, 0),
    ),
    a.AdjustmentDeclined(
        rider_id=RIDER, adjustment_id="adjustment-10", by="second-officer", note="没有依据"
    ),
    a.AwardCounted(
        cap_id="cluster-0b7d0a1e4c6f5d0e",
        cap=a.CapName.CLUSTER,
        of=REPORT,
        rider_id=RIDER,
        report_id=REPORT,
        points=5,
        limit=10,
    ),
    RoleGiven(
        party_id=RIDER,
        role=RoleName.GRID_MEMBER,
        first=SEEN,
        last=ENDS,
        by="taoyuan-street",
    ),
    RoleEnded(party_id=RIDER, role=RoleName.GRID_MEMBER, at=ACTIVE, by="taoyuan-street"),
)
"""Personal fields are plain here; they are sealed on the way into a golden file."""
