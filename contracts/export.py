"""The contracts as documents for other programs: one JSON Schema a word, one AsyncAPI. Pure.

The same contracts give the same bytes, so a stale copy is found by comparing.
"""

from __future__ import annotations

import json
import sys
from enum import Enum
from types import ModuleType
from typing import Any, Final

from pydantic import BaseModel

from contracts.asyncapi import MESSAGES, Json, asyncapi, command_address, fact_address
from contracts.envelope import COMMANDS, FACTS, Command, Fact, all_facts
from contracts.wording import wording

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FOLDERS: Final = ("facts", "commands", "messages")


def documents(version: str) -> dict[str, bytes]:
    """Every exported file by its path, for this version of the program."""
    facts, commands = list(all_facts()), all_commands()
    documents = {f"facts/{c.__name__}.json": fact_schema(c) for c in facts}
    documents |= {f"commands/{c.__name__}.json": command_schema(c) for c in commands}
    documents |= {f"messages/{c.__name__}.json": message_schema(c) for c in MESSAGES}
    documents["asyncapi.json"] = asyncapi(facts, commands, version)
    return {path: render(document) for path, document in sorted(documents.items())}


def render(document: Json) -> bytes:
    """The bytes of a document: sorted keys, two spaces, real characters, a final line feed."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def all_commands() -> list[type[Command]]:
    """Every command class there is, by room and name."""
    list(all_facts())
    return sorted(COMMANDS.values(), key=lambda c: (c.room, c.__name__))


def fact_schema(fact: type[Fact]) -> Json:
    """What a reader of the log must be able to read: a field with a default may be missing."""
    return {
        **_schema(fact, "validation"),
        "x-subject": fact_address(fact),
        "x-version": fact.schema_version,
        **({"x-key-of": fact.key_of} if fact.personal else {}),
    }


def command_schema(command: type[Command]) -> Json:
    """What a sender may send; anything else is refused."""
    return {**_schema(command, "validation"), "x-subject": command_address(command)}


def message_schema(message: type[BaseModel]) -> Json:
    """What the house sends: every field is there."""
    schema = _schema(message, "serialization")
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            part["required"] = sorted(part["properties"])
    return schema


def shape(model: type[BaseModel]) -> Json:
    """The bare shape that today's code writes, without any wording."""
    written: Json = _without_words(model.model_json_schema(mode="serialization"))
    return written


def _schema(model: type[BaseModel], mode: Any) -> Json:
    schema = model.model_json_schema(mode=mode)
    for name, definition in {**schema.get("$defs", {}), model.__name__: schema}.items():
        _word(name, definition)
    return {"$schema": DIALECT, **schema}


def _word(name: str, definition: Json) -> None:
    """Add what the source says under the fields, or under the members of an enum."""
    found = _find(name)
    if found is None:
        return
    said = wording(sys.modules[found.__module__]).get(name, {})
    if issubclass(found, Enum):
        values = {str(m.value): said[m.name] for m in found if m.name in said}
        if values:
            definition["x-values"] = values
        return
    for field, text in said.items():
        if field in definition.get("properties", {}):
            definition["properties"][field]["description"] = text


def _find(name: str) -> type | None:
    """The class of that name among our words."""
    for module in _words():
        found = vars(module).get(name)
        if isinstance(found, type) and found.__module__ == module.__name__:
            return found
    return None


def _words() -> list[ModuleType]:
    """Every module of the contracts, also those that only lend parts to a fact or command."""
    names = {c.__module__.rpartition(".")[0] for c in (*FACTS.values(), *COMMANDS.values())}
    packages = ("contracts", *sorted(names - {"contracts"}))
    inside = (n for n in sorted(sys.modules) if n.rpartition(".")[0] in packages)
    return [sys.modules[name] for name in inside]


def _without_words(schema: Any) -> Any:
    match schema:
        case dict():
            bare = {k: v for k, v in schema.items() if not _is_wording(k, v)}
            return {k: _without_words(v) for k, v in bare.items()}
        case list():
            return [_without_words(item) for item in schema]
        case _:
            return schema


def _is_wording(key: str, value: Any) -> bool:
    """A title or description of the schema, not a property of that name (that is a schema)."""
    return key in ("title", "description") and isinstance(value, str)
