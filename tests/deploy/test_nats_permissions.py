"""Who gets where on a real server. A refusal is told in passing; the caller sees a timeout."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, NoRespondersError
from nats.errors import TimeoutError as NothingYet

from deploy.permissions import Kind, Party
from deploy.streams import work_queue
from tests.deploy.city import PARTIES, City
from tests.deploy.folders import empty_house

SETTLE = 0.2
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[City]:
    with empty_house() as folder:
        async with City(folder) as city:
            yield city


@pytest_asyncio.fixture(loop_scope="module")
async def own_city(house: Path) -> AsyncIterator[City]:
    """A city to change."""
    async with City(house) as city:
        yield city


@pytest_asyncio.fixture(loop_scope="module")
async def city(shared: City) -> AsyncIterator[City]:
    """The one city of this file; whoever visits goes home after each test."""
    yield shared
    await shared.empty()


@pytest.mark.parametrize("second_ack_form", [False, True])
async def test_a_unit_fetches_its_orders_and_acknowledges_them(
    house: Path, second_ack_form: bool
) -> None:
    async with City(house, second_ack_form=second_ack_form) as city:
        router, unit = await city.visitor("router"), await city.visitor("sanitation")
        for number in range(5):
            await router.js.publish("work.sanitation", b"%d" % number, stream="WORK")
        queue = await unit.js.pull_subscribe_bind(durable="sanitation", stream="WORK")
        orders = await queue.fetch(5, timeout=2)
        assert [order.data for order in orders] == [b"0", b"1", b"2", b"3", b"4"]
        assert len(orders[0].reply.split(".")) == (11 if second_ack_form else 9)
        for order in orders:
            await order.ack_sync(timeout=2)
        assert await city.stored("WORK") == 0
        assert unit.refusals == []


async def test_a_unit_that_lost_its_connection_gets_what_comes_next_at_once(city: City) -> None:
    router, unit = await city.visitor("router"), await city.visitor("sanitation")
    queue = await unit.js.pull_subscribe_bind(durable="sanitation", stream="WORK")
    asking = asyncio.create_task(queue.fetch(1, timeout=20))
    await asyncio.sleep(SETTLE)
    await unit.nc.close()
    with pytest.raises(ConnectionClosedError):
        await asking
    await asyncio.sleep(SETTLE)
    await router.js.publish("work.sanitation", b"order", stream="WORK")

    again = await city.visitor("sanitation")
    queue = await again.js.pull_subscribe_bind(durable="sanitation", stream="WORK")
    (order,) = await queue.fetch(1, timeout=2)
    assert order.data == b"order"


async def test_an_order_in_progress_stays_with_its_worker_and_comes_again_when_that_is_lost(
    own_city: City,
) -> None:
    provisioner = await own_city.visitor("provisioner")
    patience = 1.0
    quick = replace(work_queue("sanitation").config, ack_wait=patience)
    await provisioner.js.add_consumer("WORK", quick)
    router = await own_city.visitor("router")
    await router.js.publish("work.sanitation", b"order", stream="WORK")
    first, second = [await own_city.visitor("sanitation") for _ in range(2)]
    queues = [
        await worker.js.pull_subscribe_bind(durable="sanitation", stream="WORK")
        for worker in (first, second)
    ]
    (order,) = await queues[0].fetch(1, timeout=5)
    for _ in range(4):  # twice as long as the queue would wait
        await order.in_progress()
        with pytest.raises(NothingYet):
            await queues[1].fetch(1, timeout=patience / 2)
    await first.nc.close()
    (again,) = await queues[1].fetch(1, timeout=20)
    assert (again.data, again.metadata.num_delivered) == (b"order", 2)
    await again.ack_sync(timeout=5)


FORBIDDEN_TO_A_UNIT = (
    "log.case.1",
    "log.reward.item-1",
    "log.account.rider-01",
    "cmd.platform-kite.points.redeem_item",
    "cmd.officer.points.use_redemption",
    "work.sanitation",
    "notice.outbox.1",
    "parked.router",
    "answer.sanitation",
    "inbox.platform-kite",
    "deliver.router.on-report",
    "cmd.water.router.AcceptWork",
    "_INBOX_water.abc",
    "$JS.API.CONSUMER.MSG.NEXT.WORK.water",
    "$JS.API.CONSUMER.INFO.WORK.water",
    "$JS.API.CONSUMER.CREATE.WORK.mine",
    "$JS.API.CONSUMER.DELETE.WORK.sanitation",
    "$JS.API.CONSUMER.CREATE.OUTBOX.mine",
    "$JS.API.CONSUMER.CREATE.LOG",
    "$JS.API.STREAM.INFO.LOG",
    "$JS.API.STREAM.MSG.GET.LOG",
    "$JS.API.DIRECT.GET.LOG",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.UPDATE.LOG",
    "$JS.API.STREAM.PURGE.WORK",
    "$JS.API.STREAM.DELETE.LOG",
    "$JS.API.STREAM.MSG.DELETE.LOG",
    "$JS.ACK.WORK.water.1.1.1.1.0",
    "$JS.ACK._.hash.WORK.water.1.1.1.1.0",
    "$JS.ACK.LOG.points-on-case.1.1.1.1.0",
    "$JS.ACK._.hash.LOG.points-on-case.1.1.1.1.0",
    "$SYS.REQ.SERVER.PING",
)


async def test_a_unit_is_refused_everything_else(city: City) -> None:
    unit = await city.visitor("sanitation")
    assert [each for each in FORBIDDEN_TO_A_UNIT if not await unit.is_refused(each)] == []


async def test_a_refused_request_is_one_without_an_answer(city: City) -> None:
    unit = await city.visitor("sanitation")
    assert await unit.gets_no_answer("$JS.API.STREAM.INFO.LOG")
    (refusal,) = unit.refusals
    assert "$js.api.stream.info.log" in refusal


async def test_a_unit_is_deaf_to_what_is_not_its_own(city: City) -> None:
    unit = await city.visitor("sanitation")
    for subject in (">", "log.>", "cmd.>", "_INBOX_water.>", "_INBOX.>", "work.water", "$JS.>"):
        assert await unit.is_deaf_to(subject)


async def test_a_unit_cannot_acknowledge_the_orders_of_another(city: City) -> None:
    router, thief = await city.visitor("router"), await city.visitor("sanitation")
    owner = await city.visitor("water")
    await router.js.publish("work.water", b"order", stream="WORK")
    queue = await owner.js.pull_subscribe_bind(durable="water", stream="WORK")
    (order,) = await queue.fetch(1, timeout=2)

    stream, consumer, *rest = order.reply.split(".")[2:]
    assert await thief.is_refused(order.reply, b"+ACK")
    assert await thief.is_refused(f"$JS.ACK._.hash.{stream}.{consumer}.{'.'.join(rest)}", b"+ACK")
    assert await city.waiting("WORK", "water") == (0, 1)
    await order.ack_sync(timeout=2)
    assert await city.waiting("WORK", "water") == (0, 0)


async def test_nobody_can_have_an_answer_of_the_server_written_into_the_log(city: City) -> None:
    """The server checks no reply subject: without accounts of their own, all of these get in."""
    notify, unit = await city.visitor("notify"), await city.visitor("sanitation")
    await notify.js.publish("notice.outbox.1", b"forged", stream="OUTBOX")
    before = await city.stored("LOG")
    for number, subject in enumerate(
        (
            "$JS.API.STREAM.INFO.OUTBOX",
            "$JS.API.DIRECT.GET.OUTBOX",
            "$JS.API.STREAM.MSG.GET.OUTBOX",
            "$JS.API.CONSUMER.INFO.WORK.sanitation",
            "$JS.API.CONSUMER.MSG.NEXT.WORK.sanitation",
        )
    ):
        await unit.nc.publish(subject, b'{"seq": 1}', reply=f"log.case.{number}")
        await unit.nc.publish(subject, b'{"seq": 1}', reply="cmd.water.router.AcceptWork")
    await unit.nc.flush()
    await asyncio.sleep(SETTLE)
    assert unit.refusals == []
    assert await city.stored("LOG") == before


async def test_nobody_can_have_the_answer_of_a_room_sent_anywhere_else(city: City) -> None:
    router, unit = await city.visitor("router"), await city.visitor("sanitation")
    before = await city.stored("LOG")
    heard: list[str] = []

    async def answer(command: Msg) -> None:
        heard.append(command.subject)
        await command.respond(b"accepted")

    await router.nc.subscribe("cmd.*.router.>", cb=answer)
    await router.nc.flush()
    await _asked(unit.nc, "cmd.sanitation.router.AcceptWork")
    heard.clear()
    for reply in ("log.case.1", "cmd.water.router.AcceptWork", "_INBOX_water.abc"):
        await unit.nc.publish("cmd.sanitation.router.AcceptWork", b"{}", reply=reply)
    await unit.nc.flush()
    async with asyncio.timeout(10):
        while len(heard) < 3:
            await asyncio.sleep(0.01)
    await router.nc.flush()
    await asyncio.sleep(SETTLE)
    assert heard == ["cmd.sanitation.router.AcceptWork"] * 3
    assert await city.stored("LOG") == before


async def _asked(nc: Client, subject: str) -> Msg:
    """The answer to a request; another account hears of a new subscriber a moment later."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await nc.request(subject, b"{}", timeout=2)
            except NoRespondersError:
                await asyncio.sleep(0.05)


async def test_a_room_hears_commands_under_the_name_of_who_sent_them(city: City) -> None:
    router = await city.visitor("router")
    unit, officer = await city.visitor("sanitation"), await city.visitor("officer")

    async def answer(command: Msg) -> None:
        await command.respond(command.subject.encode())

    await router.nc.subscribe("cmd.*.router.>", queue="router", cb=answer)
    await router.nc.flush()
    answered = await _asked(unit.nc, "cmd.sanitation.router.AcceptWork")
    assert answered.data == b"cmd.sanitation.router.AcceptWork"
    answered = await _asked(officer.nc, "cmd.officer.router.CloseCase")
    assert answered.data == b"cmd.officer.router.CloseCase"
    assert await officer.is_refused("cmd.sanitation.router.AcceptWork")
    with pytest.raises(NoRespondersError):
        await unit.nc.request("cmd.sanitation.intake.SubmitReport", b"{}", timeout=2)


async def test_a_room_writes_its_own_streams_only(city: City) -> None:
    router = await city.visitor("router")
    await router.js.publish("log.case.1", b"{}", stream="LOG")
    before = await city.stored("LOG")
    for subject in (
        "log.report.1",
        "log.account.1",
        "notice.outbox.1",
        "cmd.router.points.AwardPoints",
        "$JS.API.STREAM.UPDATE.LOG",
        "$JS.API.CONSUMER.CREATE.LOG.points-on-case",
        "$JS.API.CONSUMER.DELETE.LOG.points-on-case",
        "$JS.ACK.LOG.points-on-case.1.1.1.1.0",
    ):
        assert await router.is_refused(subject), subject
    assert await city.stored("LOG") == before


@pytest.mark.parametrize("second_ack_form", [False, True])
async def test_a_room_binds_its_durable_and_its_processes_share_it(
    house: Path, second_ack_form: bool
) -> None:
    async with City(house, second_ack_form=second_ack_form) as city:
        intake, points = await city.visitor("router"), await city.visitor("points")
        await intake.js.publish("log.case.1", b"closed", stream="LOG")
        bound = await points.js.subscribe_bind(
            stream="LOG",
            consumer="points-on-case",
            config=(await points.js.consumer_info("LOG", "points-on-case")).config,
            manual_ack=True,
        )
        fact = await bound.next_msg(timeout=2)
        await fact.ack_sync(timeout=2)
        assert fact.data == b"closed"
        assert await city.waiting("LOG", "points-on-case") == (0, 0)
        assert points.refusals == []


@pytest.mark.parametrize("reader", ["projector", "auditor", "points"])
async def test_a_reader_of_the_log_reads_on_through_flow_control(city: City, reader: str) -> None:
    router, visitor = await city.visitor("router"), await city.visitor(reader)
    body = b"x" * 200_000
    for number in range(60):
        await router.nc.publish(f"log.case.{number}", body)
    stored = await router.js.publish("log.case.last", b"last", stream="LOG")

    read = await visitor.js.subscribe("log.>", stream="LOG", ordered_consumer=True)
    bodies = [(await read.next_msg(timeout=2)).data for _ in range(stored.seq)]
    assert bodies[-1] == b"last"
    assert (await visitor.js.get_msg("LOG", subject="log.case.last", direct=True)).data == b"last"
    assert visitor.refusals == []


async def test_readers_write_nothing_but_what_they_park(city: City) -> None:
    projector, auditor = await city.visitor("projector"), await city.visitor("auditor")
    await projector.js.publish("parked.case", b"{}", stream="PARK")
    assert await auditor.is_refused("parked.case")
    for reader in (projector, auditor):
        assert await reader.is_refused("log.case.1")
        assert await reader.is_refused("$JS.API.CONSUMER.DELETE.LOG.points-on-case")
        assert await reader.is_refused("$JS.API.CONSUMER.CREATE.LOG.points-on-case.log.case.>")


async def test_the_older_ways_to_make_a_consumer_cannot_touch_a_durable_either(city: City) -> None:
    auditor = await city.visitor("auditor")
    before = await city.waiting("LOG", "points-on-case")
    assert await auditor.is_refused("$JS.API.CONSUMER.DURABLE.CREATE.LOG.points-on-case")
    for name in ("name", "durable_name"):
        request = {"stream_name": "LOG", "config": {name: "points-on-case"}}
        answer = await auditor.nc.request(
            "$JS.API.CONSUMER.CREATE.LOG", json.dumps(request).encode(), timeout=2
        )
        assert "error" in json.loads(answer.data)
    assert await city.waiting("LOG", "points-on-case") == before


async def test_a_platform_drops_what_cannot_wait_and_reads_its_answers(city: City) -> None:
    kite, intake = await city.visitor("platform-kite"), await city.visitor("intake")
    before = await city.stored("INBOX")
    await kite.js.publish("inbox.platform-kite", b"report", stream="INBOX")
    assert await city.stored("INBOX") == before + 1
    await intake.js.publish("answer.platform-kite", b"accepted", stream="ANSWER")
    answers = await kite.js.pull_subscribe_bind(durable="platform-kite", stream="ANSWER")
    (answer,) = await answers.fetch(1, timeout=2)
    await answer.ack_sync(timeout=2)
    assert answer.data == b"accepted"
    assert await kite.is_refused("inbox.platform-swift")
    assert await kite.is_refused("$JS.API.CONSUMER.MSG.NEXT.ANSWER.platform-swift")


@pytest.mark.parametrize("reader", ["sanitation", "platform-kite", "officer", "auditor", "points"])
async def test_everybody_reads_the_outbox(city: City, reader: str) -> None:
    notify, visitor = await city.visitor("notify"), await city.visitor(reader)
    for number in range(3):
        stored = await notify.js.publish(f"notice.outbox.{number}", b"%d" % number, stream="OUTBOX")
    first = stored.seq - 2
    assert (await visitor.js.stream_info("OUTBOX")).state.last_seq == stored.seq
    assert (await visitor.js.get_msg("OUTBOX", stored.seq)).data == b"2"
    pages = await visitor.nc.subscribe(f"_INBOX_{reader}.pages")
    page = json.dumps({"seq": first, "batch": 10, "next_by_subj": ">"}).encode()
    await visitor.nc.publish("$JS.API.DIRECT.GET.OUTBOX", page, reply=f"_INBOX_{reader}.pages")
    bodies = [(await pages.next_msg(timeout=2)).data for _ in range(3)]
    assert bodies == [b"0", b"1", b"2"]
    assert visitor.refusals == []


async def test_a_new_unit_comes_in_while_the_others_stay(own_city: City) -> None:
    unit = await own_city.visitor("sanitation")
    parks = Party("parks", Kind.UNIT)
    await own_city.server.reload(own_city.credentials.users([*PARTIES, parks]))
    newcomer, router = await own_city.visitor("parks"), await own_city.visitor("router")

    async def answer(command: Msg) -> None:
        await command.respond(b"accepted")

    await router.nc.subscribe("cmd.*.router.>", cb=answer)
    await router.nc.flush()
    for visitor, name in ((newcomer, "parks"), (unit, "sanitation")):
        answered = await _asked(visitor.nc, f"cmd.{name}.router.AcceptWork")
        assert answered.data == b"accepted"


async def test_a_reload_that_the_server_refuses_changes_nothing(own_city: City) -> None:
    first, *others = own_city.server.users
    broken = type(first)(first.party, "not a key")
    with pytest.raises(RuntimeError, match="keeps its former users"):
        await own_city.server.reload([broken, *others])
    await own_city.server.restart()
    await own_city.visitor("provisioner")


async def test_without_a_key_nobody_comes_in(city: City) -> None:
    stranger = city.credentials
    stranger.nkey("stranger")
    for options in ({}, {"nkeys_seed": str(stranger.seed_file("stranger"))}):
        with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
            await nats.connect(city.server.url, allow_reconnect=False, **options)
