"""The store on real servers, everybody at once: one wins, nobody loses a point."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from contracts import reward as r
from contracts.account import LotPart, PointsHeld
from contracts.envelope import Fact, Outcome, Sealed
from contracts.party import PartyKind
from contracts.reward import TakeStep
from eventlog.connect import connect_postgres
from eventlog.deliveries import TRANSIENT
from services.points.watch import REDEMPTIONS, Watch, look_once
from tests.district import KITE, SWIFT, WEST
from tests.notify.rooms import open_key_store
from tests.points.rooms import Shop, new_id, open_shop, outcomes, registered, same
from tests.points.store import ANN, OFFICER, OPENED, STOP, World, earned, terms, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

RACERS = [f"racer-{n:02}" for n in range(50)]
PRICE = 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Shop]:
    """One house with two processes of points; every test uses items and takes of its own."""
    async with AsyncExitStack() as stack:
        key_store = await stack.enter_async_context(open_key_store())
        shop = await stack.enter_async_context(open_shop(*key_store))
        counters = [await stack.enter_async_context(shop.points()) for _ in range(2)]
        shop.counters = counters
        await shop.write(OPENED, *(registered(of, PartyKind.RIDER, KITE) for of in RACERS))
        await shop.write(*(earned(ANN, 500, f"a-{n}") for n in range(20)))
        yield shop


async def offer(shop: Shop, stock: int = 1, **changes: Any) -> str:
    """An item of its own for one test."""
    item = new_id("item")
    agreed = terms(**{"price": PRICE, "station": STOP} | changes)
    await shop.insist(OFFICER, r.OfferItem(reward_id=item, terms=agreed, stock=stock))
    return item


async def taken(shop: Shop, item: str) -> r.Ticket:
    """Ann has a code for the item."""
    take = new_id("take")
    return await shop.insist(KITE, r.RedeemItem(reward_id=take, rider_id=ANN, item_id=item))


async def race(shop: Shop, rounds: int) -> None:
    """All riders at once for the last piece, again and again."""
    before = await shop.world()
    for _ in range(rounds):
        item = await offer(shop)
        answers = await asyncio.gather(
            *(
                shop.ask(KITE, r.RedeemItem(reward_id=new_id("take"), rider_id=rider, item_id=item))
                for rider in RACERS
            )
        )
        assert outcomes(answers) == {"accepted": 1, "out_of_stock": len(RACERS) - 1}
        (winner,) = [answer for answer, _ in answers if answer.outcome is Outcome.ACCEPTED]
        assert winner.step is TakeStep.ISSUED
        assert winner.code
    after = await shop.world()
    assert sum(points_of(after, rider) for rider in RACERS) == sum(
        points_of(before, rider) for rider in RACERS
    )
    assert sum(after.account(rider).held for rider in RACERS) == PRICE * rounds + sum(
        before.account(rider).held for rider in RACERS
    )
    assert faults(after) == []


def points_of(world: World, rider: str) -> int:
    return world.account(rider).available + world.account(rider).held


def faults(world: World) -> list[str]:
    """Every ledger invariant of the store that does not hold."""
    return [fault for thing in world.things.values() for fault in getattr(thing, "faults", list)()]


async def test_fifty_riders_race_for_the_last_piece(shop: Shop) -> None:
    await shop.write(*(earned_by(rider, 40, "race") for rider in RACERS))
    await race(shop, 4)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_fifty_riders_race_for_the_last_piece_a_thousand_times(shop: Shop) -> None:
    await shop.write(*(earned_by(rider, 2_000, "long-race") for rider in RACERS))
    await race(shop, 1_000)


def earned_by(rider: str, points: int, report: str) -> Any:
    return earned(ANN, points, report).model_copy(update={"rider_id": rider})


async def test_a_redemption_sent_twice_at_once_is_made_once_and_answered_alike(shop: Shop) -> None:
    item, before = await offer(shop, stock=5), await shop.world()
    command = r.RedeemItem(reward_id=new_id("take"), rider_id=ANN, item_id=item)
    answers = await asyncio.gather(*(shop.ask(KITE, command, "same") for _ in range(6)))
    assert same(answers)
    assert Counter(known for _, known in answers) == {False: 1, True: 5}
    after = await shop.world()
    assert after.thing(item).stock.held == 1
    assert after.account().held == before.account().held + PRICE
    assert answers[0][0].code is not None


async def test_the_code_of_the_answer_is_the_code_that_is_used(shop: Shop) -> None:
    ticket = await taken(shop, await offer(shop))
    shown, _ = await shop.ask(KITE, r.ShowCode(reward_id=ticket.id))
    assert shown.code == ticket.code
    refused, _ = await shop.ask(SWIFT, r.ShowCode(reward_id=ticket.id))
    assert refused.outcome is Outcome.REFUSED
    await shop.insist(WEST, r.UseRedemption(reward_id=ticket.id, code=str(ticket.code)))
    again, _ = await shop.ask(KITE, r.ShowCode(reward_id=ticket.id))
    assert (again.step, again.code) == (TakeStep.USED, None)


async def test_a_code_used_by_many_at_once_is_used_once(shop: Shop) -> None:
    item, before = await offer(shop), await shop.world()
    ticket = await taken(shop, item)
    use = r.UseRedemption(reward_id=ticket.id, code=str(ticket.code))
    answers = await asyncio.gather(
        *(shop.ask(party, use) for party in (WEST, OFFICER) for _ in range(5))
    )
    assert outcomes(answers)["accepted"] == 1
    assert set(outcomes(answers)) <= {"accepted", "already_used", "not_now"}
    after = await shop.world()
    assert points_of(after, ANN) == points_of(before, ANN) - PRICE
    assert after.thing(item).stock.used == 1


async def test_cancel_and_use_at_once_have_one_winner(shop: Shop) -> None:
    for _ in range(6):
        before = await shop.world()
        ticket = await taken(shop, await offer(shop))
        use = r.UseRedemption(reward_id=ticket.id, code=str(ticket.code))
        cancel = r.CancelRedemption(reward_id=ticket.id)
        (used, _), (cancelled, _) = await asyncio.gather(
            shop.ask(WEST, use), shop.ask(KITE, cancel)
        )
        assert {used.outcome, cancelled.outcome} == {Outcome.ACCEPTED, Outcome.REFUSED}
        after = await shop.world()
        spent = PRICE if used.outcome is Outcome.ACCEPTED else 0
        assert points_of(after, ANN) == points_of(before, ANN) - spent
        assert after.account().held == before.account().held
        assert faults(after) == []


async def test_approve_and_cancel_at_once_leave_nothing_half_done(shop: Shop) -> None:
    for _ in range(4):
        before = await shop.world()
        ticket = await taken(shop, await offer(shop, approved_first=True))
        assert (ticket.step, ticket.code) == (TakeStep.HELD, None)
        await asyncio.gather(
            shop.ask(OFFICER, r.ApproveRedemption(reward_id=ticket.id)),
            shop.ask(KITE, r.CancelRedemption(reward_id=ticket.id)),
        )
        after = await shop.world()
        assert after.thing(ticket.id).step is TakeStep.CANCELLED
        assert after.account().available == before.account().available


async def test_a_refused_operation_changes_nothing(shop: Shop) -> None:
    item = await offer(shop)
    ticket = await taken(shop, item)
    before = len(await shop.log())
    for party, command in (
        (KITE, r.RedeemItem(reward_id=new_id("take"), rider_id=ANN, item_id=item)),
        (SWIFT, r.RedeemItem(reward_id=new_id("take"), rider_id=ANN, item_id=item)),
        (KITE, r.UseRedemption(reward_id=ticket.id, code=str(ticket.code))),
        (SWIFT, r.CancelRedemption(reward_id=ticket.id)),
        (OFFICER, r.RemoveStock(reward_id=item, count=1)),
        (KITE, r.OfferItem(reward_id=new_id("item"), terms=terms())),
        (OFFICER, r.ApproveWish(reward_id=new_id("wish"))),
    ):
        answer, _ = await shop.ask(party, command)
        assert answer.outcome is Outcome.REFUSED, (party, command)
    assert len(await shop.log()) == before


async def test_a_wrong_code_is_refused_and_counted(shop: Shop) -> None:
    ticket = await taken(shop, await offer(shop))
    wrong = r.UseRedemption(reward_id=ticket.id, code="00000")
    tries = await asyncio.gather(*(shop.ask(WEST, wrong) for _ in range(8)))
    assert outcomes(tries) == {"wrong_code": 5, "code_locked": 3}
    right = r.UseRedemption(reward_id=ticket.id, code=str(ticket.code))
    locked, _ = await shop.ask(WEST, right)
    assert [reason.code for reason in locked.reasons] == ["code_locked"]
    renewed = await shop.insist(KITE, r.ReissueCode(reward_id=ticket.id))
    assert renewed.code not in (None, ticket.code)
    await shop.insist(WEST, r.UseRedemption(reward_id=ticket.id, code=str(renewed.code)))


async def test_one_id_is_one_command(shop: Shop) -> None:
    item, command_id = await offer(shop, stock=2), new_id()
    first = r.RedeemItem(reward_id=new_id("take"), rider_id=ANN, item_id=item)
    await shop.insist(KITE, first, command_id)
    other = first.model_copy(update={"seen_price": PRICE})
    answer, _ = await shop.ask(KITE, other, command_id)
    assert [reason.code for reason in answer.reasons] == ["command_id_reused"]


async def test_wishes_merge_and_become_an_item_on_real_servers(shop: Shop) -> None:
    wish, other = new_id("wish"), new_id("wish")
    for one, rider in ((wish, RACERS[0]), (other, RACERS[1])):
        said = r.SuggestWish(
            reward_id=one, rider_id=rider, kind=r.RewardKind.GOODS, text="想要防滑手套"
        )
        await shop.insist(KITE, said)
        await shop.insist(OFFICER, r.ListWish(reward_id=one, name=words("手套")))
    support = [
        r.SupportWish(reward_id=wish, rider_id=rider) for rider in (*RACERS[2:6], *RACERS[2:6])
    ]
    await asyncio.gather(*(shop.insist(KITE, one) for one in support))
    await shop.insist(OFFICER, r.MergeWish(reward_id=other, into=wish))
    item = new_id("item")
    offered = r.OfferItem(reward_id=item, terms=terms(price=4), stock=2, wish=wish)
    await shop.insist(OFFICER, offered)
    world = await shop.world()
    assert world.thing(wish).riders == set(RACERS[:6])
    assert world.thing(wish).step is r.WishStep.FULFILLED
    said_in_log = [f.body for f in await shop.log() if isinstance(f.body, r.WishSuggested)]
    assert len(said_in_log) == 2
    assert all(isinstance(one.text, Sealed) for one in said_in_log)


async def test_the_loop_lets_a_code_run_out_and_everything_goes_back(shop: Shop) -> None:
    item, take, rider = await offer(shop), new_id("take"), "racer-late"
    use_by = datetime.now(UTC) - timedelta(minutes=1)
    await shop.write(earned_by(rider, 30, "late"), *held_long_ago(take, item, rider, use_by))
    pool = await connect_postgres(shop.settings.database_url)
    await pool.execute("create schema store")
    await pool.execute("create table store.redemption (redemption_id text, due_at timestamptz)")
    await pool.execute("insert into store.redemption values ($1, $2)", take, use_by)
    watch = Watch(pool, REDEMPTIONS)
    for counter in shop.counters:  # both processes look at once, and again
        await look_once(watch, counter.expire, datetime.now(UTC), TRANSIENT)
        watch = Watch(pool, REDEMPTIONS)
    await pool.close()
    world = await shop.world()
    assert world.thing(take).step is TakeStep.EXPIRED
    assert world.thing(item).stock.free == 1
    assert (world.account(rider).available, world.account(rider).held) == (30, 0)
    expired = [f for f in await shop.log() if isinstance(f.body, r.RedemptionExpired)]
    assert [fact.body.stream_id for fact in expired] == [take]


async def test_a_code_runs_out_once_however_many_say_so_at_once(shop: Shop) -> None:
    """Expiry from both processes, and a rider who gives it back at that very moment."""
    for n in range(4):
        item, take, rider = await offer(shop), new_id("take"), f"racer-last-{n}"
        use_by = datetime.now(UTC) - timedelta(minutes=1)
        await shop.write(earned_by(rider, 30, "late"), *held_long_ago(take, item, rider, use_by))
        await asyncio.gather(
            *(counter.expire(take, use_by) for counter in shop.counters * 2),
            shop.ask(KITE, r.CancelRedemption(reward_id=take)),
            return_exceptions=True,
        )
        world = await shop.world()
        assert world.thing(take).step in (TakeStep.EXPIRED, TakeStep.CANCELLED)
        assert world.thing(item).stock.free == 1
        assert (world.account(rider).available, world.account(rider).held) == (30, 0)
        assert faults(world) == []


def held_long_ago(take: str, item: str, rider: str, use_by: datetime) -> list[Fact]:
    """A redemption whose code has run out and that nobody has looked at since."""
    of: dict[str, Any] = {"redemption_id": take, "rider_id": rider, "period": ""}
    held = r.RedemptionHeld(
        reward_id=take,
        rider_id=rider,
        platform=KITE,
        item_id=item,
        name=words("试品"),
        kind=r.RewardKind.GOODS,
        price=PRICE,
        period="",
        station=STOP,
        refundable=True,
        code_days=1,
        rulebook="small@1",
    )
    code = r.CodeIssued(
        reward_id=take,
        rider_id=rider,
        name=words("试品"),
        issue=1,
        code_hash="0" * 64,
        use_by=use_by,
        by=KITE,
    )
    points = PointsHeld(
        rider_id=rider,
        hold_id=take,
        item=item,
        points=PRICE,
        parts=(LotPart(lot="late", points=PRICE),),
    )
    return [held, code, r.StockHeld(reward_id=item, price=PRICE, **of), points]
