"""The AsyncAPI document is well formed, complete, and says what the house does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.asyncapi import FACT_HEADERS, FACT_OPTIONAL, HEARS, WRITES
from contracts.envelope import STREAMS, Header, all_facts
from contracts.export import all_commands, documents
from deploy.streams import REACTIONS
from tests.contracts.kept import FILES, read_golden

EXPORTED = {path: json.loads(content) for path, content in documents("1.2.3").items()}
DOCUMENT: dict[str, Any] = EXPORTED["asyncapi.json"]
CHANNELS: dict[str, Any] = DOCUMENT["channels"]
OPERATIONS: dict[str, Any] = DOCUMENT["operations"]
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
KEY = re.compile(r"^[A-Za-z0-9._-]+$")


def parts(node: Any, at: str = "#") -> Iterator[tuple[str, Any]]:
    """Every node of a document with its path."""
    yield at, node
    match node:
        case dict():
            for key, child in node.items():
                yield from parts(child, f"{at}/{key}")
        case list():
            for index, child in enumerate(node):
                yield from parts(child, f"{at}/{index}")


def resolve(reference: str) -> Any:
    """What a reference leads to, in this document or in a file beside it."""
    file, _, pointer = reference.partition("#")
    node = EXPORTED[file.removeprefix("./")] if file else DOCUMENT
    for token in pointer.split("/")[1:]:
        node = node[token]
    return node


def test_the_root_has_what_asyncapi_3_asks_for() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"]["title"] == "Waggle"
    assert DOCUMENT["info"]["version"] == "1.2.3"
    allowed = {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    assert DOCUMENT.keys() == allowed


def test_every_reference_leads_somewhere() -> None:
    references = [
        (at, n["$ref"]) for at, n in parts(DOCUMENT) if isinstance(n, dict) and "$ref" in n
    ]
    assert len(references) > 100
    for at, reference in references:
        assert resolve(reference), at


@pytest.mark.parametrize("file", [f for f in EXPORTED if f != "asyncapi.json"])
def test_every_reference_of_a_schema_leads_somewhere(file: str) -> None:
    schema = EXPORTED[file]
    for _, node in parts(schema):
        if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
            assert reference.removeprefix("#/$defs/") in schema["$defs"]


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_names_its_address_its_parameters_and_its_messages(name: str) -> None:
    channel = CHANNELS[name]
    assert KEY.match(name)
    assert channel["messages"]
    address = channel["address"] or ""
    assert set(re.findall(r"\{([a-z_]+)\}", address)) == set(channel.get("parameters", {}))
    for key, message in channel["messages"].items():
        assert message["$ref"] == f"#/components/messages/{key}"


def test_only_the_reply_has_no_address() -> None:
    assert [name for name, channel in CHANNELS.items() if channel["address"] is None] == ["reply"]


def test_no_two_channels_share_an_address() -> None:
    addresses = [channel["address"] for channel in CHANNELS.values()]
    assert len(addresses) == len(set(addresses))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_points_at_a_channel_and_at_messages_of_its_reply(name: str) -> None:
    operation = OPERATIONS[name]
    assert KEY.match(name)
    assert operation["action"] in ("send", "receive")
    assert re.fullmatch(r"#/channels/[A-Za-z0-9._-]+", operation["channel"]["$ref"])
    if reply := operation.get("reply"):
        assert reply["channel"]["$ref"] == "#/channels/reply"
        assert reply["messages"]
        for message in reply["messages"]:
            assert message["$ref"].startswith("#/channels/reply/messages/")


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_a_name_a_payload_and_headers_that_are_objects(name: str) -> None:
    message = MESSAGES[name]
    assert message["name"] == name
    assert message["payload"]
    if headers := message.get("headers"):
        shape = resolve(headers["$ref"]) if "$ref" in headers else headers
        assert shape["type"] == "object"


def test_every_message_stands_on_a_channel() -> None:
    carried = {name for channel in CHANNELS.values() for name in channel["messages"]}
    assert carried == set(MESSAGES)


def test_every_channel_is_used() -> None:
    used = {o["channel"]["$ref"] for o in OPERATIONS.values()}
    used |= {o["reply"]["channel"]["$ref"] for o in OPERATIONS.values() if "reply" in o}
    assert used == {f"#/channels/{name}" for name in CHANNELS}


def test_every_fact_stands_on_its_stream_and_every_command_on_its_subject() -> None:
    for fact in all_facts():
        channel = CHANNELS[f"log.{fact.stream}"]
        assert channel["address"] == f"log.{fact.stream}.{{{STREAMS[fact.stream]}}}"
        assert fact.__name__ in channel["messages"]
    for command in all_commands():
        channel = CHANNELS[f"cmd.{command.room}.{command.token}"]
        assert channel["address"] == f"cmd.{{party}}.{command.room}.{command.token}"
        assert list(channel["messages"]) == [command.__name__]


def test_one_room_writes_a_stream() -> None:
    written = [stream for streams in WRITES.values() for stream in streams]
    assert sorted(written) == sorted(STREAMS)


def test_the_rooms_hear_what_their_durables_deliver() -> None:
    heard: dict[str, set[str]] = {}
    for durable in REACTIONS:
        if durable.stream == "LOG":
            room = str(durable.config.durable_name).partition("-")[0]
            one = str(durable.config.filter_subject)
            filters = durable.config.filter_subjects or [one]
            heard.setdefault(room, set()).update(f.split(".")[1] for f in filters)
    assert heard == {room: set(streams) for room, streams in HEARS.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_headers_of_a_written_fact_are_those_described(path: Any) -> None:
    headers = {h for h in read_golden(path).headers if h.startswith("ce-") or h == Header.TRACE}
    assert headers <= FACT_HEADERS.keys()
    assert headers >= FACT_HEADERS.keys() - FACT_OPTIONAL
