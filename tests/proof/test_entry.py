"""A line of the log says everything that is stored, in one way only."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.entry import (
    LogEntry,
    Malformed,
    begins,
    entry_of,
    header_block,
    kept,
    leaf,
    line_of,
    nanos_of,
    rfc3339,
)

NAMES = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1
)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))
BLOCKS = st.one_of(
    st.just(b""),
    st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5).map(header_block),
    st.binary(max_size=60),
    st.binary(max_size=40).map(lambda some: b"NATS/1.0\r\n" + some + b"\r\n\r\n"),
    st.sampled_from(
        [
            b"NATS/1.0\r\n\r\n",
            b"NATS/1.0\r\na:b\r\n\r\n",
            b"NATS/1.0\r\na: b\r\na: b\r\n\r\n",
            b"NATS/1.0\r\na: \r\n\r\n",
            b"NATS/1.0\r\n: x\r\n\r\n",
            b"NATS/1.0 503\r\n\r\n",
        ]
    ),
).map(kept)
ENTRIES = st.builds(
    LogEntry,
    st.integers(1, 2**53 - 1),
    st.integers(0, 4_000_000_000_000_000_000),
    st.text(st.characters(exclude_categories=["Cs"])),
    BLOCKS,
    st.one_of(
        st.binary(max_size=80), st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)
    ),
)


def test_an_entry_is_written_like_this() -> None:
    """Fixed for ever: every leaf of every log depends on it."""
    block = header_block([("ce-id", "case.c1.k.0"), ("x", 'a"b'), ("x", "路")])
    entry = LogEntry(17, 1_777_788_300_000_000_001, "log.case.c1", block, '{"a":"路"}'.encode())
    assert line_of(entry).decode() == (
        '{"sequence":17,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"log.case.c1",'
        '"headers":[["ce-id","case.c1.k.0"],["x","a\\"b"],["x","路"]],"body":"{\\"a\\":\\"路\\"}"}'
    )


def test_what_is_no_text_is_written_in_base64() -> None:
    entry = LogEntry(1, 0, "log.x", b"NATS/1.0\r\na:b\r\n\r\n", b"\xff\x00")
    assert line_of(entry) == (
        b'{"sequence":1,"recorded_at":"1970-01-01T00:00:00.000000000Z","subject":"log.x",'
        b'"headers_base64":"TkFUUy8xLjANCmE6Yg0KDQo=","body_base64":"/wA="}'
    )


@given(ENTRIES)
def test_a_line_gives_its_entry_back(entry: LogEntry) -> None:
    line = line_of(entry)
    assert entry_of(line) == entry
    assert b"\n" not in line
    assert line.startswith(begins(entry.sequence))


@given(ENTRIES)
def test_a_line_is_json_that_any_program_reads(entry: LogEntry) -> None:
    document = json.loads(line_of(entry))
    assert document["sequence"] == entry.sequence
    assert document["subject"] == entry.subject
    if "headers" in document:
        assert [tuple(pair) for pair in document["headers"]] == entry.headers
    if "body" in document:
        assert document["body"].encode() == entry.body


@given(ENTRIES, ENTRIES)
def test_two_entries_never_give_the_same_line(one: LogEntry, other: LogEntry) -> None:
    assert (one == other) == (line_of(one) == line_of(other))


@given(ENTRIES, st.data())
def test_a_line_with_one_changed_byte_is_another_entry_or_none(
    entry: LogEntry, data: st.DataObject
) -> None:
    line = bytearray(line_of(entry))
    line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert entry_of(bytes(line)) != entry
    except Malformed:
        return


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"1",
        b"{}",
        b"[" * 100_000,
        b'{"sequence":1}',
        b'{"sequence":true,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"s",'
        b'"headers":[],"body":""}',
        b'{"sequence":1,"recorded_at":"2026-05-03T06:05:00Z","subject":"s","headers":[],"body":""}',
        b'{"sequence":1,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"\\ud800",'
        b'"headers":[],"body":""}',
        b'{"sequence": 1,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"s",'
        b'"headers":[],"body":""}',
        b'{"sequence":1,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"s",'
        b'"headers":[],"body":"","more":1}',
        b'{"sequence":1,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"s",'
        b'"headers":[["a"]],"body":""}',
        b'{"sequence":1,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"s",'
        b'"headers":[],"body_base64":"?"}',
        b'{"sequence":1,"recorded_at":"2026-05-03T06:05:00.000000001Z","subject":"s",'
        b'"headers":[],"body_base64":"YQ=="}',
    ],
)
def test_what_is_not_written_in_the_one_way_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed):
        entry_of(line)


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_a_moment_keeps_its_nanoseconds(nanos: int) -> None:
    assert nanos_of(rfc3339(nanos)) == nanos


def test_the_parts_give_the_same_line_as_the_entry() -> None:
    entry = LogEntry(3, 5, "log.x", header_block([("a", "b")]), b"c")
    assert leaf(3, 5, "log.x", entry.header_block, b"c") == line_of(entry)


@pytest.mark.parametrize(
    ("stored", "stands"),
    [
        ([("a", "1"), ("Nats-Expected-Stream", "LOG"), ("b", "2")], [("a", "1"), ("b", "2")]),
        ([("Nats-Expected-Stream", "LOG")], []),
        ([("Nats-Batch-Id", "b"), ("Nats-Batch-Sequence", "1"), ("Nats-Batch-Commit", "1")], []),
        ([("Nats-Batch-Ids", "b")], [("Nats-Batch-Ids", "b")]),
        ([("a", "Nats-Expected-b")], [("a", "Nats-Expected-b")]),
        ([("Nats-Msg-Id", "1")], [("Nats-Msg-Id", "1")]),
    ],
)
def test_what_tells_the_server_how_to_store_stands_in_no_line(
    stored: list[tuple[str, str]], stands: list[tuple[str, str]]
) -> None:
    line = leaf(1, 0, "log.x", header_block(stored), b"")
    assert entry_of(line).headers == stands
    assert line == leaf(1, 0, "log.x", header_block(stands), b"")
