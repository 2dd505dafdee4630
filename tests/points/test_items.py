"""Items, their stock and their sponsors; stations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts import reward as r
from contracts.envelope import Datum
from contracts.report import Position
from tests.district import KITE
from tests.given import NOON, a
from tests.points.store import (
    FUND,
    KETTLE,
    OFFICER,
    OPENED,
    PLACE,
    STOP,
    given,
    offered,
    terms,
    words,
)

OFFER = r.OfferItem(reward_id=KETTLE, terms=terms(), stock=1)
FUNDED = r.SponsorFunded(reward_id=FUND, points=100, name=words("总工会"), by=OFFICER)
WITHDRAWN = r.ItemWithdrawn(reward_id=KETTLE, by=OFFICER)


def test_an_officer_offers_an_item_and_nobody_else() -> None:
    given().when(OFFER, by=OFFICER).then(offered())
    given().when(OFFER, by=KITE).then_refused("not_allowed")
    given(offered()).when(OFFER, by=OFFICER).then_refused("exists_already")


@pytest.mark.parametrize("price", [1, 0, -1, 1.5, 2**63, "20", True])
def test_a_price_is_a_whole_number_from_two_points_up(price: Any) -> None:
    with pytest.raises(ValidationError):
        terms(price=price)
    assert terms(price=2).price == 2


def test_every_flaw_of_an_offer_is_told_at_once() -> None:
    bad = terms(
        visible_from=NOON,
        visible_until=NOON,
        areas=["nowhere"],
        station=STOP,
        sponsor=FUND,
        quota={"period": "month"},
    )
    offer = r.OfferItem(reward_id=KETTLE, terms=bad)
    given().when(offer, by=OFFICER).then_refused(
        "window", "not_there", "unknown_station", "not_that_many", "no_budget"
    )


def test_an_item_knows_its_station_and_its_sponsor() -> None:
    good = terms(station=STOP, sponsor=FUND, areas=["a-west"])
    offer = r.OfferItem(reward_id=KETTLE, terms=good, stock=2)
    given(OPENED, FUNDED).when(offer, by=OFFICER).then(a(r.ItemOffered, terms=good, stock=2))


def test_terms_change_but_the_sponsor_stays() -> None:
    dearer = r.ChangeItem(reward_id=KETTLE, terms=terms(price=30))
    given(offered()).when(dearer, by=OFFICER).then(a(r.ItemChanged, terms=terms(price=30)))
    same = r.ChangeItem(reward_id=KETTLE, terms=terms())
    given(offered()).when(same, by=OFFICER).then_nothing()
    given(offered()).when(dearer, by=KITE).then_refused("not_allowed")
    other = r.ChangeItem(reward_id=KETTLE, terms=terms(sponsor=FUND))
    given(offered(), FUNDED).when(other, by=OFFICER).then_refused("sponsor_stays")
    given().when(dearer, by=OFFICER).then_refused("not_there")
    given(offered(), WITHDRAWN).when(dearer, by=OFFICER).then_refused("withdrawn")


def test_an_item_is_withdrawn_once() -> None:
    withdraw = r.WithdrawItem(reward_id=KETTLE)
    given(offered()).when(withdraw, by=OFFICER).then(WITHDRAWN)
    given(offered(), WITHDRAWN).when(withdraw, by=OFFICER).then_nothing()
    given(offered()).when(withdraw, by=KITE).then_refused("not_allowed")
    given().when(withdraw, by=OFFICER).then_refused("not_there")


def test_stock_comes_and_goes_but_never_what_is_not_there() -> None:
    more = r.AddStock(reward_id=KETTLE, count=4)
    less = r.RemoveStock(reward_id=KETTLE, count=2)
    world = given(offered(stock=1))
    world.when(more, by=OFFICER).then(r.StockAdded(reward_id=KETTLE, count=4, by=OFFICER))
    world.when(more, by=KITE).then_refused("not_allowed")
    world.when(less, by=OFFICER).then_refused("not_that_many")
    after = world.doing(more, by=OFFICER).doing(less, by=OFFICER)
    assert (after.thing(KETTLE).stock.source, after.thing(KETTLE).stock.free) == (-3, 3)
    given(offered(stock=None)).when(more, by=OFFICER).then_refused("not_counted")
    given(offered(stock=None)).when(less, by=OFFICER).then_refused("not_counted")


@pytest.mark.parametrize("count", [0, -1, 1.5, 2**63])
def test_a_count_is_a_whole_number_above_nothing(count: Any) -> None:
    with pytest.raises(ValidationError):
        r.AddStock(reward_id=KETTLE, count=count)


def test_a_sponsor_says_who_it_is_and_answers_for_more() -> None:
    fund = r.FundSponsor(reward_id=FUND, points=100, name=words("总工会"))
    more = r.FundSponsor(reward_id=FUND, points=50)
    given().when(fund, by=OFFICER).then(FUNDED)
    given().when(more, by=OFFICER).then_refused("not_there")
    given().when(fund, by=KITE).then_refused("not_allowed")
    world = given(FUNDED).doing(more, by=OFFICER)
    assert world.thing(FUND).budget.free == 150


def test_a_station_is_opened_changed_closed_and_opened_again() -> None:
    opening = r.OpenStation(reward_id=STOP, place=PLACE)
    given().when(opening, by=OFFICER).then(OPENED)
    given().when(opening, by=KITE).then_refused("not_allowed")
    given(OPENED).when(opening, by=OFFICER).then_nothing()
    larger = PLACE.model_copy(update={"capacity": 12})
    again = r.OpenStation(reward_id=STOP, place=larger)
    given(OPENED).when(again, by=OFFICER).then_refused("exists_already")
    change = r.ChangeStation(reward_id=STOP, place=larger)
    given(OPENED).when(change, by=OFFICER).then(a(r.StationChanged, place=larger))
    given().when(change, by=OFFICER).then_refused("unknown_station")
    given(OPENED).when(r.ChangeStation(reward_id=STOP, place=PLACE), by=OFFICER).then_nothing()
    closing = r.CloseStation(reward_id=STOP)
    closed = r.StationClosed(reward_id=STOP, by=OFFICER)
    given(OPENED).when(closing, by=OFFICER).then(closed)
    given(OPENED, closed).when(closing, by=OFFICER).then_nothing()
    given().when(closing, by=OFFICER).then_refused("unknown_station")
    given(OPENED, closed).when(again, by=OFFICER).then(a(r.StationOpened, place=larger))


def test_a_station_stands_in_wgs84_in_an_area_that_is_known() -> None:
    from_a_map = PLACE.model_copy(
        update={"position": Position(lat=29.77, lng=121.3, datum=Datum.GCJ02)}
    )
    world = given().doing(r.OpenStation(reward_id=STOP, place=from_a_map), by=OFFICER)
    kept = world.thing(STOP).place.position
    assert kept.datum is Datum.WGS84
    assert kept.lat != 29.77
    nowhere = PLACE.model_copy(update={"area": "nowhere"})
    given().when(r.OpenStation(reward_id=STOP, place=nowhere), by=OFFICER).then_refused("not_there")


def test_a_window_may_be_open_on_one_side() -> None:
    for window in ({"visible_from": NOON}, {"visible_until": NOON + timedelta(days=1)}):
        offer = r.OfferItem(reward_id=KETTLE, terms=terms(**window))
        given().when(offer, by=OFFICER).then(r.ItemOffered)
