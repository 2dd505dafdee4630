"""Changes by hand: proposed by one officer, decided by another (ledger invariant L19). Pure."""

from __future__ import annotations

from contracts.account import (
    AccountRefusal,
    AdjustmentDeclined,
    AdjustmentProposed,
    DecideAdjustment,
    PointsAdjusted,
    ProposeAdjustment,
)
from contracts.envelope import Fact, Issued
from services.points.account import Account
from services.points.awards import lot_id
from services.points.lots import to_spend
from services.points.rules import Rules, refused


def propose(issued: Issued[ProposeAdjustment], account: Account, rules: Rules) -> list[Fact]:
    """Say what should be given or taken, and why. Nothing moves yet."""
    command = issued.command
    rules.insist_on_officer(issued.actor, command.rider_id)
    if command.adjustment_id in account.adjustments:
        detail = f"{command.adjustment_id} has been proposed already; use a new id"
        raise refused(AccountRefusal.ADJUSTMENT_EXISTS, detail)
    if not command.points:
        raise refused(AccountRefusal.BAD_AMOUNT, "an adjustment gives or takes points", "points")
    return [
        AdjustmentProposed(
            rider_id=command.rider_id,
            adjustment_id=command.adjustment_id,
            points=command.points,
            reason=command.reason,
            by=issued.actor,
            note=command.note,
        )
    ]


def decide(issued: Issued[DecideAdjustment], account: Account, rules: Rules) -> list[Fact]:
    """Another officer says yes or no. Only what is available can be taken."""
    command = issued.command
    rules.insist_on_officer(issued.actor, command.rider_id)
    adjustment = account.adjustments.get(command.adjustment_id)
    if adjustment is None:
        detail = f"nobody has proposed {command.adjustment_id}"
        raise refused(AccountRefusal.UNKNOWN_ADJUSTMENT, detail)
    if adjustment.decided:
        raise refused(AccountRefusal.DECIDED_ALREADY, f"{command.adjustment_id} is decided")
    if adjustment.fact.by == issued.actor:
        detail = "another officer than the one who proposed it must decide"
        raise refused(AccountRefusal.SAME_OFFICER, detail)
    if not command.approve:
        return [
            AdjustmentDeclined(
                rider_id=command.rider_id,
                adjustment_id=command.adjustment_id,
                by=issued.actor,
                note=command.note,
            )
        ]
    return [_adjusted(adjustment.fact, issued, account, rules)]


def _adjusted(
    proposed: AdjustmentProposed,
    issued: Issued[DecideAdjustment],
    account: Account,
    rules: Rules,
) -> PointsAdjusted:
    made = PointsAdjusted(
        rider_id=proposed.rider_id,
        adjustment_id=proposed.adjustment_id,
        points=proposed.points,
        reason=proposed.reason,
        by=proposed.by,
        approved_by=issued.actor,
    )
    if proposed.points > 0:
        given = {
            "repaid": min(account.debt, proposed.points),
            "lot": lot_id(proposed.adjustment_id, "adjusted", proposed.rider_id),
            "expires_at": rules.expires_at(issued.at),
        }
        return made.model_copy(update=given)
    parts = to_spend(account.lots.values(), -proposed.points)
    if parts is None:
        detail = f"{-proposed.points} points should go and {account.available} are available"
        raise refused(AccountRefusal.NOT_ENOUGH, detail)
    return made.model_copy(update={"parts": parts})
