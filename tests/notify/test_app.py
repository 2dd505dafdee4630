"""The whole room on real servers: facts go in, notices come out, what became of them is a fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.case import CloseOutcome, UnitKind, Why
from contracts.envelope import Fact, Recorded
from contracts.notice import Channel, NoticeDelivered, NoticeKind, NoticeParked
from contracts.party import PartyKind, PartyRegistered
from tests.notify.given import (
    accepted,
    awarded,
    closed,
    dispatched,
    registered,
    resolved,
    reworked,
)
from tests.notify.receiver import SECRET, Receiver, receiving
from tests.notify.rooms import House, open_house, open_key_store, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORY = (
    accepted(),
    dispatched(),
    dispatched("sanitation", UnitKind.DEPARTMENT, Why.BY_DISPATCHER, dispatch=2),
    resolved(),
    closed(CloseOutcome.FIXED),
    awarded(),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def key_store() -> AsyncIterator[tuple[str, Path]]:
    async with open_key_store() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def house(key_store: tuple[str, Path]) -> AsyncIterator[House]:
    async with open_house(*key_store) as opened:
        yield opened


def kite(receiver: Receiver) -> tuple[PartyRegistered, PartyRegistered]:
    """A rider who reads English, reached through the platform."""
    platform = registered(
        "platform-kite",
        kind=PartyKind.PLATFORM,
        webhook=receiver.url,
        webhook_secret=SECRET,
    )
    return platform, registered(language="en", platform="platform-kite")


def reports(count: int) -> list[Fact]:
    """As many accepted reports of one rider."""
    return [accepted().model_copy(update={"report_id": f"demo-{n:04}"}) for n in range(count)]


def deliveries(facts: list[Recorded], channel: Channel) -> Counter[str]:
    """How often each notice was recorded as delivered on a channel."""
    told = (fact.body for fact in facts)
    return Counter(
        t.notice_id for t in told if isinstance(t, NoticeDelivered) and t.channel is channel
    )


async def test_a_whole_story_is_told_on_both_channels_and_each_notice_recorded_once(
    house: House,
) -> None:
    async with receiving(200) as receiver:
        await house.write(*kite(receiver), *STORY)
        async with house.notify():
            facts = await until(house.facts, lambda found: len(found) >= 12)
        outbox = await house.outbox()
    assert [(n.receiver, n.kind) for n in sorted(outbox, key=lambda n: (n.sequence, n.kind))] == [
        ("rider-01", NoticeKind.REPORT_RECEIVED),
        ("rider-01", NoticeKind.CASE_DISPATCHED),
        ("street-taoyuan", NoticeKind.WORK_ORDERED),
        ("rider-01", NoticeKind.CASE_DISPATCHED),
        ("sanitation", NoticeKind.WORK_ORDERED),
        ("rider-01", NoticeKind.WORK_RESOLVED),
        ("rider-01", NoticeKind.POINTS_AWARDED),
    ]
    assert deliveries(facts, Channel.OUTBOX) == Counter(n.notice_id for n in outbox)
    for_the_rider = Counter(n.notice_id for n in outbox if n.receiver == "rider-01")
    assert deliveries(facts, Channel.WEBHOOK) == Counter(receiver.ids) == for_the_rider
    assert "You have earned 5 points." in str(receiver.got)


async def test_a_receiver_that_fails_twice_is_told_at_the_third_try(house: House) -> None:
    async with receiving(500, 500, 200) as receiver:
        await house.write(*kite(receiver), accepted())
        async with house.notify():
            facts = await until(house.facts, lambda found: len(found) == 2)
    [told] = [f.body for f in facts if getattr(f.body, "channel", None) is Channel.WEBHOOK]
    assert isinstance(told, NoticeDelivered)
    assert told.attempts == len(receiver.ids) == 3
    assert len(set(receiver.ids)) == 1


async def test_after_the_last_try_the_notice_is_parked_and_the_outbox_has_it(house: House) -> None:
    async with receiving(503) as receiver:
        await house.write(*kite(receiver), accepted())
        async with house.notify():
            facts = await until(house.facts, lambda found: len(found) == 2)
    [parked] = [f.body for f in facts if isinstance(f.body, NoticeParked)]
    assert (parked.attempts, parked.reason) == (3, "HTTP status 503")
    assert sum(deliveries(facts, Channel.OUTBOX).values()) == 1
    assert len(receiver.ids) == 3


async def test_a_receiver_that_is_gone_is_tried_once(house: House) -> None:
    async with receiving(410) as receiver:
        await house.write(*kite(receiver), accepted())
        async with house.notify():
            facts = await until(house.facts, lambda found: len(found) == 2)
    [parked] = [f.body for f in facts if isinstance(f.body, NoticeParked)]
    assert parked.attempts == len(receiver.ids) == 1


async def test_a_receiver_that_fails_keeps_nobody_else_waiting(house: House) -> None:
    async with receiving(500) as failing, receiving(200) as well:
        other = registered(
            "sanitation", kind=PartyKind.UNIT, webhook=well.url, webhook_secret=SECRET
        )
        await house.write(
            *kite(failing),
            other,
            dispatched("sanitation", UnitKind.DEPARTMENT, Why.DIRECT_BY_AREA),
        )
        async with house.notify():
            facts = await until(house.facts, lambda found: len(found) == 4)
    states = {
        (f.body.receiver, type(f.body).__name__)
        for f in facts
        if isinstance(f.body, NoticeDelivered | NoticeParked) and f.body.channel is Channel.WEBHOOK
    }
    assert states == {("rider-01", "NoticeParked"), ("sanitation", "NoticeDelivered")}
    assert len(well.ids) == 1


async def test_hundreds_of_notices_that_wait_for_a_later_try_keep_nobody_else_waiting(
    house: House,
) -> None:
    house.settings = replace(house.settings, notice_retry_delays=(600.0,))
    async with receiving(500) as failing, receiving(200) as well:
        other = registered(
            "sanitation", kind=PartyKind.UNIT, webhook=well.url, webhook_secret=SECRET
        )
        await house.write(*kite(failing), other, *reports(400), reworked())
        async with house.notify():
            facts = await until(house.facts, lambda found: len(found) >= 402)
    assert deliveries(facts, Channel.WEBHOOK) == Counter(well.ids)
    assert len(well.ids) == 1


async def test_history_is_told_to_nobody(house: House) -> None:
    await house.write(accepted(), dispatched(), history=True)
    await house.write(resolved())
    async with house.notify():
        await until(house.facts, lambda found: len(found) == 1)
    assert [n.kind for n in await house.outbox()] == [NoticeKind.WORK_RESOLVED]


async def test_two_processes_share_the_work_and_each_notice_is_told_once(house: House) -> None:
    async with receiving(200) as receiver:
        await house.write(*kite(receiver), *reports(40))
        async with house.notify(), house.notify():
            facts = await until(house.facts, lambda found: len(found) >= 80)
    once = Counter(notice.notice_id for notice in await house.outbox())
    assert len(once) == 40
    assert deliveries(facts, Channel.OUTBOX) == once
    assert deliveries(facts, Channel.WEBHOOK) == once
    assert set(receiver.ids) == set(once)


async def test_the_server_dies_in_the_middle_and_nothing_is_lost_or_recorded_twice(
    house: House,
) -> None:
    async with receiving(200, seconds=0.5) as receiver:
        await house.write(*kite(receiver), *reports(200))
        async with house.notify():
            before = await until(house.facts, lambda found: len(found) >= 10)
            await house.nats.kill()
            await house.nats.start()
            facts = await until(house.facts, lambda found: len(found) >= 400, within=60)
    once = Counter(notice.notice_id for notice in await house.outbox())
    assert len(before) < 400
    assert len(once) == 200
    assert deliveries(facts, Channel.OUTBOX) == once
    assert deliveries(facts, Channel.WEBHOOK) == once
    assert set(receiver.ids) == set(once)
