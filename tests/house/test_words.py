"""The words keep their grammar: commands are strict, facts lenient, ids never personal."""

from __future__ import annotations

import re

import pytest

from contracts.asyncapi import WRITES
from contracts.envelope import STREAMS, Command, Fact, Header, all_facts
from contracts.export import all_commands
from tests.house.tree import ROOMS

FACTS = list(all_facts())
HEADERS = sorted(v for k, v in vars(Header).items() if not k.startswith("_"))


@pytest.mark.parametrize("command", all_commands(), ids=lambda c: c.__name__)
def test_a_command_is_strict_frozen_and_belongs_to_a_room(command: type[Command]) -> None:
    assert command.model_config["extra"] == "forbid"
    assert command.model_config["frozen"] is True
    assert command.room in ROOMS
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", command.token)


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f.__name__)
def test_a_fact_is_lenient_frozen_and_belongs_to_a_stream_that_a_room_writes(
    fact: type[Fact],
) -> None:
    assert fact.model_config["extra"] == "ignore"
    assert fact.model_config["frozen"] is True
    assert STREAMS[fact.stream] in fact.model_fields
    assert any(fact.stream in streams for streams in WRITES.values())


@pytest.mark.parametrize("fact", [f for f in FACTS if f.personal], ids=lambda f: f.__name__)
def test_a_fact_with_personal_fields_names_whose_they_are(fact: type[Fact]) -> None:
    assert fact.key_of in fact.model_fields
    assert fact.model_fields[fact.key_of].is_required()
    assert fact.key_of not in fact.personal


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f.__name__)
def test_a_stream_id_is_not_personal(fact: type[Fact]) -> None:
    assert STREAMS[fact.stream] not in fact.personal


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_is_a_cloudevents_attribute_or_our_own(header: str) -> None:
    assert re.fullmatch(r"ce-[a-z0-9]{1,20}|traceparent|waggle-[a-z-]+", header)


@pytest.mark.parametrize("command", all_commands(), ids=lambda c: c.__name__)
def test_no_command_is_called_like_a_fact(command: type[Command]) -> None:
    assert command.__name__ not in {fact.__name__ for fact in FACTS}
