"""Messages on the wire: the same bytes at every attempt, and nothing foreign in them."""

from __future__ import annotations

import pytest
from nats.aio.client import Client

from contracts.envelope import Header
from eventlog.append import Appender, Decision, Unfit
from eventlog.append.atomic import batch, frame, single
from eventlog.message import Message
from tests.eventlog.append.kit import decision, end_of, message, whole_log


def test_a_frame_is_the_same_at_every_attempt() -> None:
    one = message("c1", 0, "log.report.a")
    assert frame(one, 7) == frame(one, 7)
    assert b"\r\nNats-Expected-Last-Subject-Sequence: 7\r\n" in frame(one, 7).head
    assert b"Expected-Last" not in frame(one, None).head


def test_only_the_last_of_a_batch_commits_and_asks_for_an_answer() -> None:
    frames = [frame(message("c1", n, "log.report.a"), None) for n in range(3)]
    wire = batch(frames, b"b1", b"_INBOX.x").split(b"HPUB ")[1:]
    assert [b"_INBOX.x" in one for one in wire] == [False, False, True]
    assert [b"Nats-Batch-Commit: 1\r\n" in one for one in wire] == [False, False, True]
    assert [f"Nats-Batch-Sequence: {n}\r\n".encode() in wire[n - 1] for n in (1, 2, 3)] == [
        True
    ] * 3


@pytest.mark.parametrize(
    "subject",
    [
        "case.a",
        "Case.a.b",
        "log.report",
        "log.report.a.b",
        "log.report.*",
        "log.report.a b",
        "log.report.a\r\n",
    ],
)
def test_a_subject_outside_the_grammar_is_refused(subject: str) -> None:
    with pytest.raises(Unfit, match="not a subject of an id"):
        frame(message("c1", 0, subject), 0)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Nats-Expected-Last-Msg-Id", "x", "steers the server"),
        ("nats-ttl", "1s", "steers the server"),
        ("Nats-Batch-Id", "b", "steers the server"),
        ("ce-authid", "a\r\nNats-TTL: 1s", "line break"),
        ("ce-authid", "a\nb", "line break"),
        ("ce-authid\r\nNats-TTL", "1s", "line break"),
        ("ce-authid", " padded ", "space around"),
    ],
)
def test_a_header_that_would_steer_or_change_is_refused(name: str, value: str, why: str) -> None:
    one = message("c1", 0, "log.report.a")
    with pytest.raises(Unfit, match=why):
        frame(Message(one.subject, {**one.headers, name: value}, one.body), 0)


async def test_a_body_is_stored_byte_for_byte(appender: Appender, nc: Client) -> None:
    bodies = [b"", b"\r\n", b"HPUB log.report.b 1 1\r\n", bytes(range(256))]
    for n, body in enumerate(bodies):
        await appender.append(decision(f"s{n}", f"s{n}", body=body))
        await appender.append(decision(f"b{n}", f"b{n}", facts=2, body=body))
    stored = [fact.body for fact in await whole_log(nc)]
    assert stored == [body for body in bodies for _ in range(3)]


async def test_a_header_may_hold_any_script(appender: Appender, nc: Client) -> None:
    one = message("c1", 0, "log.report.a")
    headers = {**one.headers, Header.ACTOR: "云溪区·环卫 ✓"}
    await appender.append(Decision("c1", (Message(one.subject, headers, b""),), {one.subject: 0}))
    (stored,) = await whole_log(nc)
    assert stored.headers[Header.ACTOR] == "云溪区·环卫 ✓"


async def test_our_wire_stores_what_the_library_would(appender: Appender, nc: Client) -> None:
    """The client library's own publish, beside ours: the same headers and bytes arrive."""
    one = message("c1", 0, "log.report.a", body="正文".encode())
    await nc.jetstream().publish(one.subject, one.body, headers=dict(one.headers))
    place = await end_of(nc, one.subject)
    two = message("c2", 0, one.subject, place.hash, body="正文".encode())
    await appender.append(Decision("c2", (two,), {one.subject: place.sequence}))
    theirs, ours = await whole_log(nc)
    assert ours.body == theirs.body
    assert set(ours.headers) - set(theirs.headers) == {"Nats-Expected-Last-Subject-Sequence"}


def test_a_single_publish_counts_its_bytes_right() -> None:
    one = frame(message("c1", 0, "log.report.a", body=b"12345"), 0)
    command, rest = single(one, b"_INBOX.x").split(b"\r\n", 1)
    name, subject, reply, heading, total = command.split(b" ")
    assert (name, subject, reply) == (b"HPUB", b"log.report.a", b"_INBOX.x")
    assert rest[int(heading) - 4 : int(heading)] == b"\r\n\r\n"
    assert rest[int(heading) :] == b"12345\r\n"
    assert int(total) == int(heading) + 5
