"""Whoever audits reads everything and changes nothing, whatever they try on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.deploy.city import City
from tests.deploy.folders import empty_house

SETTLE = 0.2
pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH = ("auditor", "audit-office")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[City]:
    with empty_house() as folder:
        async with City(folder) as city:
            router = await city.visitor("router")
            for number in range(3):
                await router.js.publish(f"log.case.{number}", b"%d" % number, stream="LOG")
            await city.empty()
            yield city


@pytest_asyncio.fixture(loop_scope="module")
async def city(shared: City) -> AsyncIterator[City]:
    yield shared
    await shared.empty()


WRITES = (
    "log.case.1",
    "log.report.new",
    "work.sanitation",
    "inbox.platform-kite",
    "answer.platform-kite",
    "notice.outbox.1",
    "parked.router",
    "deliver.router.on-report",
    "cmd.auditor.router.accept_work",
    "cmd.officer.router.close_case",
    "_INBOX_officer.x",
    "replay.somebody.may.log.case.1",
)
CHANGES = tuple(
    f"$JS.API.STREAM.{verb}.{stream}"
    for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "SNAPSHOT", "MSG.DELETE")
    for stream in ("LOG", "OUTBOX", "MINE")
)
OTHERS_CONSUMERS = (
    "$JS.API.CONSUMER.CREATE.LOG.points-on-case",
    "$JS.API.CONSUMER.CREATE.LOG.points-on-case.log.case.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.LOG.points-on-case",
    "$JS.API.CONSUMER.DELETE.LOG.points-on-case",
    "$JS.API.CONSUMER.PAUSE.LOG.points-on-case",
    "$JS.API.CONSUMER.RESET.LOG.points-on-case",
    "$JS.API.CONSUMER.MSG.NEXT.WORK.sanitation",
    "$JS.ACK.LOG.points-on-case.1.1.1.1.0",
    "$JS.ACK._.hash.LOG.points-on-case.1.1.1.1.0",
    "$JS.ACK.WORK.sanitation.1.1.1.1.0",
)


@pytest.mark.parametrize("name", BOTH)
async def test_nothing_is_written_deleted_changed_or_answered(city: City, name: str) -> None:
    before = [await city.stored(stream) for stream in ("LOG", "OUTBOX", "WORK", "INBOX")]
    audits = await city.visitor(name)
    tried = (*WRITES, *CHANGES, *OTHERS_CONSUMERS, "$SYS.REQ.SERVER.PING")
    assert [each for each in tried if not await audits.is_refused(each)] == []
    assert [await city.stored(stream) for stream in ("LOG", "OUTBOX", "WORK", "INBOX")] == before


async def test_an_audit_office_makes_no_consumers(city: City) -> None:
    """Who makes one tells the server where to send, and so could have it sent anywhere."""
    office = await city.visitor("audit-office")
    for stream in ("LOG", "OUTBOX", "WORK"):
        for subject in (
            f"$JS.API.CONSUMER.CREATE.{stream}",
            f"$JS.API.CONSUMER.CREATE.{stream}.mine",
            f"$JS.API.CONSUMER.CREATE.{stream}.mine.log.>",
            f"$JS.API.CONSUMER.DELETE.{stream}.mine",
        ):
            assert await office.is_refused(subject)


async def test_an_audit_office_cannot_have_the_server_write_its_answers_into_the_log(
    city: City,
) -> None:
    office = await city.visitor("audit-office")
    notify = await city.visitor("notify")
    await notify.js.publish("notice.outbox.1", b"told", stream="OUTBOX")
    before = await city.stored("LOG")
    asks = [
        *(f"$JS.API.STREAM.INFO.{stream}" for stream in ("LOG", "OUTBOX")),
        *(f"$JS.API.STREAM.MSG.GET.{stream}" for stream in ("LOG", "OUTBOX")),
        *(f"$JS.API.DIRECT.GET.{stream}" for stream in ("LOG", "OUTBOX")),
        "$JS.API.DIRECT.GET.LOG.log.case.1",
    ]
    for number, subject in enumerate(asks):
        for reply in (f"log.case.forged{number}", "work.sanitation", "cmd.officer.router.x"):
            await office.nc.publish(subject, b'{"seq": 1}', reply=reply)
    await office.nc.flush()
    await asyncio.sleep(SETTLE)
    assert office.refusals == []
    assert await city.stored("LOG") == before
    assert await city.stored("WORK") == 0


async def test_an_audit_office_reads_the_log_whole(city: City) -> None:
    office = await city.visitor("audit-office")
    assert (await office.js.stream_info("LOG")).state.messages == 3
    assert (await office.js.get_msg("LOG", 2)).data == b"1"
    pages = await office.nc.subscribe("_INBOX_audit-office.pages")
    request = json.dumps({"seq": 1, "batch": 10, "next_by_subj": "log.>"}).encode()
    await office.nc.publish("$JS.API.DIRECT.GET.LOG", request, reply="_INBOX_audit-office.pages")
    bodies = [(await pages.next_msg(timeout=2)).data for _ in range(3)]
    assert bodies == [b"0", b"1", b"2"]
    assert office.refusals == []


@pytest.mark.parametrize("name", BOTH)
async def test_history_is_told_under_ones_own_name_and_nobody_else_hears_it(
    city: City, name: str
) -> None:
    audits = await city.visitor(name)
    heard = await audits.nc.subscribe(f"replay.{name}.>")
    await audits.nc.publish(f"replay.{name}.may.log.case.1", b"told")
    assert (await heard.next_msg(timeout=2)).subject == f"replay.{name}.may.log.case.1"
    for other in ("projector", "sanitation", "officer", *(set(BOTH) - {name})):
        assert await (await city.visitor(other)).is_deaf_to(f"replay.{name}.>")
    for subject in (">", "log.>", "cmd.>", "replay.>", "_INBOX_officer.>", "work.sanitation"):
        assert await audits.is_deaf_to(subject)
    assert await city.stored("LOG") == 3
