"""What a fact about points says, in Chinese. Pure."""

from __future__ import annotations

from contracts import account as a
from contracts.envelope import Fact


def points_in_chinese(fact: Fact) -> str:
    """What has happened to a rider's points."""
    match fact:
        case a.PointsAwarded(points=points) | a.PointsGranted(points=points):
            return f"骑手积分 +{points}"
        case a.PointsWithheld():
            return "本次不计积分：已达上限"
        case a.PointsActivated(points=points):
            return f"积分生效 {points}"
        case a.PointsExpired(points=points):
            return f"积分到期 −{points}"
        case a.PointsHeld(points=points):
            return f"兑换冻结积分 {points}"
        case a.PointsReleased(points=points):
            return f"冻结积分退回 {points}"
        case a.PointsRedeemed(points=points):
            return f"兑换使用积分 {points}"
        case a.DebtRepaid(points=points):
            return f"抵还欠分 {points}"
        case a.AwardCounted(points=points):
            return f"计入上限 {points}"
        case _:
            return _set_right(fact)


def _set_right(fact: Fact) -> str:
    match fact:
        case a.PointsReversed(points=points):
            return f"扣回积分 {points}"
        case a.ReversalAppealed():
            return "骑手对扣分提出申诉"
        case a.ReversalUpheld():
            return "复核：维持扣分"
        case a.PointsRestored(points=points):
            return f"申诉成立，恢复积分 {points}"
        case a.AdjustmentProposed(points=points):
            return f"提出积分更正 {points:+}"
        case a.PointsAdjusted(points=points):
            return f"积分更正 {points:+}"
        case a.AdjustmentDeclined():
            return "积分更正未通过"
        case _:
            raise TypeError(f"{type(fact).__name__} says nothing about points")
