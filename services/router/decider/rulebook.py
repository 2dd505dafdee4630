"""Putting a rulebook in force: as a whole, newer than the last, or not at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from pydantic import ValidationError

from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.rulebook import (
    PublishRulebook,
    Rulebook,
    RulebookPublished,
    RulebookRefusal,
    contradictions,
)
from eventlog.decider import Decider


@dataclass(frozen=True, slots=True)
class State:
    """The version in force, and what it said."""

    version: int = 0
    digest: str = ""


def decide(issued: Issued[PublishRulebook], state: State, rules: None) -> list[Fact]:
    """Publish the document; nothing when the very same one is in force."""
    book = _read(issued.command)
    digest = digest_of(book)
    if (book.version, digest) == (state.version, state.digest):
        return []
    if book.version <= state.version:
        detail = f"version {state.version} is in force; raise the version above it"
        raise Refused(
            Reason(code=RulebookRefusal.VERSION_NOT_NEWER, field="version", detail=detail)
        )
    return [RulebookPublished(name=book.name, version=book.version, digest=digest, document=book)]


def digest_of(book: Rulebook) -> str:
    """SHA-256 of the canonical JSON of the document."""
    return sha256(book.model_dump_json().encode()).hexdigest()


def _read(command: PublishRulebook) -> Rulebook:
    try:
        book = Rulebook.model_validate(command.document)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise Refused(
            *(
                Reason(
                    code=RulebookRefusal.NOT_VALID,
                    field=".".join(map(str, problem["loc"])) or None,
                    detail=problem["msg"],
                )
                for problem in problems
            )
        ) from error
    if errors := contradictions(book):
        raise Refused(*(Reason(code=RulebookRefusal.NOT_VALID, detail=error) for error in errors))
    return book


def evolve(state: State, fact: Fact) -> State:
    """The last published version is in force."""
    match fact:
        case RulebookPublished(version=version, digest=digest):
            return State(version, digest)
        case _:
            return state


RULEBOOK = Decider("rulebook", State(), decide, evolve)
