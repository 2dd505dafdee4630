"""Every byte of a message is read as the server stores it, by whichever way it is read."""

from __future__ import annotations

import asyncio
import json

from nats.js.api import StreamConfig, StreamSource

from eventlog.ordered import OrderedReader
from eventlog.whole import Whole, read_whole, whole, whole_at
from proof.chain import Chains
from proof.entry import entry_of, line_of
from tests.eventlog.site import PROVISIONER, Site, accepted, awarded, opened

ODD = (
    b"",
    b"NATS/1.0\r\nb: 2\r\na: 1\r\nb: 1\r\n\r\n",
    b"NATS/1.0\r\nno-space:x\r\n\r\n",
    b"NATS/1.0\r\nspaces:   x  \r\n\r\n",
    b"NATS/1.0\r\nbytes: \xff\r\n\r\n",
    b"NATS/1.0\r\n\r\n",
    b'NATS/1.0\r\nquotes: "\\\t\r\n\r\n',
)
"""Header blocks as other clients write them."""


async def publish_block(site: Site, block: bytes, body: bytes) -> None:
    """What no client library would send: the bytes of a header block as they are."""
    client = await site._writer("case")
    inbox = client.new_inbox()
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def heard(message: object) -> None:
        answer.set_result(getattr(message, "data"))  # noqa: B009 - a message of nats-py

    subscription = await client.subscribe(inbox, cb=heard)
    head = f"{len(block)} {len(block) + len(body)}" if block else f"{len(body)}"
    verb = "HPUB" if block else "PUB"
    line = f"{verb} log.case.odd {inbox} {head}\r\n".encode()
    await client._send_command(line + block + body + b"\r\n")
    await client._flush_pending()
    assert "seq" in json.loads(await asyncio.wait_for(answer, 10))
    await subscription.unsubscribe()


async def publish_batch(site: Site) -> None:
    """Two messages that the server stores together or not at all."""
    client, batch = await site._writer("case"), {"Nats-Batch-Id": "batch-1"}
    first = batch | {"Nats-Batch-Sequence": "1", "Nats-Expected-Last-Subject-Sequence": "0"}
    await client.publish("log.case.b1", b"{}", headers=first)
    last = batch | {"Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"}
    answer = json.loads((await client.request("log.case.b2", b"{}", 10, headers=last)).data)
    assert answer["count"] == 2


async def everything(site: Site) -> list[Whole]:
    return [one async for batch in read_whole(await site.whole()) for one in batch]


async def test_a_message_is_the_same_from_a_consumer_the_leader_and_a_mirror(
    log_site: Site,
) -> None:
    await log_site.publish(awarded("ann", 5), opened("c1"), accepted("c1"))
    for block in ODD:
        await publish_block(log_site, block, b"\xff\x00" if block else b"plain")
    await publish_batch(log_site)
    read = await everything(log_site)
    assert [one.sequence for one in read] == list(range(1, 6 + len(ODD)))
    assert [one.block for one in read[3:-2]] == list(ODD)
    assert [one.block[:10] for one in read[:3]] == [b"NATS/1.0\r\n"] * 3

    js = await log_site.whole()
    assert [await whole_at(js, one.sequence) for one in read] == read

    await (await log_site.js(PROVISIONER)).add_stream(
        StreamConfig(name="MIRROR", mirror=StreamSource(name="LOG"))
    )
    client = await log_site.whole(PROVISIONER)
    reader = OrderedReader(client, whole, stream="MIRROR", subjects=("log.>",), after=0, ahead=100)
    async with reader:
        mirrored: list[Whole] = []
        while len(mirrored) < len(read):
            mirrored += await reader.take(100)
    assert [one.line for one in mirrored] == [one.line for one in read]
    assert mirrored != read, "a mirror keeps more than it did: the canonical line may cover it"


async def test_every_fact_gives_a_line_that_reads_back_and_a_chain(log_site: Site) -> None:
    facts = [opened("c1"), accepted("c1"), opened("c2"), awarded("ann", 1), accepted("c2")]
    await log_site.publish(*facts)
    chains = Chains()
    for one in await everything(log_site):
        assert one.entry == entry_of(one.line)
        assert line_of(one.entry) == one.line
        said = {name: value for name, value in one.headers.items() if "Expected" not in name}
        assert dict(one.entry.headers) == said
        assert chains.follow(one.subject, one.headers, one.body) is None


async def test_reading_ends_where_it_is_told_to(log_site: Site) -> None:
    await log_site.publish(*(awarded("ann", n) for n in range(1, 8)))
    js = await log_site.whole()
    read = [one.sequence async for batch in read_whole(js, after=2, up_to=5) for one in batch]
    assert read == [3, 4, 5]
    assert [b async for b in read_whole(js, after=7)] == []
