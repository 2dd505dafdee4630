"""One believable example of every fact of the store."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from contracts import reward as r
from contracts.envelope import Fact, Reason, Words
from contracts.report import Position
from tests.contracts.case_examples import PLATFORM, RIDER, RULES

OFFICER = "officer"
OTHER_RIDER = "rider-11"
STREET = "street-taoyuan"
WISH, OTHER_WISH = "wish-rain-cape", "wish-poncho"
ITEM, SPONSOR, STATION = "item-rain-cape", "fund-union", "stop-taoyuan"
TAKE = "take-01KAJ7M3T9Q8W2V5X7Y4K1N6P0"
CAPE = Words(zh="骑行雨披", en="Rain cape")
USE_BY = datetime.fromisoformat("2026-12-16T18:42:05+08:00")

TERMS = r.Terms(
    name=CAPE,
    about=Words(zh="双帽檐，带反光条", en="Double peak, with a reflecting strip"),
    kind=r.RewardKind.GOODS,
    price=18,
    quota=r.Quota(period=r.Period.YEAR, per_rider=1, in_all=200),
    visible_from=datetime.fromisoformat("2026-11-01T00:00:00+08:00"),
    visible_until=datetime.fromisoformat("2027-03-01T00:00:00+08:00"),
    areas=("330299001",),
    station=STATION,
    sponsor=SPONSOR,
)

PLACE = r.Place(
    name=Words(zh="桃园暖蜂驿站", en="Taoyuan Warm Bee Station"),
    address=Words(zh="桃园路18号", en="18 Taoyuan Road"),
    station_class=r.StationClass.SECOND,
    position=Position(lat=29.7712, lng=121.3034),
    area="330299001",
    facilities=("water", "charging", "microwave"),
    hours={"mon": (r.Opening(start="08:00", end="22:00"),)},
    closed_on=(date(2027, 2, 6),),
    capacity=12,
    keeper=STREET,
)

_OF: dict[str, Any] = {
    "redemption_id": TAKE,
    "rider_id": RIDER,
    "period": "2026",
    "per_rider": 1,
    "in_all": 200,
}

REWARD_EXAMPLES: tuple[Fact, ...] = (
    r.WishSuggested(
        reward_id=WISH,
        rider_id=RIDER,
        platform=PLATFORM,
        kind=r.RewardKind.GOODS,
        text="下雨天想要一件带反光条的雨披，旧的那件已经破了。",
    ),
    r.WishListed(reward_id=WISH, rider_id=RIDER, name=CAPE, by=OFFICER),
    r.WishSupported(reward_id=WISH, rider_id=OTHER_RIDER, platform=PLATFORM),
    r.WishMerged(reward_id=OTHER_WISH, rider_id=OTHER_RIDER, into=WISH, name=CAPE, by=OFFICER),
    r.WishGathered(reward_id=WISH, other=OTHER_WISH, riders=(OTHER_RIDER,)),
    r.WishApproved(
        reward_id=WISH,
        rider_id=RIDER,
        supporters=(OTHER_RIDER,),
        name=CAPE,
        note=Words(zh="总工会出资，预计两周内上架", en="The union pays; in the store in two weeks"),
        by=OFFICER,
    ),
    r.WishDeclined(
        reward_id=OTHER_WISH,
        rider_id=OTHER_RIDER,
        supporters=(),
        reason=r.DeclineReason.TOO_EXPENSIVE,
        note=Words(zh="超出今年预算", en="More than this year's budget"),
        by=OFFICER,
    ),
    r.WishFulfilled(
        reward_id=WISH,
        rider_id=RIDER,
        supporters=(OTHER_RIDER,),
        item_id=ITEM,
        name=CAPE,
        price=18,
        by=OFFICER,
    ),
    r.ItemOffered(reward_id=ITEM, terms=TERMS, stock=40, wish=WISH, by=OFFICER),
    r.ItemChanged(reward_id=ITEM, terms=TERMS.model_copy(update={"price": 20}), by=OFFICER),
    r.ItemWithdrawn(reward_id=ITEM, by=OFFICER),
    r.StockAdded(reward_id=ITEM, count=20, by=OFFICER),
    r.StockRemoved(reward_id=ITEM, count=2, by=OFFICER),
    r.StockHeld(reward_id=ITEM, price=18, **_OF),
    r.StockReleased(reward_id=ITEM, **_OF),
    r.StockUsed(reward_id=ITEM, **_OF),
    r.SponsorFunded(
        reward_id=SPONSOR, points=4_000, name=Words(zh="区总工会", en="Union"), by=OFFICER
    ),
    r.BudgetHeld(reward_id=SPONSOR, redemption_id=TAKE, points=18),
    r.BudgetReleased(reward_id=SPONSOR, redemption_id=TAKE, points=18),
    r.BudgetSpent(reward_id=SPONSOR, redemption_id=TAKE, points=18),
    r.StationOpened(reward_id=STATION, place=PLACE, by=OFFICER),
    r.StationChanged(
        reward_id=STATION, place=PLACE.model_copy(update={"capacity": 16}), by=OFFICER
    ),
    r.StationClosed(reward_id=STATION, by=OFFICER),
    r.RedemptionHeld(
        reward_id=TAKE,
        rider_id=RIDER,
        platform=PLATFORM,
        item_id=ITEM,
        name=CAPE,
        kind=r.RewardKind.GOODS,
        price=18,
        period="2026",
        per_rider=1,
        in_all=200,
        sponsor=SPONSOR,
        station=STATION,
        refundable=True,
        code_days=30,
        hold_until=datetime.fromisoformat("2026-11-24T18:42:05+08:00"),
        rulebook=RULES,
    ),
    r.CodeIssued(
        reward_id=TAKE,
        rider_id=RIDER,
        name=CAPE,
        issue=1,
        code_hash="7a" * 32,
        use_by=USE_BY,
        by=OFFICER,
    ),
    r.CodeRefused(
        reward_id=TAKE,
        by=STREET,
        tries=1,
        reasons=(Reason(code="wrong_code", detail="this is not its code", field="code"),),
    ),
    r.RedemptionUsed(
        reward_id=TAKE,
        rider_id=RIDER,
        item_id=ITEM,
        name=CAPE,
        price=18,
        month="2026-11",
        part=3,
        pseudonym="7H2KD4QX",
        by=STREET,
    ),
    r.RedemptionCancelled(
        reward_id=TAKE,
        rider_id=RIDER,
        item_id=ITEM,
        name=CAPE,
        ended_by=r.EndedBy.RIDER,
        by=PLATFORM,
    ),
    r.RedemptionExpired(
        reward_id=TAKE,
        rider_id=RIDER,
        item_id=ITEM,
        name=CAPE,
        ended_by=r.EndedBy.CODE_RAN_OUT,
        due_at=USE_BY,
    ),
)
