"""Accounts on real servers: two processes, every request twice at once, the check afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from contracts import account as a
from contracts import reward as r
from contracts.case import CaseClosed, CloseOutcome, Gathered
from contracts.envelope import Answer, Command, Outcome
from contracts.rulebook import DocumentKind, Rulebook, RulebookPublished
from deploy.ledger_check import Found, check_ledger
from eventlog.asking import ask
from eventlog.connect import connect_postgres
from eventlog.project import ProjectionRunner
from eventlog.read import read_log
from services.points.awards import lot_id
from services.points.projection import POINTS, STORE
from tests.district import KITE, SANITATION, document
from tests.eventlog.site import reached, running
from tests.given import NOON
from tests.notify.rooms import open_key_store
from tests.points.rooms import SECOND, Shop, new_id, open_shop, same
from tests.points.store import ANN, BO, OFFICER, OPENED, STOP, earned, terms

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACT, FRAUD = a.GrantKind.ACT, a.ReversalReason.FRAUD
EARNING = {
    "version": 2,
    "pending_days": 0,
    "lifetime_days": 30,
    "caps": {"place_day": 50, "cluster_percent": 160},
    "split": {"confirmers": 3, "percent": 20},
    "acts": [{"code": "escort", "name": "x", "points": 10}],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Shop]:
    """One house with two processes of points, and limits that riders share."""
    async with AsyncExitStack() as stack:
        key_store = await stack.enter_async_context(open_key_store())
        shop = await stack.enter_async_context(open_shop(*key_store))
        book = Rulebook.model_validate(document(earning=EARNING))
        await shop.write(
            RulebookPublished(
                name="small",
                kind=DocumentKind.EARNING,
                version=2,
                digest="",
                document=book.earning,
            ),
            OPENED,
        )
        for _ in range(2):
            await stack.enter_async_context(shop.points())
        yield shop


def closed(report: str, rider: str, *others: str, area: str | None = None) -> CaseClosed:
    """A case of bare wires, 8 points, that was fixed; and who else had reported it."""
    return CaseClosed(
        case_id=report,
        report_id=report,
        rider_id=rider,
        platform=KITE,
        unit=SANITATION,
        service_code="bare-wires",
        area=area,
        outcome=CloseOutcome.FIXED,
        gathered=tuple(
            Gathered(report_id=f"{report}-{other}", rider_id=other, platform=KITE)
            for other in others
        ),
        closed_at=NOON,
    )


async def settled(shop: Shop, reports: set[str]) -> list[a.PointsAwarded | a.PointsWithheld]:
    """What was decided on these reports, once all of them are."""
    async with asyncio.timeout(30):
        while True:
            found = [
                fact.body
                for fact in await shop.log()
                if isinstance(fact.body, a.PointsAwarded | a.PointsWithheld)
                and fact.body.report_id in reports
            ]
            if {fact.report_id for fact in found} == reports:
                return found
            await asyncio.sleep(0.05)


async def twice(shop: Shop, party: str, command: Command) -> list[tuple[Answer, bool]]:
    """The same request twice at the same time, under one id."""
    command_id = new_id()
    nc = shop.connections[party]
    return await asyncio.gather(*(ask(nc, party, command, command_id) for _ in range(2)))


async def entries(shop: Shop, rider: str) -> list[a.Entry]:
    return [
        fact.body
        for fact in await shop.log()
        if isinstance(fact.body, a.Entry) and fact.body.stream_id == rider
    ]


async def test_every_request_sent_twice_at_once_has_one_effect_and_one_answer(shop: Shop) -> None:
    rider, report = ANN, new_id("report")
    await shop.write(closed(report, rider))
    await settled(shop, {report})
    lot = lot_id(report, "condition:bare-wires-plain", rider)
    adjustment = new_id("adjustment")
    story: list[tuple[str, Command]] = [
        (OFFICER, a.GrantPoints(rider_id=rider, kind=ACT, code="escort", occasion="june")),
        (OFFICER, a.ReversePoints(rider_id=rider, lot=lot, reason=FRAUD, note="false")),
        (KITE, a.AppealReversal(rider_id=rider, reversal_id=lot, note="it is not")),
        (
            SECOND,
            a.DecideReversalAppeal(rider_id=rider, reversal_id=lot, granted=True, note="right"),
        ),
        (
            OFFICER,
            a.ProposeAdjustment(
                rider_id=rider,
                adjustment_id=adjustment,
                points=-3,
                reason=a.AdjustmentReason.CORRECTION,
                note="entered twice",
            ),
        ),
        (SECOND, a.DecideAdjustment(rider_id=rider, adjustment_id=adjustment, approve=True)),
    ]
    moves = {0: 2, 1: 1, 2: 0, 3: 1, 4: 0, 5: 1}
    for step, (party, command) in enumerate(story):
        before = len(await entries(shop, rider))
        answers = await twice(shop, party, command)
        assert [answer.outcome for answer, _ in answers] == [Outcome.ACCEPTED] * 2, answers
        assert same(answers)
        assert len(await entries(shop, rider)) - before == moves[step], command
        repeated, known = await ask(
            shop.connections[party], party, command, "another-id-" + str(step)
        )
        assert len(await entries(shop, rider)) - before == moves[step], command
        assert known or repeated.outcome is Outcome.REFUSED


async def test_a_refused_request_writes_nothing(shop: Shop) -> None:
    rider = BO
    await shop.write(closed(report := new_id("report"), rider))
    await settled(shop, {report})
    lot = lot_id(report, "condition:bare-wires-plain", rider)
    before = await shop.log()
    refused: list[tuple[str, Command]] = [
        (KITE, a.ReversePoints(rider_id=rider, lot=lot, reason=FRAUD)),
        (OFFICER, a.ReversePoints(rider_id=rider, lot="unheard-of", reason=FRAUD)),
        (OFFICER, a.GrantPoints(rider_id=rider, kind=ACT, code="none", occasion="june")),
        (SECOND, a.DecideAdjustment(rider_id=rider, adjustment_id="none", approve=True)),
        (KITE, a.AppealReversal(rider_id=rider, reversal_id=lot, note="nothing was taken")),
    ]
    for party, command in refused:
        answers = await twice(shop, party, command)
        assert [answer.outcome for answer, _ in answers] == [Outcome.REFUSED] * 2
    assert await shop.log() == before


async def test_a_shared_limit_is_kept_to_the_point_however_many_come_at_once(shop: Shop) -> None:
    """Twenty cases at one place on one day, heard by two processes: fifty points, and no more."""
    reports = {new_id("capped") for _ in range(20)}
    await shop.write(*(closed(report, f"rider-{report}", area="a-west") for report in reports))
    decided = await settled(shop, reports)
    points = [fact.points for fact in decided if isinstance(fact, a.PointsAwarded)]
    assert sum(points) == 50
    assert sorted(points) == [2, *[8] * 6]
    counted = [
        fact.body
        async for fact in _counted(shop)
        if fact.body.cap is a.CapName.PLACE_DAY and fact.body.report_id in reports
    ]
    assert sum(fact.points for fact in counted) == 50


async def _counted(shop: Shop) -> AsyncIterator[Any]:
    async for batch in read_log(shop.js("auditor"), subjects=("log.cap.>",)):
        for fact in batch:
            yield fact


async def test_who_confirmed_earns_a_share_and_nobody_twice(shop: Shop) -> None:
    others = [new_id("confirmer") for _ in range(4)]
    report, first = new_id("cluster"), new_id("first")
    fact = closed(report, first, *others, others[0])
    await shop.write(fact)
    decided = await settled(shop, {report, *(f"{report}-{other}" for other in others)})
    earned_by = [(f.rider_id, f.points) for f in decided if isinstance(f, a.PointsAwarded)]
    assert earned_by == [(first, 8), *((other, 1) for other in others[:3])]
    withheld = [f.caps for f in decided if isinstance(f, a.PointsWithheld)]
    assert (a.CapName.CONFIRMERS,) in withheld


async def test_award_and_reversal_at_the_same_time(shop: Shop) -> None:
    """Whichever comes first: it was earned once, and taken back at most once."""
    riders = [new_id("racer") for _ in range(12)]
    reports = {rider: new_id("raced") for rider in riders}
    nc = shop.connections[OFFICER]

    async def reverse(rider: str) -> None:
        command = a.ReversePoints(rider_id=rider, report_id=reports[rider], reason=FRAUD)
        for attempt in range(40):
            answer, _ = await ask(nc, OFFICER, command, f"reverse-{rider}-{attempt}")
            if answer.outcome is Outcome.ACCEPTED:
                return
            await asyncio.sleep(0.02)

    closing = [closed(reports[rider], rider) for rider in riders]
    await asyncio.gather(shop.write(*closing), *(reverse(r) for r in riders for _ in range(2)))
    await settled(shop, set(reports.values()))
    for rider in riders:
        kinds = [type(entry).__name__ for entry in await entries(shop, rider)]
        assert kinds.count("PointsAwarded") == 1
        assert kinds.count("PointsReversed") == 1
        account = (await shop.world()).account(rider)
        assert (account.pending, account.available, account.debt) == (0, 0, 0)


async def test_hold_and_expiry_at_the_same_time(shop: Shop) -> None:
    """A lot that expires now is held, or expires; never both, and never spent too late."""
    item = new_id("item")
    agreed = terms(price=5, station=STOP)
    await shop.insist(OFFICER, r.OfferItem(reward_id=item, terms=agreed, stock=50))
    soon = [new_id("expiring") for _ in range(6)]
    now = NOON.now(NOON.tzinfo)
    for name in soon:
        await shop.write(
            earned(ANN, 5, name).model_copy(
                update={"lot": None, "activates_at": now - timedelta(days=30), "lifetime_days": 30}
            )
        )
    takes = [
        shop.ask(KITE, r.RedeemItem(reward_id=new_id("take"), rider_id=ANN, item_id=item))
        for _ in range(12)
    ]
    answers = await asyncio.gather(*takes)
    assert {answer.outcome for answer, _ in answers} <= {Outcome.ACCEPTED, Outcome.REFUSED}
    account = (await shop.world()).account(ANN)
    for lot in map(account.lots.__getitem__, soon):
        assert (lot.free, lot.held, lot.expired) == (0, 0, 5)


async def checked(shop: Shop, pool: asyncpg.Pool) -> Found:
    """The tables, brought up to date, against the log."""
    js = shop.js("projector")
    log = await shop.log()
    ends = {
        name: max(f.sequence for f in log if f.subject.startswith(name))
        for name in ("log.account.", "log.reward.")
    }
    async with running(ProjectionRunner(POINTS, js, pool), ProjectionRunner(STORE, js, pool)):
        await reached(pool, POINTS, ends["log.account."])
        await reached(pool, STORE, ends["log.reward."])
    return await check_ledger(shop.js("auditor"), pool)


MEDDLING = {
    "points.passbook": "UPDATE points.passbook SET available = available + 1 WHERE rider_id = $1",
    "points.entry": "UPDATE points.entry SET points = points + 1 WHERE rider_id = $1 AND leg = 0"
    " AND sequence = (SELECT min(sequence) FROM points.entry WHERE rider_id = $1)",
    "points.lot": "DELETE FROM points.lot WHERE rider_id = $1 AND lot ="
    " (SELECT min(lot) FROM points.lot WHERE rider_id = $1)",
    "points.balance": "UPDATE points.balance SET debits = debits - 1"
    " WHERE account = 'rider:' || $1 || ':available'",
    "store.asset": "UPDATE store.asset SET free = free + 1 WHERE asset ="
    " (SELECT min(asset) FROM store.asset WHERE $1 <> '')",
}


async def test_after_all_of_that_the_check_is_clean_and_names_whatever_is_edited(
    shop: Shop,
) -> None:
    """The last but one test of this house."""
    pool = await connect_postgres(shop.settings.keys_url)
    found = await checked(shop, pool)
    # Awards that the tests wrote themselves, as from before there were lots, carry no balances.
    assert found.violations == []
    assert found.facts > 50
    assert found.accounts > 20
    for table, statement in MEDDLING.items():
        async with pool.acquire() as connection:
            kept = await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608 - a table of ours
            await connection.execute(statement, BO)
            edited = await check_ledger(shop.js("auditor"), pool)
            assert edited.count == 1, (table, edited.violations)
            (violation,) = edited.violations
            assert violation.invariant == "L15"
            assert violation.subject.startswith(table)
            await connection.execute(f"TRUNCATE {table}")
            schema, name = table.split(".")
            await connection.copy_records_to_table(
                name, schema_name=schema, records=map(tuple, kept)
            )
    assert (await check_ledger(shop.js("auditor"), pool)).count == 0
    await pool.close()


async def test_a_forged_fact_is_named_by_the_invariant_that_it_breaks(shop: Shop) -> None:
    """The last test of this house: its log is not the same afterwards."""
    pool = await connect_postgres(shop.settings.keys_url)
    last = next(e for e in reversed(await entries(shop, BO)) if isinstance(e, a.PointsAwarded))
    await shop.write(last)
    stream = await shop.log()
    found = await checked(shop, pool)
    assert min(v.sequence for v in found.violations) == stream[-1].sequence
    assert {v.invariant for v in found.violations} >= {"L4", "L15"}
    await pool.close()
