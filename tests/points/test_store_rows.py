"""The store as rows: wishes, items, assets, redemptions, stations, the public ledger."""

from __future__ import annotations

from itertools import count

import pytest

from contracts import reward as r
from contracts.envelope import Fact
from contracts.reward import TakeStep, WishStep
from services.points.projection import STORE
from services.points.shelf import Asset
from tests.contracts.examples import EXAMPLES
from tests.district import KITE, WEST
from tests.folding import Rows, folded, never_raises, rows_of
from tests.given import recorded
from tests.points.store import (
    ANN,
    KETTLE,
    OFFICER,
    OPENED,
    STOP,
    TAKE,
    code,
    earned,
    given,
    offered,
    redeem,
)
from tests.points.test_wishes import APPROVED, ON_LIST, supported

QUOTA = {"period": "month", "per_rider": 1}


def a_life() -> list[Fact]:
    """A kettle is taken and used."""
    before = [OPENED, offered(stock=3, station=STOP, quota=QUOTA), earned()]
    world = given(*before)
    facts = list(before)
    for command, by in (
        (redeem(), KITE),
        (r.UseRedemption(reward_id=TAKE, code="wrong"), WEST),
        (r.UseRedemption(reward_id=TAKE, code=code()), WEST),
    ):
        more = world.decide(command, by=by)
        world, facts = world.after(more), facts + more
    return facts


def rows(*facts: Fact) -> Rows:
    numbers = count(1)
    return folded(STORE, [recorded(fact, next(numbers)) for fact in facts])


def test_a_redemption_is_shown_as_it_goes_on() -> None:
    life = a_life()
    used = rows(*life)["redemption", (TAKE,)]
    assert (used.step, used.tries, used.due_at, used.month) == (TakeStep.USED, 1, None, "2026-05")
    issued = rows(*life[:6])["redemption", (TAKE,)]
    assert issued.step is TakeStep.ISSUED
    assert issued.due_at is not None


def test_every_asset_has_a_row_of_its_own() -> None:
    shown = rows(*a_life())
    stock = shown["asset", (f"STOCK/{KETTLE}",)].balances
    own = shown["asset", (f"QUOTA/{KETTLE}/2026-05/{ANN}",)].balances
    assert (stock, own) == (Asset(-3, 2, 0, 1), Asset(-1, 0, 0, 1))


def test_what_was_used_is_public_under_a_pseudonym() -> None:
    (line,) = [row for (table, _), row in rows(*a_life()).items() if table == "public"]
    assert (line.item_id, line.points, line.month, line.part) == (KETTLE, 20, "2026-05", 1)
    assert ANN not in str(line)
    assert TAKE not in str(line)


def test_a_wish_counts_who_stands_behind_it() -> None:
    gathered = r.WishGathered(reward_id="wish-shade", other="wish-b", riders=("x", "y"))
    (row,) = rows(*ON_LIST, gathered, supported("z"), APPROVED).values()
    assert (row.step, row.supporters) == (WishStep.APPROVED, 4)


def test_a_station_that_is_closed_stays_known() -> None:
    closed = r.StationClosed(reward_id=STOP, by=OFFICER)
    assert rows(OPENED)["station", (STOP,)].closed is False
    assert rows(OPENED, closed)["station", (STOP,)].closed is True


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_the_store_shows_its_own_facts_and_no_others(fact: Fact) -> None:
    assert bool(rows_of(STORE, fact)) is (fact.stream == "reward")


@pytest.mark.parametrize(
    "fact", [f for f in EXAMPLES if f.stream == "reward"], ids=lambda fact: type(fact).__name__
)
def test_any_fact_is_folded_whatever_stands_there(fact: Fact) -> None:
    never_raises(STORE, fact)
