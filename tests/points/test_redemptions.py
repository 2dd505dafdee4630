"""A redemption: held, issued, used once; or cancelled, or expired, and everything goes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts import reward as r
from contracts.account import (
    PointsActivated,
    PointsExpired,
    PointsHeld,
    PointsRedeemed,
    PointsReleased,
    ReleaseReason,
)
from contracts.reward import EndedBy, TakeStep
from services.points.shelf import Asset
from tests.district import EAST, INSPECTION, KITE, SWIFT, WEST
from tests.given import NOON, a
from tests.points.store import (
    ANN,
    BO,
    CAI,
    FUND,
    KETTLE,
    OFFICER,
    OPENED,
    OTHER_TAKE,
    STOP,
    TAKE,
    World,
    code,
    earned,
    given,
    later,
    offered,
    redeem,
    words,
)

FUNDED = r.SponsorFunded(reward_id=FUND, points=50, name=words("总工会"), by=OFFICER)
USE = r.UseRedemption(reward_id=TAKE, code=code())
WRONG = r.UseRedemption(reward_id=TAKE, code="00000-00000-00000-00000")
CANCEL = r.CancelRedemption(reward_id=TAKE)
APPROVE = r.ApproveRedemption(reward_id=TAKE)
REISSUE = r.ReissueCode(reward_id=TAKE)


def world(stock: int | None = 1, **terms: Any) -> World:
    return given(OPENED, FUNDED, offered(stock=stock, station=STOP, **terms), earned())


def issued(**terms: Any) -> World:
    """Ann has a code for the kettle."""
    return world(**terms).doing(redeem(), by=KITE)


def expire(moment: datetime) -> r.ExpireRedemption:
    return r.ExpireRedemption(reward_id=TAKE, moment=moment)


USE_BY = later(days=30)


def test_a_rider_gets_a_code_and_everything_is_set_aside_in_one_decision() -> None:
    world(quota={"period": "month", "per_rider": 1}, sponsor=FUND).when(redeem(), by=KITE).then(
        a(r.RedemptionHeld, price=20, platform=KITE, period="2026-05", hold_until=None),
        a(r.StockHeld, redemption_id=TAKE, rider_id=ANN, price=20, period="2026-05", per_rider=1),
        r.BudgetHeld(reward_id=FUND, redemption_id=TAKE, points=20),
        a(r.CodeIssued, issue=1, use_by=USE_BY),
        a(PointsHeld, hold_id=TAKE, item=KETTLE, points=20),
    )
    after = issued(sponsor=FUND)
    assert (after.account().available, after.account().held) == (5, 20)
    assert after.thing(KETTLE).stock == Asset(-1, 0, 1, 0)
    assert after.thing(FUND).budget == Asset(-50, 30, 20, 0)


def test_the_log_keeps_no_code() -> None:
    said = "".join(fact.model_dump_json() for fact in world().decide(redeem(), by=KITE))
    assert code() not in said
    assert code().replace("-", "") not in said


def test_a_rider_is_spoken_for_by_the_own_platform_alone() -> None:
    world().when(redeem(), by=SWIFT).then_refused("not_your_rider")
    world().when(redeem(), by=OFFICER).then_refused("not_your_rider")
    world().when(redeem("rider-99"), by=KITE).then_refused("unknown_rider")


def test_the_same_redemption_is_made_once() -> None:
    issued().when(redeem(), by=KITE).then_nothing()
    issued().when(redeem(CAI), by=KITE).then_refused("exists_already")


def test_every_reason_against_it_is_told_at_once() -> None:
    closed = world(stock=0, price=30, visible_until=NOON, areas=["a-west"], sponsor=FUND)
    empty = closed.after([r.BudgetHeld(reward_id=FUND, redemption_id=OTHER_TAKE, points=50)])
    empty.when(redeem(seen_price=20), by=KITE).then_refused(
        "no_longer",
        "not_in_your_area",
        "out_of_stock",
        "no_budget",
        "price_changed",
        "points_missing",
    )


def test_what_is_missing_is_said_in_points() -> None:
    (reason,) = world(price=30).when(redeem(), by=KITE).reasons
    assert reason.code == "points_missing"
    assert "5 points are missing" in reason.detail


def test_a_price_that_has_changed_since_it_was_seen_is_no_surprise() -> None:
    dearer = world().after([r.ItemChanged(reward_id=KETTLE, terms=_at(22), by=OFFICER)])
    dearer.when(redeem(seen_price=20), by=KITE).then_refused("price_changed")
    dearer.when(redeem(seen_price=22), by=KITE).then(
        r.RedemptionHeld, r.StockHeld, r.CodeIssued, a(PointsHeld, points=22)
    )


def test_the_price_of_a_hold_is_frozen() -> None:
    dearer = issued().after([r.ItemChanged(reward_id=KETTLE, terms=_at(5_000), by=OFFICER)])
    dearer.when(USE, by=WEST).then(
        a(r.RedemptionUsed, price=20), r.StockUsed, a(PointsRedeemed, points=20)
    )


def test_a_code_is_used_once_where_the_item_is_handed_over() -> None:
    issued(sponsor=FUND).when(USE, by=WEST).then(
        a(r.RedemptionUsed, rider_id=ANN, price=20, month="2026-05", part=1, by=WEST),
        a(r.StockUsed, redemption_id=TAKE),
        r.BudgetSpent(reward_id=FUND, redemption_id=TAKE, points=20),
        a(PointsRedeemed, hold_id=TAKE, points=20),
    )
    used = issued(sponsor=FUND).doing(USE, by=WEST)
    used.when(USE, by=WEST).then_refused("already_used")
    assert (used.account().available, used.account().held) == (5, 0)
    assert used.thing(KETTLE).stock == Asset(-1, 0, 0, 1)
    assert used.thing(FUND).budget == Asset(-50, 30, 0, 20)


@pytest.mark.parametrize("who", [KITE, SWIFT, EAST, INSPECTION])
def test_a_code_is_taken_by_the_keeper_or_an_officer_and_nobody_else(who: str) -> None:
    issued().when(USE, by=who).then_refused("not_allowed")
    issued().when(USE, by=OFFICER).then(r.RedemptionUsed, r.StockUsed, PointsRedeemed)


@pytest.mark.parametrize("typed", [code().lower(), code().replace("-", " "), f" {code()} "])
def test_a_code_is_read_as_it_is_meant(typed: str) -> None:
    use = r.UseRedemption(reward_id=TAKE, code=typed)
    issued().when(use, by=WEST).then(r.RedemptionUsed, r.StockUsed, PointsRedeemed)


def test_wrong_tries_are_counted_and_five_lock_the_code() -> None:
    tried = issued()
    for tries in range(1, 6):
        tried.when(WRONG, by=WEST).then(a(r.CodeRefused, tries=tries, by=WEST))
        tried = tried.doing(WRONG, by=WEST)
    tried.when(WRONG, by=WEST).then_refused("code_locked")
    tried.when(USE, by=WEST).then_refused("code_locked")
    again = tried.doing(REISSUE, by=KITE)
    again.when(USE, by=WEST).then(a(r.CodeRefused, tries=1))
    new = r.UseRedemption(reward_id=TAKE, code=code(issue=2))
    again.when(new, by=WEST).then(r.RedemptionUsed, r.StockUsed, PointsRedeemed)


def test_a_code_of_another_redemption_is_wrong() -> None:
    theirs = r.UseRedemption(reward_id=TAKE, code=code(OTHER_TAKE))
    issued().when(theirs, by=WEST).then(r.CodeRefused)


def test_codes_are_made_three_times_and_keep_their_time() -> None:
    issued().when(REISSUE, by=KITE, at=later(days=3)).then(a(r.CodeIssued, issue=2, use_by=USE_BY))
    issued().when(REISSUE, by=SWIFT).then_refused("not_your_rider")
    third = issued().doing(REISSUE, by=KITE).doing(REISSUE, by=KITE)
    third.when(REISSUE, by=KITE).then_refused("no_more_codes")


def test_what_is_approved_first_has_no_code_until_then() -> None:
    waiting = world(approved_first=True, hold_days=7)
    waiting.when(redeem(), by=KITE).then(
        a(r.RedemptionHeld, hold_until=later(days=7)), r.StockHeld, PointsHeld
    )
    held = waiting.doing(redeem(), by=KITE)
    held.when(USE, by=WEST).then_refused("not_now")
    held.when(APPROVE, by=KITE).then_refused("not_allowed")
    held.when(APPROVE, by=OFFICER, at=later(days=2)).then(
        a(r.CodeIssued, issue=1, use_by=later(days=32))
    )
    held.when(APPROVE, by=OFFICER, at=later(days=7)).then_refused("too_late")
    approved = held.doing(APPROVE, by=OFFICER)
    approved.when(APPROVE, by=OFFICER).then_nothing()
    given().when(APPROVE, by=OFFICER).then_refused("not_there")


def test_a_rider_gives_it_back_and_gets_the_same_lots() -> None:
    issued(sponsor=FUND, quota={"period": "day", "in_all": 1}).when(CANCEL, by=KITE).then(
        a(r.RedemptionCancelled, ended_by=EndedBy.RIDER),
        a(r.StockReleased, redemption_id=TAKE),
        r.BudgetReleased(reward_id=FUND, redemption_id=TAKE, points=20),
        a(PointsReleased, hold_id=TAKE, points=20, because=ReleaseReason.CANCELLED),
    )
    before, after = world(sponsor=FUND), issued(sponsor=FUND).doing(CANCEL, by=KITE)
    assert after.account().lots == before.account().lots
    assert after.account().available == 25
    assert after.thing(KETTLE).stock == Asset(-1, 1, 0, 0)
    assert after.thing(FUND).budget == Asset(-50, 50, 0, 0)
    after.when(CANCEL, by=KITE).then_nothing()
    after.when(USE, by=WEST).then_refused("not_now")


def test_an_item_that_is_not_taken_back_is_taken_back_by_an_officer_alone() -> None:
    firm = issued(refundable=False)
    firm.when(CANCEL, by=KITE).then_refused("not_refundable")
    firm.when(CANCEL, by=OFFICER).then(
        a(r.RedemptionCancelled, ended_by=EndedBy.OFFICER), r.StockReleased, PointsReleased
    )
    waiting = world(refundable=False, approved_first=True).doing(redeem(), by=KITE)
    waiting.when(CANCEL, by=KITE).then(r.RedemptionCancelled, r.StockReleased, PointsReleased)


def test_what_was_used_is_not_taken_back() -> None:
    used = issued().doing(USE, by=WEST)
    used.when(CANCEL, by=KITE).then_refused("not_now")
    used.when(CANCEL, by=OFFICER).then_refused("not_now")
    used.when(REISSUE, by=KITE).then_refused("not_now")
    issued().when(CANCEL, by=SWIFT).then_refused("not_your_rider")


def test_a_code_that_is_not_used_in_time_gives_everything_back() -> None:
    issued().when(USE, by=WEST, at=USE_BY).then_refused("too_late")
    issued().when(expire(USE_BY), by="points", at=USE_BY).then(
        a(r.RedemptionExpired, ended_by=EndedBy.CODE_RAN_OUT, due_at=USE_BY),
        r.StockReleased,
        a(PointsReleased, points=20, because=ReleaseReason.EXPIRED),
    )
    gone = issued().doing(expire(USE_BY), by="points", at=USE_BY)
    assert gone.thing(TAKE).step is TakeStep.EXPIRED
    gone.when(expire(USE_BY), by="points", at=USE_BY).then_nothing()
    gone.when(USE, by=WEST).then_refused("not_now")


def test_a_hold_that_nobody_approves_gives_everything_back() -> None:
    held = world(approved_first=True, hold_days=2).doing(redeem(), by=KITE)
    held.when(expire(later(days=2)), by="points", at=later(days=2)).then(
        a(r.RedemptionExpired, ended_by=EndedBy.HOLD_RAN_OUT), r.StockReleased, PointsReleased
    )


def test_nothing_runs_out_before_its_time_or_at_another() -> None:
    issued().when(expire(USE_BY), by="points", at=USE_BY - timedelta(seconds=1)).then_nothing()
    issued().when(expire(NOON), by="points", at=USE_BY).then_nothing()
    given().when(expire(NOON), by="points", at=NOON).then_nothing()
    used = issued().doing(USE, by=WEST)
    used.when(expire(USE_BY), by="points", at=USE_BY).then_nothing()


def lot(days: int) -> Any:
    """Points that are active at once and can be spent for so many days."""
    return earned().model_copy(
        update={"lot": "lot-1", "activates_at": later(days=-1), "lifetime_days": days}
    )


def test_points_that_become_active_by_now_can_be_spent() -> None:
    ready = given(OPENED, offered(station=STOP), lot(60))
    ready.when(redeem(), by=KITE).then(
        r.RedemptionHeld, r.StockHeld, r.CodeIssued, PointsActivated, PointsHeld
    )


def test_points_that_have_expired_by_now_cannot_be_spent() -> None:
    ready = given(OPENED, offered(station=STOP), lot(5))
    ready.when(redeem(), by=KITE, at=later(days=5)).then_refused("points_missing")


def test_a_lot_that_expired_while_it_was_held_expires_when_it_comes_back() -> None:
    held = given(OPENED, offered(station=STOP), lot(5)).doing(redeem(), by=KITE)
    held.when(CANCEL, by=KITE, at=later(days=6)).then(
        r.RedemptionCancelled,
        r.StockReleased,
        a(PointsReleased, points=20),
        a(PointsExpired, lot="lot-1", points=25),
    )
    after = held.doing(CANCEL, by=KITE, at=later(days=6))
    assert after.account().available == 0
    assert after.account().held == 0


def test_the_last_piece_and_the_last_quota_go_to_one_rider() -> None:
    shelf = world().after([earned(BO, report="r-2")])
    shelf = shelf.doing(redeem(), by=KITE)
    shelf.when(redeem(BO, OTHER_TAKE), by=SWIFT).then_refused("out_of_stock")
    free = shelf.doing(CANCEL, by=KITE)
    free.when(redeem(BO, OTHER_TAKE), by=SWIFT).then(
        r.RedemptionHeld, r.StockHeld, r.CodeIssued, PointsHeld
    )


@pytest.mark.parametrize(
    ("quota", "who", "code"),
    [
        ({"period": "month", "per_rider": 1}, ANN, "quota_of_rider"),
        ({"period": "month", "in_all": 1}, CAI, "quota_of_all"),
    ],
)
def test_a_quota_counts_what_is_held_and_what_was_used(quota: Any, who: str, code: str) -> None:
    rich = world(stock=9, quota=quota).after([earned(report="r-9"), earned(CAI, report="r-2")])
    held = rich.doing(redeem(), by=KITE)
    for taken in (held, held.doing(USE, by=WEST)):
        taken.when(redeem(who, OTHER_TAKE), by=KITE).then_refused(code)
        taken.when(redeem(who, OTHER_TAKE), by=KITE, at=later(days=29)).then(
            a(r.RedemptionHeld, period="2026-06"), r.StockHeld, r.CodeIssued, PointsHeld
        )
    back = held.doing(CANCEL, by=KITE)
    back.when(redeem(who, OTHER_TAKE), by=KITE).then(
        r.RedemptionHeld, r.StockHeld, r.CodeIssued, PointsHeld
    )


def test_another_rider_has_a_quota_of_their_own() -> None:
    quota = {"period": "ever", "per_rider": 1}
    rich = world(stock=9, quota=quota).after([earned(CAI, report="r-2")]).doing(redeem(), by=KITE)
    rich.when(redeem(CAI, OTHER_TAKE), by=KITE).then(
        a(r.RedemptionHeld, period="ever"), r.StockHeld, r.CodeIssued, PointsHeld
    )


def test_an_item_that_is_not_counted_never_runs_out() -> None:
    endless = world(stock=None).after([earned(CAI, report="r-2")]).doing(redeem(), by=KITE)
    after = endless.doing(redeem(CAI, OTHER_TAKE), by=KITE).doing(USE, by=WEST)
    assert after.thing(KETTLE).stock == Asset(-2, 0, 1, 1)
    assert after.doing(CANCEL.model_copy(update={"reward_id": OTHER_TAKE}), by=KITE).thing(
        KETTLE
    ).stock == Asset(-1, 0, 0, 1)


def _at(price: int) -> r.Terms:
    return offered(station=STOP, price=price).terms
