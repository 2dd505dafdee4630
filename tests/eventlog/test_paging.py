"""What is stored is read byte by byte, whatever somebody has stored."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.js import JetStreamContext

from deploy.credentials import Credentials
from eventlog import paging
from eventlog.connect import connect_nats
from eventlog.ordered import Unreachable, client_of
from eventlog.paging import read_stored
from eventlog.whole import WholeClient, read_whole, whole_at
from proof.entry import LogEntry, line_of
from tests.eventlog.site import PROJECTOR, WRITERS, Site, awarded
from tests.eventlog.test_project import story


@pytest.fixture
async def verbatim(log_site: Site) -> JetStreamContext:
    seed = str(Credentials(log_site.folder).seed_file(PROJECTOR.name))
    nc = await connect_nats(
        log_site.urls, identity=PROJECTOR.name, seed_file=seed, kind=WholeClient
    )
    log_site._clients.append(nc)
    return nc.jetstream(timeout=5)


async def everything(js: JetStreamContext, up_to: int, page: int = 7) -> list[LogEntry]:
    pages = [p async for p in read_stored(js, after=0, up_to=up_to, page=page)]
    assert all(len(entries) <= page for entries in pages)
    return [entry for entries in pages for entry in entries]


async def as_the_leader_has_it(js: JetStreamContext, sequence: int) -> LogEntry:
    stored = await whole_at(js, sequence)
    assert stored is not None
    return stored.entry


async def test_every_byte_is_the_one_that_is_stored(
    log_site: Site, verbatim: JetStreamContext
) -> None:
    last = await log_site.publish(*story(20))
    for page in (1, 7, 1000):
        read = await everything(verbatim, last, page)
        assert [entry.sequence for entry in read] == list(range(1, last + 1))
    for entry in read:
        assert entry == await as_the_leader_has_it(verbatim, entry.sequence)


async def test_the_lines_are_those_that_the_sealer_signs(
    log_site: Site, verbatim: JetStreamContext
) -> None:
    last = await log_site.publish(*story(10))
    signed = [one.line async for batch in read_whole(verbatim) for one in batch]
    assert [line_of(entry) for entry in await everything(verbatim, last)] == signed


BLOCKS = (
    b"",
    b"NATS/1.0\r\na: b\r\n\r\n",
    b"NATS/1.0\r\na: b\r\na: c\r\nA: d\r\n\r\n",
    b"NATS/1.0\r\na:b\r\nb:   c  \r\n\r\n",
    b"NATS/1.0\r\nname: \xe5\x9e\x83\xff\r\n\r\n",
    b"NATS/1.0\r\na: b\r\nNats-Stream: LOG\r\nNats-Subject: log.case.x\r\n\r\n",
)


@pytest.mark.parametrize("block", BLOCKS)
async def test_headers_are_read_as_they_were_written(
    log_site: Site, verbatim: JetStreamContext, block: bytes
) -> None:
    last = await raw(log_site, block, b"\x00\xff{}")
    (_, entry) = await everything(verbatim, last)
    assert entry == await as_the_leader_has_it(verbatim, last)
    assert entry.header_block == block
    assert entry.body == b"\x00\xff{}"


async def raw(site: Site, block: bytes, body: bytes) -> int:
    """Publish bytes that no client library would write; the last sequence."""
    await site.publish(awarded("ann", 1))
    nc = client_of(await site.js(WRITERS["account"]))
    subject = b"log.account.ann"
    if block:
        sizes = b"%d %d" % (len(block), len(block) + len(body))
        await nc._send_command(b"HPUB %s %s\r\n%s%s\r\n" % (subject, sizes, block, body))
    else:
        await nc._send_command(b"PUB %s %d\r\n%s\r\n" % (subject, len(body), body))
    await nc.flush()
    return 2


@given(body=st.binary(max_size=300))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_body_is_any_bytes(log_site: Site, verbatim: JetStreamContext, body: bytes) -> None:
    last = await log_site.publish_raw("log.account.ann", body, {"a": "b"})
    entries = [e async for page in read_stored(verbatim, after=last - 1, up_to=last) for e in page]
    assert [(entry.sequence, entry.body) for entry in entries] == [(last, body)]


async def test_whoever_asks_for_more_than_there_is_is_told_so(
    log_site: Site, verbatim: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PATIENCE", 0.3)
    last = await log_site.publish(*story(3))
    with pytest.raises(Unreachable, match=f"behind sequence {last}"):
        await everything(verbatim, last + 1)


async def test_reading_goes_on_where_it_was_when_the_server_comes_back(
    log_site: Site, verbatim: JetStreamContext
) -> None:
    last = await log_site.publish(*story(20))
    read: list[int] = []
    async for page in read_stored(verbatim, after=0, up_to=last, page=5):
        read += [entry.sequence for entry in page]
        if len(read) == 10:
            await log_site.server.kill()
            again = asyncio.create_task(log_site.server.start())
    await again
    assert read == list(range(1, last + 1))


async def test_over_a_connection_that_loses_headers_nothing_is_read(
    log_site: Site, js: JetStreamContext
) -> None:
    last = await log_site.publish(*story(1))
    with pytest.raises(TypeError, match="whole messages"):
        await everything(js, last)
