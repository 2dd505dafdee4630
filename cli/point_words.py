"""What a fact about points says, in one plain sentence. Pure."""

from __future__ import annotations

from contracts import account as a
from contracts.envelope import Fact


def told_of_points(fact: Fact) -> str:
    """What has happened to a rider's points, or what a shared limit has counted."""
    match fact:
        case a.PointsAwarded(points=points, rider_id=rider, rule=rule):
            return f"{rider} earns {points} points by {rule}"
        case a.PointsWithheld(rider_id=rider, caps=caps):
            return f"{rider} earns nothing: {', '.join(caps)}"
        case a.PointsGranted(points=points, rider_id=rider, rule=rule, by=by):
            return f"{by} grants {rider} {points} points by {rule}"
        case a.PointsActivated(points=points, rider_id=rider, repaid=repaid):
            owed = f"; {repaid} of them repay what was owed" if repaid else ""
            return f"{points} points of {rider} can be spent{owed}"
        case a.PointsExpired(points=points, rider_id=rider):
            return f"{points} points of {rider} expire"
        case a.AwardCounted(cap=cap, of=of, points=points):
            return f"{points} points count towards {cap} of {of}"
        case _:
            return _moved(fact)


def _moved(fact: Fact) -> str:
    match fact:
        case a.PointsHeld(points=points, rider_id=rider, item=item):
            return f"{points} points of {rider} are held for {item}"
        case a.PointsReleased(points=points, rider_id=rider, because=because):
            return f"{points} held points go back to {rider} ({because})"
        case a.PointsRedeemed(points=points, rider_id=rider, item=item):
            return f"{rider} spends {points} points on {item}"
        case a.DebtRepaid(points=points, rider_id=rider):
            return f"{rider} repays {points} points"
        case a.PointsReversed(points=points, rider_id=rider, reason=reason, by=by, debt=debt):
            owed = f", {debt} of them are owed" if debt else ""
            return f"{by} takes {points} points back from {rider} ({reason}){owed}"
        case _:
            return _decided(fact)


def _decided(fact: Fact) -> str:
    match fact:
        case a.ReversalAppealed(platform=platform):
            return f"{platform} contests that points were taken back"
        case a.ReversalUpheld(by=by):
            return f"{by} upholds that points were taken back"
        case a.PointsRestored(points=points, rider_id=rider, by=by):
            return f"{by} gives {points} points back to {rider}"
        case a.AdjustmentProposed(points=points, rider_id=rider, by=by, reason=reason):
            return f"{by} proposes {points:+} points for {rider} ({reason})"
        case a.PointsAdjusted(points=points, rider_id=rider, approved_by=officer):
            return f"{officer} approves {points:+} points for {rider}"
        case a.AdjustmentDeclined(by=by):
            return f"{by} declines the adjustment"
        case _:
            raise TypeError(f"{type(fact).__name__} says nothing about points")
