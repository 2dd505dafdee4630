"""Taking points back, and what the rider may say to that. Pure.

A reversal is an entry of its own: at most one for a lot, none of a reversal (ledger invariant L8).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from contracts.account import (
    AccountRefusal,
    AppealReversal,
    DecideReversalAppeal,
    PointsRestored,
    PointsReversed,
    ReversalAppealed,
    ReversalReason,
    ReversalUpheld,
    ReversePoints,
)
from contracts.envelope import Fact, Issued
from services.points.account import Account, Reversal, evolve
from services.points.awards import lot_id
from services.points.lots import Lot, to_reverse
from services.points.postings import points_of
from services.points.rules import Rules, refused

HOUSE: Final = "points"
"""The room itself, which takes back what a case earned that turns out to be unfounded."""


def reverse(issued: Issued[ReversePoints], account: Account, rules: Rules) -> list[Fact]:
    """Take back what a report earned, or a lot; nothing when it has been taken back."""
    command = issued.command
    if issued.actor != HOUSE or command.reason is not ReversalReason.CASE_VOID:
        rules.insist_on_officer(issued.actor, command.rider_id)
    facts: list[Fact] = []
    meant = [lot for lot in _meant(command, account) if lot.lot not in account.reversals]
    for lot in meant:
        pending, available, owed = to_reverse(account.lots, lot.lot)
        points = points_of(pending) + points_of(available) + owed
        if not points:
            continue
        taken = PointsReversed(
            rider_id=command.rider_id,
            reversal_id=lot.lot,
            lot=lot.lot,
            report_id=lot.report_id,
            case_id=lot.case_id,
            reason=command.reason,
            points=points,
            pending=pending,
            available=available,
            debt=owed,
            by=issued.actor,
            appeal_until=issued.at + timedelta(days=rules.earning.appeal_days),
            note=command.note,
        )
        account = evolve(account, taken)
        facts.append(taken)
    if meant and not facts:
        raise refused(AccountRefusal.NOTHING_LEFT, "all of it has expired")
    return facts


def _meant(command: ReversePoints, account: Account) -> Sequence[Lot]:
    """The lots that a command means. Raises `Refused` where there is none."""
    if (command.report_id is None) == (command.lot is None):
        detail = "name a report or a lot: one of the two"
        raise refused(AccountRefusal.UNKNOWN_LOT, detail, "report_id")
    found = [
        lot
        for lot in account.lots.values()
        if lot.lot == command.lot or (command.report_id and lot.report_id == command.report_id)
    ]
    if not found:
        named = command.lot or command.report_id
        detail = f"{named} has earned {command.rider_id} nothing"
        raise refused(AccountRefusal.UNKNOWN_LOT, detail)
    if any(lot.by_hand for lot in found):
        detail = "what was given by hand is set right by hand: propose an adjustment"
        raise refused(AccountRefusal.NOT_AN_EARN, detail)
    return found


def appeal(issued: Issued[AppealReversal], account: Account, rules: Rules) -> list[Fact]:
    """The rider's platform, or the rider, says that it was wrong: once, and in time."""
    command = issued.command
    if issued.actor not in (command.rider_id, rules.parties.platform_of(command.rider_id)):
        detail = f"{command.rider_id} is not a rider of {issued.actor}"
        raise refused(AccountRefusal.NOT_YOUR_RIDER, detail)
    reversal = _reversal(account, command.reversal_id)
    if reversal.appealed:
        detail = f"{command.reversal_id} has been appealed; another officer decides"
        raise refused(AccountRefusal.APPEALED_ALREADY, detail)
    until = reversal.fact.appeal_until
    if until is not None and issued.at > until:
        detail = f"appeals were taken until {until.isoformat()}"
        raise refused(AccountRefusal.APPEAL_TOO_LATE, detail)
    return [
        ReversalAppealed(
            rider_id=command.rider_id,
            reversal_id=command.reversal_id,
            platform=issued.actor,
            note=command.note,
        )
    ]


def decide_appeal(
    issued: Issued[DecideReversalAppeal], account: Account, rules: Rules
) -> list[Fact]:
    """Another officer than the one who took back looks again: it stands, or the points come back.

    They come as a new lot, active at once; what is owed is repaid from it first.
    """
    command, at = issued.command, issued.at
    rules.insist_on_officer(issued.actor, command.rider_id)
    reversal = _reversal(account, command.reversal_id)
    if not reversal.appealed:
        raise refused(AccountRefusal.NOT_APPEALED, f"nobody has appealed {command.reversal_id}")
    if reversal.decided:
        raise refused(AccountRefusal.DECIDED_ALREADY, f"{command.reversal_id} is decided")
    if reversal.fact.by == issued.actor:
        detail = "another officer than the one who took the points back must decide"
        raise refused(AccountRefusal.SAME_OFFICER, detail)
    if not command.granted:
        return [
            ReversalUpheld(
                rider_id=command.rider_id,
                reversal_id=command.reversal_id,
                by=issued.actor,
                note=command.note,
            )
        ]
    points = reversal.fact.points
    return [
        PointsRestored(
            rider_id=command.rider_id,
            reversal_id=command.reversal_id,
            points=points,
            repaid=min(account.debt, points),
            lot=lot_id(command.reversal_id, "restored", command.rider_id),
            expires_at=rules.expires_at(at),
            by=issued.actor,
            note=command.note,
        )
    ]


def _reversal(account: Account, reversal_id: str) -> Reversal:
    found = account.reversals.get(reversal_id)
    if found is None:
        detail = f"nothing was taken back under {reversal_id}"
        raise refused(AccountRefusal.UNKNOWN_REVERSAL, detail)
    return found
