"""The invariants of the ledger, by their numbers (docs/ledger.md). Pure.

`broken` judges one step of one account: what is true before it and of all that it touched is true
after it. `unsound` judges a whole account at rest, without trusting any step before. A fact that
breaks an invariant is named by the first step at which it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts import account as a
from contracts.envelope import Fact
from services.points import lots as of_lots
from services.points import postings
from services.points.account import Account
from services.points.awards import lot_id, points_by
from services.points.lots import Lot
from services.points.postings import Transfer


@dataclass(frozen=True, slots=True)
class Step:
    """One fact, when it happened, and the account before and after it."""

    before: Account
    fact: Fact
    after: Account
    at: datetime
    moves: tuple[Transfer, ...]
    """What the fact moves."""

    @classmethod
    def of(cls, before: Account, fact: Fact, after: Account, at: datetime) -> Step:
        """A step, with what it moves."""
        return cls(before, fact, after, at, postings.transfers(fact))


Broken = tuple[str, str]
"""The number of an invariant, and what is wrong."""


def broken(step: Step) -> Iterator[Broken]:
    """Every invariant that does not hold after a step, though it may have held before."""
    fact, after = step.fact, step.after
    if isinstance(fact, a.Entry):
        yield from _conserved(step)
        yield from _floors(step)
        yield from _lots_follow(step)
        if (says := fact.after) is not None and (
            says.version != after.version
            or says.pending != after.pending
            or says.available != after.available
            or says.held != after.held
            or says.debt != after.debt
        ):
            yield "L15", f"says {_words(says)}, and the entries give {_words(after.after)}"
        if after.debt > 0 and after.available > 0:
            yield "L11", f"{after.debt} are owed while {after.available} can be spent"
    if (judge := _OF.get(type(fact))) is not None:
        yield from judge(step, fact)


def unsound(account: Account) -> Iterator[Broken]:
    """Every invariant that an account breaks as it stands."""
    if sum(account.balances.values()):
        yield "L1", f"the balances sum to {sum(account.balances.values())}"
    for name, balance in account.balances.items():
        yield from _floor(name, balance)
    lots = account.lots.values()
    for lot in lots:
        yield from _lot_adds_up(lot)
    active = sum(lot.free + lot.held for lot in lots if not lot.pending)
    if active != account.available + account.held:
        yield "L9", f"active lots hold {active}, not {account.available} and {account.held}"
    if (waiting := sum(lot.free for lot in lots if lot.pending)) != account.pending:
        yield "L9", f"pending lots hold {waiting}, not {account.pending}"
    held = sum(part.points for hold in account.holds.values() for part in hold.parts)
    if held != account.held:
        yield "L7", f"open holds have {held} of {account.held} that are held"
    if account.debt > 0 and account.available > 0:
        yield "L11", f"{account.debt} are owed while {account.available} can be spent"


def _conserved(step: Step) -> Iterator[Broken]:
    moved = sum(step.after.balances.values()) - sum(step.before.balances.values())
    if moved:
        yield "L1", f"the balances changed by {moved} in all"
    if not step.moves:
        yield "L2", "an entry that moves nothing"
    if step.after.version != step.before.version + 1:
        yield "L15", f"version {step.after.version} follows {step.before.version}"


def _floors(step: Step) -> Iterator[Broken]:
    for transfer in step.moves:
        for name in (transfer.source, transfer.target):
            yield from _floor(name, step.after.balances.get(name, 0))


def _floor(name: str, balance: int) -> Iterator[Broken]:
    if balance < 0 and not postings.may_be_negative(name):
        yield "L3", f"{name} stands at {balance}"
    if balance > 0 and (name.endswith(":debt") or name.startswith("issue:")):
        yield "L3", f"{name} stands at {balance}, above nothing"


def _lots_follow(step: Step) -> Iterator[Broken]:
    """The lots changed by as much as the balances did."""
    free = held = waiting = 0
    for name in dict.fromkeys(of_lots.touched(step.fact)):
        before, after = step.before.lots.get(name), step.after.lots.get(name)
        if after is None:
            yield "L9", f"lot {name} is not known"
            continue
        yield from _lot_adds_up(after)
        for lot, sign in ((before, -1), (after, 1)):
            if lot is not None:
                held += sign * lot.held
                free += sign * lot.free * (not lot.pending)
                waiting += sign * lot.free * lot.pending
    for name, moved, was, now in (
        ("available", free, step.before.available, step.after.available),
        ("held", held, step.before.held, step.after.held),
        ("pending", waiting, step.before.pending, step.after.pending),
    ):
        if moved != now - was:
            yield "L9", f"{name} changed by {now - was}, its lots by {moved}"


def _lot_adds_up(lot: Lot) -> Iterator[Broken]:
    if min(lot.free, lot.held, lot.spent, lot.expired, lot.repaid, lot.taken) < 0:
        yield "L9", f"lot {lot.lot} has less than nothing somewhere: {lot}"
    if lot.free + lot.held + lot.gone != lot.points:
        yield "L9", f"lot {lot.lot} had {lot.points} points and accounts for another number: {lot}"


def _awarded(step: Step, fact: a.PointsAwarded) -> Iterator[Broken]:
    yield from _new_lot(step, of_lots.lot_of(fact))
    if fact.lot is not None and fact.lot != lot_id(fact.report_id, fact.rule, fact.rider_id):
        yield "L4", f"lot {fact.lot} does not follow from report, rule and rider"
    if fact.inputs is not None and points_by(fact.inputs) != fact.points:
        yield "L22", f"its inputs give {points_by(fact.inputs)} points, not {fact.points}"
    yield from _within(fact.points, fact.inputs)


def _granted(step: Step, fact: a.PointsGranted) -> Iterator[Broken]:
    yield from _new_lot(step, fact.lot)
    if fact.points != fact.inputs.base:
        yield "L22", f"the rule gives {fact.inputs.base} points, not {fact.points}"
    if fact.by == fact.rider_id:
        yield "L19", f"{fact.by} has granted points of their own"


def _withheld(step: Step, fact: a.PointsWithheld) -> Iterator[Broken]:
    if fact.report_id in step.before.reports:
        yield "L4", f"report {fact.report_id} had been decided on"
    if not fact.caps:
        yield "L23", "withheld, and no limit says why"


def _new_lot(step: Step, lot: str) -> Iterator[Broken]:
    if lot in step.before.lots:
        yield "L4", f"lot {lot} had been earned before"


def _within(points: int, inputs: a.Inputs | None) -> Iterator[Broken]:
    for counted in inputs.counted if inputs else ():
        if counted.before + points > counted.limit:
            yield "L23", f"{counted.cap}: {counted.before} and {points} are over {counted.limit}"


def _activated(step: Step, fact: a.PointsActivated) -> Iterator[Broken]:
    lot = step.before.lots.get(fact.lot)
    if lot is None:
        return
    if not lot.pending:
        yield "L10", f"lot {fact.lot} had been activated"
    elif lot.activates_at is not None and step.at < lot.activates_at:
        yield "L10", f"lot {fact.lot} was activated before {lot.activates_at.isoformat()}"
    if fact.points != lot.free:
        yield "L9", f"{lot.free} points of lot {fact.lot} were pending, not {fact.points}"
    if fact.repaid != min(step.before.debt, fact.points):
        yield "L11", f"{step.before.debt} were owed, and {fact.repaid} were repaid"


def _expired(step: Step, fact: a.PointsExpired) -> Iterator[Broken]:
    lot = step.before.lots.get(fact.lot)
    if lot is None:
        return
    if lot.pending or lot.expires_at is None or lot.expires_at != fact.expired_at:
        yield "L10", f"lot {fact.lot} expires at {lot.expires_at}, not {fact.expired_at}"
    elif step.at < lot.expires_at:
        yield "L10", f"lot {fact.lot} expired before its time"
    if fact.points != lot.free:
        yield "L9", f"{lot.free} points of lot {fact.lot} were left, not {fact.points}"


def _held(step: Step, fact: a.PointsHeld) -> Iterator[Broken]:
    if fact.hold_id in step.before.holds:
        yield "L7", f"{fact.hold_id} held points before"
    if postings.points_of(fact.parts) != fact.points:
        yield "L9", "the parts are not the points"
    wanted = of_lots.to_spend(step.before.lots.values(), fact.points)
    if wanted != fact.parts:
        yield "L9", f"what is spent first is {wanted}"
    for part in fact.parts:
        lot = step.before.lots.get(part.lot)
        if lot and lot.expires_at is not None and lot.expires_at <= step.at:
            yield "L9", f"lot {part.lot} had expired"


def _resolved(step: Step, fact: a.PointsReleased | a.PointsRedeemed) -> Iterator[Broken]:
    hold = step.before.holds.get(fact.hold_id)
    if hold is None:
        yield "L7", f"nothing was held for {fact.hold_id}"
        return
    remainder = isinstance(fact, a.PointsReleased) and fact.because is a.ReleaseReason.REMAINDER
    if hold.resolved is not remainder:
        yield "L7", f"{fact.hold_id} was resolved {'already' if hold.resolved else 'by half'}"
    had = {part.lot: part.points for part in hold.parts}
    if any(part.points > had.get(part.lot, 0) for part in fact.parts):
        yield "L9", f"{fact.hold_id} did not hold these lots"
    if postings.points_of(fact.parts) != fact.points:
        yield "L9", "the parts are not the points"


def _reversed(step: Step, fact: a.PointsReversed) -> Iterator[Broken]:
    if fact.reversal_id in step.before.reversals or fact.reversal_id != fact.lot:
        yield "L8", f"{fact.lot} was taken back before"
    if fact.lot not in step.before.lots:
        yield "L8", f"lot {fact.lot} is not known"
        return
    due = of_lots.to_reverse(step.before.lots, fact.lot)
    if due != (fact.pending, fact.available, fact.debt):
        yield "L11", f"what is taken first is {due}"
    if fact.by == fact.rider_id:
        yield "L19", f"{fact.by} has decided on points of their own"


def _restored(step: Step, fact: a.PointsRestored) -> Iterator[Broken]:
    reversal = step.before.reversals.get(fact.reversal_id)
    if reversal is None or not reversal.appealed or reversal.decided:
        yield "L8", f"{fact.reversal_id} was not up for a decision"
    elif fact.by in (reversal.fact.by, fact.rider_id):
        yield "L19", f"{fact.by} has decided on what they had decided"
    elif fact.points != reversal.fact.points:
        yield "L8", f"{reversal.fact.points} were taken back, and {fact.points} were given"


def _adjusted(step: Step, fact: a.PointsAdjusted) -> Iterator[Broken]:
    adjustment = step.before.adjustments.get(fact.adjustment_id)
    if adjustment is None or adjustment.decided:
        yield "L19", f"{fact.adjustment_id} was not up for a decision"
    elif adjustment.fact.points != fact.points:
        yield "L19", f"{adjustment.fact.points} were proposed, and {fact.points} were approved"
    if fact.by == fact.approved_by or fact.rider_id in (fact.by, fact.approved_by):
        yield "L19", f"{fact.by} and {fact.approved_by} are not two other officers"


_OF: Final[Mapping[type[Fact], Callable[[Step, Any], Iterator[Broken]]]] = {
    a.PointsAwarded: _awarded,
    a.PointsGranted: _granted,
    a.PointsWithheld: _withheld,
    a.PointsActivated: _activated,
    a.PointsExpired: _expired,
    a.PointsHeld: _held,
    a.PointsReleased: _resolved,
    a.PointsRedeemed: _resolved,
    a.PointsReversed: _reversed,
    a.PointsRestored: _restored,
    a.PointsAdjusted: _adjusted,
}


def _words(stands: a.Balances) -> str:
    return ", ".join(f"{name} {value}" for name, value in stands)
