"""Redemptions, decided: points, a piece, quota and budget move together or not at all. Pure.

Every decision here writes to several streams at once, in one atomic batch (ledger invariant L12):
the redemption, the item, the sponsor where there is one, and the rider's account.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from contracts import reward as r
from contracts.account import ReleaseReason
from contracts.envelope import Fact, Issued, Refused
from contracts.reward import MOST_CODES, MOST_TRIES, EndedBy, StoreRefusal, TakeStep
from services.points import holds
from services.points.account import Account, evolve
from services.points.availability import Asked, availability
from services.points.decider.reward.counter import Counter, no
from services.points.decider.reward.state import Take, Things
from services.points.periods import month_of, part_of, period_of


def redeem(
    issued: Issued[r.RedeemItem], things: Things, account: Account, counter: Counter
) -> Sequence[Fact]:
    """Hold one piece at the price of now; with a code at once, unless it is approved first."""
    said = issued.command
    counter.insist_on_platform(issued, said.rider_id)
    before = things.take(said.reward_id).held
    if before is not None:
        if (before.rider_id, before.item_id) == (said.rider_id, said.item_id):
            return []
        detail = "a redemption of this id is there; use a new id"
        raise Refused(no(StoreRefusal.EXISTS_ALREADY, detail, "reward_id"))
    item = things.item(said.item_id)
    terms = item.terms
    sponsor = things.sponsor(terms.sponsor) if terms and terms.sponsor else None
    asked = Asked(
        rider_id=said.rider_id,
        points=_spendable(account, issued),
        at=issued.at,
        zone=counter.zone,
        areas=counter.book.inside(said.area),
        seen_price=said.seen_price,
    )
    answer = availability(item, sponsor, asked)
    if terms is None or not answer.available:
        raise Refused(*answer.reasons)
    held = _held(issued, terms, counter)
    facts: list[Fact] = [held, *_set_aside(held)]
    if not terms.approved_first:
        facts.append(_code(issued, held, 1, counter))
    return facts + holds.hold(
        account,
        said.rider_id,
        hold_id=said.reward_id,
        item=said.item_id,
        points=terms.price,
        at=issued.at,
    )


def approve(
    issued: Issued[r.ApproveRedemption], things: Things, account: Account, counter: Counter
) -> Sequence[Fact]:
    """An officer has looked: there is a code."""
    counter.insist_on_officer(issued)
    take = things.take(issued.command.reward_id)
    held = _there(take)
    if take.step is TakeStep.ISSUED:
        return []
    _insist(take, TakeStep.HELD)
    _insist_in_time(take, issued)
    return [_code(issued, held, 1, counter)]


def reissue(
    issued: Issued[r.ReissueCode], things: Things, account: Account, counter: Counter
) -> Sequence[Fact]:
    """Another code in the place of one that was lost or locked; the time to use it stays."""
    take = things.take(issued.command.reward_id)
    held = _there(take)
    _insist_on_holder(issued, held, counter)
    _insist(take, TakeStep.ISSUED)
    _insist_in_time(take, issued)
    if take.issue >= MOST_CODES:
        detail = f"{MOST_CODES} codes were made for it; an officer can cancel it"
        raise Refused(no(StoreRefusal.NO_MORE_CODES, detail))
    again = _code(issued, held, take.issue + 1, counter)
    return [again.model_copy(update={"use_by": take.use_by})]


def use(
    issued: Issued[r.UseRedemption], things: Things, account: Account, counter: Counter
) -> Sequence[Fact]:
    """The code is right, in time, and for the first time: the points are spent (L7, L13)."""
    said, take = issued.command, things.take(issued.command.reward_id)
    held = _there(take)
    station = things.station(held.station)
    keeper = station.place.keeper if station.place else None
    if issued.actor != keeper and not counter.is_officer:
        detail = f"{keeper or 'an officer'} takes the codes of this; you are {issued.actor}"
        raise Refused(no(StoreRefusal.NOT_ALLOWED, detail))
    if take.step is TakeStep.USED:
        raise Refused(no(StoreRefusal.ALREADY_USED, "it was handed over already"))
    _insist(take, TakeStep.ISSUED)
    _insist_in_time(take, issued)
    if take.tries >= MOST_TRIES:
        detail = f"{take.tries} wrong codes were tried; the rider needs a new code (reissue_code)"
        raise Refused(no(StoreRefusal.CODE_LOCKED, detail))
    if not counter.code_fits(take.code_hash, said.reward_id, said.code):
        return [_wrong(issued, take)]
    month = month_of(issued.at, counter.zone)
    used = r.RedemptionUsed(
        reward_id=said.reward_id,
        rider_id=held.rider_id,
        item_id=held.item_id,
        name=held.name,
        price=held.price,
        month=month,
        part=part_of(issued.at, counter.zone),
        pseudonym=counter.pseudonym(held.rider_id, month),
        by=issued.actor,
    )
    facts: list[Fact] = [used, r.StockUsed(**_of_item(held))]
    if held.sponsor:
        facts.append(r.BudgetSpent(**_of_sponsor(held)))
    _insist_on_hold(account, said.reward_id)
    return facts + holds.post(account, hold_id=said.reward_id, at=issued.at)


def cancel(
    issued: Issued[r.CancelRedemption], things: Things, account: Account, counter: Counter
) -> Sequence[Fact]:
    """Everything goes back: the same lots, the piece, the quota of its period, the budget (L9)."""
    take = things.take(issued.command.reward_id)
    held = _there(take)
    _insist_on_holder(issued, held, counter)
    if take.step is TakeStep.CANCELLED:
        return []
    _insist(take, TakeStep.HELD, TakeStep.ISSUED)
    if take.step is TakeStep.ISSUED and not held.refundable and not counter.is_officer:
        detail = "this item is not taken back once there is a code; an officer can do it"
        raise Refused(no(StoreRefusal.NOT_REFUNDABLE, detail))
    cancelled = r.RedemptionCancelled(
        reward_id=held.reward_id,
        rider_id=held.rider_id,
        item_id=held.item_id,
        name=held.name,
        ended_by=EndedBy.OFFICER if counter.is_officer else EndedBy.RIDER,
        by=issued.actor,
    )
    return [cancelled, *_given_back(held, account, ReleaseReason.CANCELLED, issued)]


def expire(
    issued: Issued[r.ExpireRedemption], things: Things, account: Account, counter: Counter
) -> Sequence[Fact]:
    """The moment that it waits for has come. Nothing where it waits for that no more (L10)."""
    take, moment = things.take(issued.command.reward_id), issued.command.moment
    if take.held is None or take.due_at != moment or issued.at < moment:
        return []
    held = take.held
    ran_out = EndedBy.HOLD_RAN_OUT if take.step is TakeStep.HELD else EndedBy.CODE_RAN_OUT
    expired = r.RedemptionExpired(
        reward_id=held.reward_id,
        rider_id=held.rider_id,
        item_id=held.item_id,
        name=held.name,
        ended_by=ran_out,
        due_at=moment,
    )
    return [expired, *_given_back(held, account, ReleaseReason.EXPIRED, issued)]


def _spendable(account: Account, issued: Issued[Any]) -> int:
    """What the rider can spend at that moment: the clock is heard first (L10)."""
    for fact in holds.hear(account, issued.at):
        account = evolve(account, fact)
    return account.available


def _held(issued: Issued[r.RedeemItem], terms: r.Terms, counter: Counter) -> r.RedemptionHeld:
    quota = terms.quota
    waits = timedelta(days=terms.hold_days)
    return r.RedemptionHeld(
        reward_id=issued.command.reward_id,
        rider_id=issued.command.rider_id,
        platform=issued.actor,
        item_id=issued.command.item_id,
        name=terms.name,
        kind=terms.kind,
        price=terms.price,
        period=period_of(quota.period, issued.at, counter.zone) if quota else "",
        per_rider=quota.per_rider if quota else None,
        in_all=quota.in_all if quota else None,
        sponsor=terms.sponsor,
        station=terms.station,
        refundable=terms.refundable,
        code_days=terms.code_days,
        hold_until=issued.at + waits if terms.approved_first else None,
        rulebook=counter.book.label,
    )


def _set_aside(held: r.RedemptionHeld) -> list[Fact]:
    facts: list[Fact] = [r.StockHeld(price=held.price, **_of_item(held))]
    if held.sponsor:
        facts.append(r.BudgetHeld(**_of_sponsor(held)))
    return facts


def _of_item(held: r.RedemptionHeld) -> dict[str, Any]:
    """What moves on the item's stream, in the quotas that it was taken from."""
    return {
        "reward_id": held.item_id,
        "redemption_id": held.reward_id,
        "rider_id": held.rider_id,
        "period": held.period,
        "per_rider": held.per_rider,
        "in_all": held.in_all,
    }


def _of_sponsor(held: r.RedemptionHeld) -> dict[str, Any]:
    return {
        "reward_id": held.sponsor,
        "redemption_id": held.reward_id,
        "points": held.price,
    }


def _given_back(
    held: r.RedemptionHeld, account: Account, because: ReleaseReason, issued: Issued[Any]
) -> list[Fact]:
    facts: list[Fact] = [r.StockReleased(**_of_item(held))]
    if held.sponsor:
        facts.append(r.BudgetReleased(**_of_sponsor(held)))
    _insist_on_hold(account, held.reward_id)
    return facts + holds.release(account, hold_id=held.reward_id, because=because, at=issued.at)


def _code(
    issued: Issued[Any], held: r.RedemptionHeld, issue: int, counter: Counter
) -> r.CodeIssued:
    return r.CodeIssued(
        reward_id=held.reward_id,
        rider_id=held.rider_id,
        name=held.name,
        issue=issue,
        code_hash=counter.code_hash(held.reward_id, issue),
        use_by=issued.at + timedelta(days=held.code_days),
        by=issued.actor,
    )


def _wrong(issued: Issued[r.UseRedemption], take: Take) -> r.CodeRefused:
    tries = take.tries + 1
    left = MOST_TRIES - tries
    detail = f"this is not its code; {left} more tries" if left else "this is not its code; locked"
    reason = no(StoreRefusal.WRONG_CODE, detail, "code")
    return r.CodeRefused(
        reward_id=issued.command.reward_id, by=issued.actor, tries=tries, reasons=(reason,)
    )


def _there(take: Take) -> r.RedemptionHeld:
    if take.held is None:
        raise Refused(no(StoreRefusal.NOT_THERE, "there is no such redemption", "reward_id"))
    return take.held


def _insist(take: Take, *steps: TakeStep) -> None:
    if take.step not in steps:
        possible = " or ".join(steps)
        detail = f"the redemption is {take.step}; this is possible while it is {possible}"
        raise Refused(no(StoreRefusal.NOT_NOW, detail))


def _insist_on_hold(account: Account, redemption_id: str) -> None:
    """The account may have been read a moment after the redemption, and know more."""
    hold = account.holds.get(redemption_id)
    if hold is not None and hold.resolved:
        detail = "somebody else has ended it at this very moment"
        raise Refused(no(StoreRefusal.NOT_NOW, detail))


def _insist_in_time(take: Take, issued: Issued[Any]) -> None:
    if take.due_at is not None and issued.at >= take.due_at:
        detail = f"it was to be done by {take.due_at.isoformat()}; everything goes back"
        raise Refused(no(StoreRefusal.TOO_LATE, detail))


def _insist_on_holder(issued: Issued[Any], held: r.RedemptionHeld, counter: Counter) -> None:
    if issued.actor != held.platform and not counter.is_officer:
        detail = f"only {held.platform}, for its rider, or an officer may do this"
        raise Refused(no(StoreRefusal.NOT_YOUR_RIDER, detail))
