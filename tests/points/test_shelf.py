"""Stock, quotas and budgets: whatever is done in whatever order, nothing appears or is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts import reward as r
from contracts.envelope import Command, Refused
from contracts.reward import TakeStep
from services.points.decider.reward.state import Take
from services.points.shelf import NONE, Asset, Item, Sponsor
from services.points.tables.shelf import AssetRow, asset, assets_of
from tests.district import KITE, SWIFT, WEST
from tests.given import NOON, recorded
from tests.points.store import (
    FUND,
    KETTLE,
    OFFICER,
    OPENED,
    RIDERS,
    STOP,
    World,
    code,
    earned,
    given,
    offered,
    redeem,
    words,
)

QUOTA = {"period": "month", "per_rider": 2, "in_all": 4}
PRICE, POINTS, BUDGET = 10, 65, 90


def test_what_is_taken_is_given() -> None:
    asset = NONE.move("source", "free", 5).move("free", "held").move("held", "used")
    assert asset == Asset(-5, 4, 0, 1)
    assert list(asset.faults()) == []


def test_a_limit_that_is_lowered_takes_nothing_away_that_somebody_has() -> None:
    full = NONE.limited_to(3).move("free", "held", 2).move("held", "used")
    assert full.limited_to(1) == Asset(-2, 0, 1, 1)
    assert full.limited_to(5) == Asset(-5, 3, 1, 1)


@pytest.mark.parametrize(
    ("broken", "fault"), [(Asset(-1, 2, 0, 0), "L1"), (Asset(1, -1, 0, 0), "L3")]
)
def test_what_is_wrong_is_named(broken: Asset, fault: str) -> None:
    assert [found[:2] for found in broken.faults()] == [fault]
    assert any(fault in found for found in Item(stock=broken).faults())


def test_pieces_held_for_nobody_are_named() -> None:
    assert [found[:2] for found in Item(stock=Asset(-1, 0, 1, 0)).faults()] == ["L7"]


class StoreMachine(RuleBasedStateMachine):
    """Everything that can be done to one item, in any order, and a plain model beside it."""

    @initialize(stock=st.one_of(st.none(), st.integers(0, 5)), sponsored=st.booleans())
    def open(self, stock: int | None, sponsored: bool) -> None:
        funded = r.SponsorFunded(reward_id=FUND, points=BUDGET, name=words("工会"), by=OFFICER)
        more = {"sponsor": FUND} if sponsored else {}
        item = offered(stock=stock, price=PRICE, quota=QUOTA, station=STOP, **more)
        riches = [earned(rider, POINTS, f"r-{rider}") for rider in RIDERS]
        self.world: World = given(OPENED, funded, item, *riches)
        self.rows: dict[str, AssetRow | None] = {}
        self.log(item, funded)
        self.at = NOON
        self.taken: list[str] = []
        self.spent = dict.fromkeys(RIDERS, 0)
        self.steps = 0

    def log(self, *facts: Any) -> None:
        """The rows follow from the facts alone."""
        for fact in facts:
            told = recorded(fact)
            for key in assets_of(told):
                self.rows[key[0]] = asset(self.rows.get(key[0]), told, key)

    def carry_out(self, command: Command, by: str) -> bool:
        """Sent twice: the second time changes nothing, whatever the first has come to."""
        before = self.world
        try:
            facts = self.world.decide(command, by=by, at=self.at)
        except Refused:
            assert self.world == before
            return False
        self.world = self.world.after(facts)
        self.log(*facts)
        once = self.world
        try:
            again = self.world.decide(command, by=by, at=self.at)
        except Refused:
            again = []
        idempotent = not isinstance(command, r.UseRedemption | r.ReissueCode | r.AddStock)
        if not (isinstance(command, r.RemoveStock | r.FundSponsor) or not idempotent):
            assert again == []
        assert self.world == once
        return bool(facts)

    @rule(rider=st.sampled_from(sorted(RIDERS)))
    def take_one(self, rider: str) -> None:
        take = f"take-{len(self.taken)}"
        before = self.world.account(rider).available
        if self.carry_out(redeem(rider, take), by=RIDERS[rider]):
            self.taken.append(take)
            assert self.world.account(rider).available == before - PRICE

    @rule(data=st.data(), right=st.booleans(), who=st.sampled_from([WEST, OFFICER, KITE, SWIFT]))
    def use_one(self, data: Any, right: bool, who: str) -> None:
        if not self.taken:
            return
        take = data.draw(st.sampled_from(self.taken))
        found: Take = self.world.thing(take)
        shown = code(take, found.issue) if right else code("take-nobody")
        was = found.step
        self.carry_out(r.UseRedemption(reward_id=take, code=shown), by=who)
        if self.world.thing(take).step is TakeStep.USED and was is not TakeStep.USED:
            assert right
            assert who in (WEST, OFFICER)
            assert found.held is not None
            self.spent[found.held.rider_id] += PRICE

    @rule(data=st.data(), who=st.sampled_from([KITE, SWIFT, OFFICER]))
    def cancel_one(self, data: Any, who: str) -> None:
        if self.taken:
            take = data.draw(st.sampled_from(self.taken))
            self.carry_out(r.CancelRedemption(reward_id=take), by=who)

    @rule(data=st.data())
    def renew_one(self, data: Any) -> None:
        if self.taken:
            take = data.draw(st.sampled_from(self.taken))
            self.carry_out(r.ReissueCode(reward_id=take), by=KITE)

    @rule(data=st.data())
    def let_one_expire(self, data: Any) -> None:
        if self.taken:
            take = data.draw(st.sampled_from(self.taken))
            due = self.world.thing(take).due_at
            if due is not None:
                self.carry_out(r.ExpireRedemption(reward_id=take, moment=due), by="points")

    @rule(count=st.integers(1, 3), gone=st.booleans())
    def restock(self, count: int, gone: bool) -> None:
        kind = r.RemoveStock if gone else r.AddStock
        self.carry_out(kind(reward_id=KETTLE, count=count), by=OFFICER)

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.at += timedelta(days=days)

    @invariant()
    def nothing_appears_and_nothing_is_lost(self) -> None:
        if not hasattr(self, "world"):
            return
        item, sponsor = self.world.thing(KETTLE), self.world.thing(FUND)
        takes = [self.world.thing(take) for take in self.taken]
        open_ones = [take for take in takes if take.open]
        used = [take for take in takes if take.step is TakeStep.USED]
        assert list(item.faults()) == []  # L1, L3, L7
        assert list(sponsor.budget.faults()) == []
        assert (item.stock.held, item.stock.used) == (len(open_ones), len(used))
        if item.terms.sponsor:
            held, spent = PRICE * len(open_ones), PRICE * len(used)
            assert (sponsor.budget.held, sponsor.budget.used) == (held, spent)
        for rider in RIDERS:
            account = self.world.account(rider)
            own = [take for take in open_ones if take.held.rider_id == rider]
            assert account.held == PRICE * len(own)
            assert account.available == POINTS - self.spent[rider] - account.held
            assert account.available >= 0

    @invariant()
    def the_rows_say_the_same_as_the_states(self) -> None:
        if not hasattr(self, "world"):
            return
        item: Item = self.world.thing(KETTLE)
        sponsor: Sponsor = self.world.thing(FUND)
        expected = {f"STOCK/{KETTLE}": item.stock, f"BUDGET/{FUND}": sponsor.budget}
        for period, quota in item.in_all.items():
            expected[f"QUOTA/{KETTLE}/{period}"] = quota
        for (period, rider), quota in item.per_rider.items():
            expected[f"QUOTA/{KETTLE}/{period}/{rider}"] = quota
        for name, balances in expected.items():
            row = self.rows[name]
            assert row is not None
            assert row.balances == balances


StoreMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)
TestTheStoreInAnyOrder = StoreMachine.TestCase
