"""Reading the log: everything, once, in order, and no further than asked."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from datetime import timedelta

import pytest
from nats.js import JetStreamContext

from contracts.envelope import Recorded, Unreadable
from eventlog import ordered, read
from eventlog.ordered import OrderedReader, Unreachable, Vanished
from eventlog.read import (
    EVERYTHING,
    Entry,
    Unread,
    at,
    entry_from,
    follow,
    head,
    read_log,
    read_stream,
)
from tests.eventlog.site import PATIENCE, PROVISIONER, Site, accepted, awarded, closed, opened


async def whole(js: JetStreamContext, **what: object) -> list[Entry]:
    return [entry async for batch in read_log(js, **what) for entry in batch]  # type: ignore[arg-type]


def sequences(entries: list[Entry]) -> list[int]:
    return [entry.sequence for entry in entries]


@pytest.mark.parametrize("leader", [True, False])
async def test_a_stream_id_is_read_in_order(
    log_site: Site, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch, leader: bool
) -> None:
    monkeypatch.setattr(read, "PAGE", 2)
    await log_site.publish(opened("c1"), opened("c2"), accepted("c1"), accepted("c2"), closed("c1"))

    facts = [fact async for fact in read_stream(js, "case", "c1", leader=leader)]
    later = [fact async for fact in read_stream(js, "case", "c1", after=1, leader=leader)]
    none = [fact async for fact in read_stream(js, "case", "unknown", leader=leader)]

    assert [(f.sequence, f.type) for f in facts] == [
        (1, "CaseOpened"),
        (3, "WorkAccepted"),
        (5, "CaseClosed"),
    ]
    assert [f.sequence for f in later] == [3, 5]
    assert none == []
    assert facts[1].previous_hash == facts[0].hash


@pytest.mark.parametrize("leader", [True, False])
async def test_nothing_is_decided_on_a_stream_id_with_an_unreadable_fact(
    log_site: Site, js: JetStreamContext, leader: bool
) -> None:
    await log_site.publish(opened("c1"))
    await log_site.publish_raw("log.case.c1", b"?")

    with pytest.raises(Unreadable, match=r"sequence 2 on log\.case\.c1"):
        _ = [fact async for fact in read_stream(js, "case", "c1", leader=leader)]


async def test_all_ways_of_reading_give_the_same_fact(log_site: Site, js: JetStreamContext) -> None:
    await log_site.publish(opened("c1"))

    (entry,) = await whole(js)
    (fact,) = [fact async for fact in read_stream(js, "case", "c1")]
    (leaders,) = [fact async for fact in read_stream(js, "case", "c1", leader=True)]
    stored = await at(js, 1)

    assert stored is not None
    assert stored.is_intact
    assert entry == fact == leaders == stored.entry
    assert await at(js, 2) is None


async def test_the_head_is_the_last_sequence_on_the_subjects(
    log_site: Site, js: JetStreamContext
) -> None:
    assert await head(js) == 0
    await log_site.publish(opened("c1"), awarded("ann", 5), opened("c2"))

    assert await head(js) == 3
    assert await head(js, ("log.account.>",)) == 2
    assert await head(js, ("log.account.>", "log.case.c1")) == 2
    assert await head(js, ("log.notice.>",)) == 0


async def test_the_log_is_read_as_far_as_it_reached_in_the_beginning(
    log_site: Site, js: JetStreamContext
) -> None:
    await log_site.publish(*(opened(f"c{n}") for n in range(5)))

    seen: list[Entry] = []
    async for batch in read_log(js, at_most=2):
        seen += batch
        await log_site.publish(opened(f"later-{len(seen)}"))

    assert sequences(seen) == [1, 2, 3, 4, 5]


async def test_an_empty_log_is_read_at_once(js: JetStreamContext) -> None:
    assert await whole(js) == []


async def test_reading_can_end_at_a_sequence_or_at_a_moment(
    log_site: Site, js: JetStreamContext
) -> None:
    await log_site.publish(opened("c1"), awarded("ann", 1), opened("c2"))
    await asyncio.sleep(0.01)
    await log_site.publish(opened("c3"), awarded("ann", 2))
    third = await at(js, 3)
    assert third is not None

    assert sequences(await whole(js, up_to=3)) == [1, 2, 3]
    assert sequences(await whole(js, up_to=99)) == [1, 2, 3, 4, 5]
    assert sequences(await whole(js, after=1, up_to=3, subjects=("log.account.>",))) == [2]
    assert sequences(await whole(js, until=third.recorded_at)) == [1, 2, 3]
    assert await whole(js, until=third.recorded_at - timedelta(days=1)) == []


async def test_reading_can_be_narrowed_to_subjects_and_types(
    log_site: Site, js: JetStreamContext
) -> None:
    await log_site.publish(opened("c1"), awarded("ann", 1), accepted("c1"))
    await log_site.publish_raw("log.case.c9", b"?")

    several = ("log.account.>", "log.case.c1")
    accepted_only = frozenset({"WorkAccepted"})

    assert sequences(await whole(js, subjects=several)) == [1, 2, 3]
    assert sequences(await whole(js, types=accepted_only)) == [3, 4], "what is unread always comes"


async def test_what_cannot_be_read_comes_with_reason_and_bytes(
    log_site: Site, js: JetStreamContext
) -> None:
    await log_site.publish_raw("log.case.c1", b"\xff", {"ce-type": "waggle.case.NeverHeardOf"})
    await log_site.publish(opened("c2"))

    unread, fact = await whole(js)

    assert isinstance(unread, Unread)
    assert isinstance(fact, Recorded)
    assert (unread.sequence, unread.subject, unread.data) == (1, "log.case.c1", b"\xff")
    assert "log.case.c1" in unread.reason
    stored = await at(js, 1)
    assert stored is not None
    assert stored.entry == unread
    assert stored.hash == unread.hash


async def test_following_goes_on_for_ever(log_site: Site, js: JetStreamContext) -> None:
    await log_site.publish(*(opened(f"c{n}") for n in range(3)))
    seen: list[Entry] = []

    async with asyncio.timeout(10):
        async for batch in follow(js, after=1, at_most=2):
            seen += batch
            assert len(batch) <= 2
            if len(seen) == 12:
                break
            await log_site.publish(opened(f"new-{len(seen)}"))

    assert sequences(seen) == list(range(2, 14))


async def test_a_slow_reader_holds_little_and_misses_nothing(
    log_site: Site, js: JetStreamContext
) -> None:
    number, ahead = 1500, 200
    await log_site.publish_together([opened(f"c{n}") for n in range(number)])
    reader = OrderedReader(js, entry_from, stream="LOG", subjects=EVERYTHING, after=0, ahead=ahead)

    seen: list[Entry] = []
    async with reader, asyncio.timeout(PATIENCE):
        while len(seen) < number:
            while len(reader._ready) < min(ahead // 2, number - len(seen)):
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.005)
            assert len(reader._ready) <= ahead
            seen += await reader.take(70)

    assert sequences(seen) == list(range(1, number + 1))


async def test_big_messages_do_not_overrun_the_reader(log_site: Site, js: JetStreamContext) -> None:
    size, number = 500_000, 60
    assert size * number > 3 * ordered.MOST_BYTES
    for n in range(number):
        await log_site.publish_raw(f"log.case.c{n}", b"x" * size)

    entries = await whole(js)

    assert sequences(entries) == list(range(1, number + 1))
    assert all(isinstance(entry, Unread) and len(entry.data) == size for entry in entries)


async def test_following_survives_the_death_of_the_server(
    log_site: Site, js: JetStreamContext
) -> None:
    number, seen = 400, list[Entry]()

    async def listen() -> None:
        async for batch in follow(js, after=0, at_most=50):
            seen.extend(batch)
            if len(seen) >= number:
                return

    async def write() -> None:
        for n in range(number):
            while True:
                try:
                    await log_site.publish_raw(f"log.case.c{n}", b"?", {"Nats-Msg-Id": str(n)})
                    break
                except (TimeoutError, OSError):
                    await asyncio.sleep(0.05)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        tasks.create_task(write())
        for _ in range(2):
            await asyncio.sleep(0.3)
            await log_site.server.kill()
            await log_site.server.start()

    assert sequences(seen) == list(range(1, number + 1))


async def test_a_question_to_a_server_that_died_is_asked_again_at_once(
    log_site: Site, js: JetStreamContext
) -> None:
    await log_site.publish(opened("c1"))
    server = log_site.server
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)  # it takes the question, and dies before it answers
    batches = follow(js, after=0)
    began = time.monotonic()
    first = asyncio.create_task(anext(batches))
    await asyncio.sleep(0.3)
    await server.kill()
    await server.start()
    assert sequences(await first) == [1]
    await batches.aclose()
    assert time.monotonic() - began < ordered.MAKING / 2


async def test_following_survives_the_loss_of_its_consumer(
    log_site: Site, js: JetStreamContext
) -> None:
    admin = await log_site.js(PROVISIONER)
    await log_site.publish(opened("c1"))
    seen: list[Entry] = []

    async with asyncio.timeout(30):
        async for batch in follow(js, after=0):
            seen += batch
            if len(seen) == 3:
                break
            for consumer in await admin.consumers_info("LOG"):
                await admin.delete_consumer("LOG", consumer.name)
            await log_site.publish(opened(f"c-{len(seen)}"))

    assert sequences(seen) == [1, 2, 3]


async def test_a_reader_leaves_no_consumer_behind(log_site: Site, js: JetStreamContext) -> None:
    await log_site.publish(opened("c1"))
    await whole(js)
    await js.stream_info("LOG")

    assert await (await log_site.js(PROVISIONER)).consumers_info("LOG") == []


async def test_before_going_on_after_an_interruption_the_follower_asks(
    log_site: Site, js: JetStreamContext
) -> None:
    class Lost(Exception):
        pass

    async def guard() -> None:
        raise Lost

    await log_site.publish(opened("c1"))
    batches = follow(js, after=0, before_resuming=guard)
    assert sequences(await anext(batches)) == [1]
    await log_site.server.restart()

    with pytest.raises(Lost):
        await anext(batches)


async def test_reading_a_log_that_got_shorter_ends_with_an_error(
    log_site: Site, js: JetStreamContext
) -> None:
    await log_site.publish_together([opened(f"c{n}") for n in range(1500)])
    batches = read_log(js, at_most=10)
    await anext(batches)
    await log_site.lose_the_log()
    await log_site.server.restart()

    with pytest.raises(Vanished, match="reached to sequence 1500"):
        _ = [batch async for batch in batches]


async def test_a_log_that_is_not_there_is_said_to_be_so(
    log_site: Site, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered, "PATIENCE", 0.3)
    await (await log_site.js(PROVISIONER)).delete_stream("LOG")

    with pytest.raises(Unreachable, match="does the stream exist"):
        async for _ in follow(js, after=0):
            pass
